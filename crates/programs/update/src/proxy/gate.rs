//! Lets the transfer flow or holds it, counts its bytes, and keeps the reason why it ended.

use rccar_update_core::Traffic;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Bytes of a request and its answer besides the body: both heads, the token, and the headers of
/// the packets.
const OVERHEAD: u64 = 900;

/// Stands between the shell, which decides, and the transfer. Clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate {
    traffic: watch::Sender<Mode>,
    books: Arc<Mutex<Books>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Flow,
    Hold,
}

#[derive(Debug, Default)]
struct Books {
    /// Bytes left; `None` if the link is not metered.
    budget: Option<u64>,
    /// Bytes of the metered requests that are under way.
    reserved: u64,
    /// Bytes fetched so far, metered or not.
    total: u64,
    /// Bytes over metered links since the last [`Gate::take_metered`].
    metered: u64,
    /// Why the transfer ended before its time.
    ended: Option<String>,
}

impl Default for Gate {
    /// Begins closed.
    fn default() -> Self {
        Self { traffic: watch::Sender::new(Mode::Hold), books: Arc::default() }
    }
}

impl Gate {
    pub fn set(&self, traffic: Traffic) {
        let mode = match traffic {
            Traffic::Flow { budget } => {
                let mut books = self.books();
                // The core made the budget without the bytes that it has not taken yet and without
                // those that are under way.
                let known = books.metered + books.reserved;
                books.budget = budget.map(|budget| budget.saturating_sub(known));
                Mode::Flow
            }
            Traffic::Hold => Mode::Hold,
        };
        self.traffic.send_replace(mode);
    }

    /// Bytes fetched so far, with overhead.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.books().total
    }

    /// Bytes over metered links since the last call.
    #[must_use]
    pub fn take_metered(&self) -> u64 {
        std::mem::take(&mut self.books().metered)
    }

    /// Why the transfer ended before its time; `None` if it did not.
    #[must_use]
    pub fn ended(&self) -> Option<String> {
        self.books().ended.clone()
    }

    /// Ends the transfer; the first reason stays.
    pub(crate) fn end(&self, reason: impl Into<String>) {
        self.books().ended.get_or_insert(reason.into());
    }

    pub(crate) async fn open(&self) {
        // Cannot fail: the sender lives in `self`.
        let _ = self.traffic.subscribe().wait_for(|mode| *mode == Mode::Flow).await;
    }

    pub(crate) async fn closed(&self) {
        let _ = self.traffic.subscribe().wait_for(|mode| *mode == Mode::Hold).await;
    }

    /// Reserves the bytes of a request and its overhead; `None` if the budget is too small. When
    /// the voucher is dropped, unused bytes go back to the budget.
    pub(crate) fn reserve(&self, bytes: u64) -> Option<Voucher<'_>> {
        let mut guard = self.books();
        let books = &mut *guard;
        let wanted = bytes + OVERHEAD;
        let metered = match &mut books.budget {
            Some(budget) if *budget < wanted => return None,
            Some(budget) => {
                *budget -= wanted;
                books.reserved += wanted;
                true
            }
            None => false,
        };
        drop(guard);
        Some(Voucher { gate: self, reserved: wanted, used: OVERHEAD, metered })
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // A panic cannot leave numbers half changed.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes that a request may fetch.
pub(crate) struct Voucher<'a> {
    gate: &'a Gate,
    reserved: u64,
    used: u64,
    metered: bool,
}

impl Voucher<'_> {
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.used += bytes as u64;
    }
}

impl Drop for Voucher<'_> {
    fn drop(&mut self) {
        let mut books = self.gate.books();
        books.total += self.used;
        if self.metered {
            books.metered += self.used;
            books.reserved -= self.reserved;
            let back = self.reserved.saturating_sub(self.used);
            books.budget = books.budget.map(|budget| budget.saturating_add(back));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_never_exceeded_and_unused_bytes_come_back() {
        let gate = Gate::default();
        gate.set(Traffic::Flow { budget: Some(10_000) });
        let mut voucher = gate.reserve(8_000).unwrap();
        assert!(gate.reserve(8_000).is_none(), "what is reserved is not there for another request");
        voucher.spend(1_000);
        drop(voucher);
        assert_eq!((gate.total(), gate.take_metered(), gate.take_metered()), (1_900, 1_900, 0));
        assert!(gate.reserve(10_000 - 1_900 - OVERHEAD).is_some());
        assert!(gate.reserve(10_000 - 1_900 - OVERHEAD).is_none());
    }

    #[test]
    fn a_new_budget_knows_what_is_under_way() {
        let gate = Gate::default();
        gate.set(Traffic::Flow { budget: Some(10_000) });
        gate.reserve(1_100).unwrap().spend(1_100);
        let under_way = gate.reserve(2_100).unwrap();
        gate.set(Traffic::Hold);
        gate.set(Traffic::Flow { budget: Some(10_000) });
        drop(under_way);
        // The first request used 2000, the second 900, and this one costs 900 more than its body.
        assert!(gate.reserve(10_000 - 2_000 - 900 - 900 + 1).is_none());
        assert!(gate.reserve(10_000 - 2_000 - 900 - 900).is_some());
    }

    #[test]
    fn an_unmetered_link_is_counted_and_not_limited() {
        let gate = Gate::default();
        gate.set(Traffic::Flow { budget: None });
        gate.reserve(u64::MAX / 2).unwrap().spend(100);
        assert_eq!((gate.total(), gate.take_metered()), (1_000, 0));
    }

    #[test]
    fn the_first_reason_stays() {
        let gate = Gate::default();
        gate.end("first");
        gate.end("second");
        assert_eq!(gate.ended().as_deref(), Some("first"));
    }
}
