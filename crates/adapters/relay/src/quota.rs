//! Limits how many allocations may exist: in all, for each account, and for each owner of accounts.

use crate::users::Share;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Counts allocations. Accounts without allocations take no memory.
#[derive(Debug)]
pub(crate) struct Quota {
    total: usize,
    per_account: usize,
    per_owner: usize,
    counts: Mutex<Counts>,
    used: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Counts {
    accounts: HashMap<String, usize>,
    owners: HashMap<String, usize>,
}

/// The limit that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Account,
    Owner,
    Total,
}

impl Quota {
    pub(crate) fn new(total: usize, per_account: usize, per_owner: usize) -> Arc<Self> {
        let (counts, used) = (Mutex::default(), watch::Sender::new(0));
        Arc::new(Self { total, per_account, per_owner, counts, used })
    }

    /// Room for one more allocation, held until the permit is dropped.
    pub(crate) fn take(self: &Arc<Self>, share: &Share) -> Result<Permit, Full> {
        let mut counts = self.lock();
        let of = |all: &HashMap<String, usize>, name: &str| all.get(name).copied().unwrap_or(0);
        if of(&counts.accounts, &share.account) >= self.per_account {
            return Err(Full::Account);
        }
        if share.owner.as_ref().is_some_and(|owner| of(&counts.owners, owner) >= self.per_owner) {
            return Err(Full::Owner);
        }
        if self.used() >= self.total {
            return Err(Full::Total);
        }
        *counts.accounts.entry(share.account.clone()).or_default() += 1;
        if let Some(owner) = &share.owner {
            *counts.owners.entry(owner.clone()).or_default() += 1;
        }
        self.used.send_modify(|used| *used += 1);
        Ok(Permit { quota: Arc::clone(self), share: share.clone() })
    }

    pub(crate) fn used(&self) -> usize {
        *self.used.borrow()
    }

    /// Resolves when no permit is left.
    pub(crate) async fn empty(&self) {
        // The sender lives in `self`, so the wait cannot fail.
        let _ = self.used.subscribe().wait_for(|used| *used == 0).await;
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics while it is locked.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub(crate) struct Permit {
    quota: Arc<Quota>,
    share: Share,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.quota.lock();
        give_back(&mut counts.accounts, &self.share.account);
        if let Some(owner) = &self.share.owner {
            give_back(&mut counts.owners, owner);
        }
        self.quota.used.send_modify(|used| *used -= 1);
    }
}

fn give_back(all: &mut HashMap<String, usize>, name: &str) {
    if let Some(own) = all.get_mut(name) {
        *own -= 1;
        if *own == 0 {
            all.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(account: &str, owner: Option<&str>) -> Share {
        Share { account: account.to_owned(), owner: owner.map(str::to_owned) }
    }

    #[test]
    fn one_account_cannot_take_the_room_of_others() {
        let quota = Quota::new(3, 2, 3);
        let first = quota.take(&share("a", None)).unwrap();
        let _second = quota.take(&share("a", None)).unwrap();
        assert_eq!(quota.take(&share("a", None)).unwrap_err(), Full::Account);
        let _other = quota.take(&share("b", None)).unwrap();
        assert_eq!(quota.take(&share("b", None)).unwrap_err(), Full::Total);
        drop(first);
        quota.take(&share("a", None)).unwrap();
    }

    #[test]
    fn row_5_the_cars_of_one_owner_share_a_limit() {
        let quota = Quota::new(9, 2, 3);
        let cars = ["car 1", "car 2", "car 3"].map(|car| share(car, Some("ada")));
        let taken: Vec<_> = cars.iter().map(|car| quota.take(car).unwrap()).collect();
        assert_eq!(quota.take(&cars[0]).unwrap_err(), Full::Owner);
        let _another = quota.take(&share("car 4", Some("bob"))).unwrap();
        drop(taken);
        quota.take(&cars[0]).unwrap();
    }

    #[test]
    fn accounts_without_allocations_are_forgotten() {
        let quota = Quota::new(3, 2, 2);
        drop(quota.take(&share("a", Some("b"))).unwrap());
        assert!(quota.lock().accounts.is_empty() && quota.lock().owners.is_empty());
        assert_eq!(quota.used(), 0);
    }
}
