//! What the uplinks have to say to the connection.

use crate::uplinks::{Situation, UplinksHandle};
use rccar_car_core::uplinks::{Move, Uplink};
use tokio::sync::watch;

/// One piece of it.
pub(super) enum News {
    /// The uplinks as they are worth trying, and the move if another one is used.
    Uplinks { order: Vec<Uplink>, moved: Option<Move> },
    /// Neither a driver nor the host answers.
    Suspected,
}

/// Waits for it.
pub(super) struct Calls {
    situation: watch::Receiver<Situation>,
    moves: u64,
    suspicions: watch::Receiver<u64>,
}

impl Calls {
    pub(super) fn new(uplinks: &UplinksHandle) -> Self {
        let situation = uplinks.subscribe();
        let moves = situation.borrow().moves;
        Self { situation, moves, suspicions: uplinks.suspicions() }
    }

    /// The uplinks as they are worth trying now.
    pub(super) fn order(&self) -> Vec<Uplink> {
        self.situation.borrow().order.clone()
    }

    /// The next news. May be dropped at any time without losing any.
    pub(super) async fn next(&mut self) -> News {
        tokio::select! {
            Ok(()) = self.situation.changed() => {
                let present = self.situation.borrow_and_update();
                let is_new = std::mem::replace(&mut self.moves, present.moves) != present.moves;
                let moved = present.why.filter(|_| is_new).map(|why| Move { to: present.in_use.clone(), why });
                News::Uplinks { order: present.order.clone(), moved }
            }
            Ok(()) = self.suspicions.changed() => News::Suspected,
            else => std::future::pending().await,
        }
    }
}
