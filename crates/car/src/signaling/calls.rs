//! Reasons to dial the host at once.

use super::words::Ended;
use crate::uplinks::{Situation, UplinksHandle};
use rccar_car_core::uplinks::Why;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// The uplink that the connection goes over, if one was chosen.
#[derive(Debug, Clone, Default)]
pub(super) struct Over(Arc<Mutex<Option<String>>>);

impl Over {
    pub(super) fn set(&self, name: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    fn is(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(name)
    }
}

/// Waits for a reason.
pub(super) struct Calls {
    situation: watch::Receiver<Situation>,
    moves: u64,
    suspicions: watch::Receiver<u64>,
    pub(super) over: Over,
}

impl Calls {
    pub(super) fn new(uplinks: &UplinksHandle) -> Self {
        let situation = uplinks.subscribe();
        let moves = situation.borrow().moves;
        Self { situation, moves, suspicions: uplinks.suspicions(), over: Over::default() }
    }

    /// The next reason. May be dropped at any time without losing one.
    pub(super) async fn next(&mut self) -> Ended {
        loop {
            tokio::select! {
                Ok(()) = self.situation.changed() => {
                    let present = self.situation.borrow_and_update();
                    if std::mem::replace(&mut self.moves, present.moves) != present.moves && self.over.ended_by(&present) {
                        return Ended::Moved;
                    }
                }
                Ok(()) = self.suspicions.changed() => return Ended::Suspected,
                else => std::future::pending().await,
            }
        }
    }
}

impl Over {
    /// Whether a connection that goes over this uplink has to be made anew.
    fn ended_by(&self, situation: &Situation) -> bool {
        // As long as there is none, nothing better can be had.
        let Some(used) = &situation.in_use else { return false };
        match situation.why {
            None | Some(Why::First) => false,
            Some(Why::Lost | Why::New | Why::Changed | Why::Back) => true,
            Some(Why::Silent | Why::Better) => !self.is(&used.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_car_core::uplinks::{Kind, Uplink};

    #[test]
    fn a_connection_over_the_new_uplink_is_kept_unless_its_address_is_gone() {
        let over = Over::default();
        over.set(Some("up0".into()));
        let to = |name: &str, why| Situation {
            why: Some(why),
            in_use: Some(Uplink::new(2, name, Kind::Mobile, ["192.0.2.7".parse().unwrap()])),
            ..Situation::default()
        };
        assert!(!over.ended_by(&to("up0", Why::Silent)) && over.ended_by(&to("up1", Why::Silent)));
        assert!(over.ended_by(&to("up0", Why::Changed)) && over.ended_by(&to("up0", Why::Back)));
        assert!(!over.ended_by(&to("up0", Why::First)));
        assert!(!over.ended_by(&Situation { why: Some(Why::Lost), ..Situation::default() }));
    }
}
