//! Limits how many allocations may exist, in all and for each user. Streams are counted likewise,
//! by the network of their client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Counts allocations. Users without allocations take no memory.
#[derive(Debug)]
pub(crate) struct Quota {
    total: usize,
    per_user: usize,
    users: Mutex<HashMap<String, usize>>,
    used: watch::Sender<usize>,
}

impl Quota {
    pub(crate) fn new(total: usize, per_user: usize) -> Arc<Self> {
        Arc::new(Self { total, per_user, users: Mutex::default(), used: watch::Sender::new(0) })
    }

    /// Room for one more allocation of `user`, held until the permit is dropped; `None` if a limit
    /// is reached.
    pub(crate) fn take(self: &Arc<Self>, user: &str) -> Option<Permit> {
        let mut users = self.lock();
        let own = users.get(user).copied().unwrap_or(0);
        if self.used() >= self.total || own >= self.per_user {
            return None;
        }
        users.insert(user.to_owned(), own + 1);
        self.used.send_modify(|used| *used += 1);
        Some(Permit { quota: Arc::clone(self), user: user.to_owned() })
    }

    pub(crate) fn used(&self) -> usize {
        *self.used.borrow()
    }

    /// Resolves when no permit is left.
    pub(crate) async fn empty(&self) {
        // The sender lives in `self`, so the wait cannot fail.
        let _ = self.used.subscribe().wait_for(|used| *used == 0).await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        // Nothing panics while it is locked.
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub(crate) struct Permit {
    quota: Arc<Quota>,
    user: String,
}

impl Permit {
    pub(crate) fn user(&self) -> &str {
        &self.user
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut users = self.quota.lock();
        if let Some(own) = users.get_mut(&self.user) {
            *own -= 1;
            if *own == 0 {
                users.remove(&self.user);
            }
        }
        self.quota.used.send_modify(|used| *used -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_cannot_take_the_room_of_others() {
        let quota = Quota::new(3, 2);
        let first = quota.take("a").unwrap();
        let _second = quota.take("a").unwrap();
        assert!(quota.take("a").is_none());
        let _other = quota.take("b").unwrap();
        assert!(quota.take("b").is_none(), "the total is reached");
        drop(first);
        assert!(quota.take("a").is_some());
    }

    #[test]
    fn users_without_allocations_are_forgotten() {
        let quota = Quota::new(3, 2);
        drop(quota.take("a"));
        assert!(quota.lock().is_empty());
        assert_eq!(quota.used(), 0);
    }
}
