//! Cars that wait to be claimed: the waiting room, with all that is needed to let a car in.

use crate::backend::CarRegistration;
use crate::outbox::Outbox;
use crate::token::TokenHash;
use rccar_protocol::claim::ClaimCode;
use rccar_protocol::units::MonotonicMicros;
use rccar_rooms::{CarConn, WaitError, WaitingRoom};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// A car that waits: what it has shown, and the way to it.
#[derive(Debug, Clone)]
pub(crate) struct Waiter {
    pub(crate) registration: CarRegistration,
    pub(crate) reached: IpAddr,
    pub(crate) outbox: Outbox,
}

/// The waiting room with a clock.
#[derive(Debug)]
pub(crate) struct Waiters {
    room: Mutex<WaitingRoom<Waiter>>,
    started: Instant,
}

impl Waiters {
    pub(crate) fn new() -> Self {
        Self { room: Mutex::default(), started: Instant::now() }
    }

    /// Lets a car wait. Returns the older connection of the same car, which the caller closes.
    pub(crate) fn enter(
        &self,
        conn: CarConn,
        subscriber: IpAddr,
        code: &ClaimCode,
        waiter: Waiter,
    ) -> Result<Option<Waiter>, WaitError> {
        let car = waiter.registration.key.id();
        self.lock().handle_car(self.now(), conn, car, hash(code), subscriber, waiter)
    }

    pub(crate) fn is_waiting(&self, conn: CarConn) -> bool {
        self.lock().is_waiting(conn)
    }

    /// The car that shows this code. It goes on waiting.
    pub(crate) fn find(&self, code: &ClaimCode) -> Option<(CarConn, CarRegistration)> {
        let room = self.lock();
        room.find(self.now(), &hash(code)).map(|(conn, waiter)| (conn, waiter.registration.clone()))
    }

    /// Ends a wait. `None`: it has ended before.
    pub(crate) fn take(&self, conn: CarConn) -> Option<Waiter> {
        self.lock().take(conn)
    }

    fn now(&self) -> MonotonicMicros {
        MonotonicMicros(0).plus(self.started.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, WaitingRoom<Waiter>> {
        // Nothing panics while it is locked.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(code: &ClaimCode) -> [u8; 32] {
    TokenHash::of(&code.to_string()).0
}
