//! All allocations of the relay, over datagrams and over streams, so that they can be ended from
//! outside.

use crate::allocation::Allocation;
use crate::quota::Full;
use crate::users::Share;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<Vec<Weak<Allocation>>>);

impl Registry {
    pub(crate) fn add(&self, allocation: &Arc<Allocation>) {
        let mut all = self.all();
        // Ended ones leave dead entries behind; the quota limits the others.
        if all.len() == all.capacity() {
            all.retain(|allocation| allocation.strong_count() > 0);
        }
        all.push(Arc::downgrade(allocation));
    }

    /// Ends all allocations of these users. Returns how many.
    pub(crate) fn end(&self, is_meant: impl Fn(&str) -> bool) -> usize {
        let meant: Vec<_> =
            self.living().into_iter().filter(|allocation| is_meant(allocation.user())).collect();
        meant.iter().for_each(|allocation| allocation.end());
        meant.len()
    }

    pub(crate) fn users(&self) -> Vec<String> {
        self.living().iter().map(|allocation| allocation.user().to_owned()).collect()
    }

    /// Of the allocations that take part of the same full share, ends the one whose client has been
    /// silent for longest, if that is at least `silence`.
    pub(crate) fn give_up_silent(&self, share: &Share, full: Full, silence: Duration) {
        let shares = |other: &Share| match full {
            Full::Account => other.account == share.account,
            Full::Owner => other.owner.is_some() && other.owner == share.owner,
            // Nobody loses anything to people who are not asked.
            Full::Total => false,
        };
        let silent = self
            .living()
            .into_iter()
            .filter(|allocation| shares(allocation.share()) && allocation.silent_for() >= silence);
        if let Some(allocation) = silent.max_by_key(|allocation| allocation.silent_for()) {
            tracing::debug!(
                user = allocation.user(), relayed = %allocation.address,
                "given up for a new one: its client is silent"
            );
            allocation.give_up();
        }
    }

    fn living(&self) -> Vec<Arc<Allocation>> {
        self.all()
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|allocation| !allocation.has_ended())
            .collect()
    }

    fn all(&self) -> MutexGuard<'_, Vec<Weak<Allocation>>> {
        // Nothing panics while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
