//! Keeps messages for an end whose socket is away.

use rccar_protocol::signaling::{ToCar, ToDriver};
use std::collections::VecDeque;

/// Messages kept for one absent end. A description with both address families and two interfaces
/// brings about 20 candidates. Messages that do not fit are lost; the next ICE restart makes up for
/// them.
const CAPACITY: usize = 64;

#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    waiting: VecDeque<T>,
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new() }
    }
}

impl<T: Supersede> Mailbox<T> {
    /// Keeps a message and drops those that it makes pointless.
    pub(crate) fn put(&mut self, message: T) {
        self.waiting.retain(|old| !message.supersedes(old));
        if self.waiting.len() < CAPACITY {
            self.waiting.push_back(message);
        }
    }

    /// Oldest first.
    pub(crate) fn take(&mut self) -> VecDeque<T> {
        std::mem::take(&mut self.waiting)
    }
}

/// Which messages make earlier ones pointless. This also bounds the memory: at most one
/// description waits.
pub(crate) trait Supersede {
    /// Whether `old` need not be delivered once `self` is.
    fn supersedes(&self, old: &Self) -> bool;
}

impl Supersede for ToDriver {
    fn supersedes(&self, old: &Self) -> bool {
        matches!(
            (self, old),
            (Self::Offer { .. }, Self::Offer { .. } | Self::Candidate { .. })
                | (Self::Wanted { .. }, Self::Wanted { .. })
        )
    }
}

impl Supersede for ToCar {
    fn supersedes(&self, old: &Self) -> bool {
        matches!(
            (self, old),
            (Self::Answer { .. }, Self::Answer { .. })
                | (Self::Restart { .. }, Self::Restart { .. })
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_protocol::signaling::Candidate;
    use rccar_protocol::text::{Sdp, SessionId};

    fn offer(generation: u32) -> ToDriver {
        ToDriver::Offer {
            session: SessionId::from_random(1),
            generation,
            sdp: Sdp::new("v=0").unwrap(),
        }
    }

    fn candidate(generation: u32) -> ToDriver {
        let candidate = Candidate::new(String::new(), None, None).unwrap();
        ToDriver::Candidate { session: SessionId::from_random(1), generation, candidate }
    }

    #[test]
    fn a_new_offer_replaces_the_old_one_and_its_candidates() {
        let mut mailbox = Mailbox::default();
        for message in [offer(1), candidate(1), candidate(1), offer(2), candidate(2)] {
            mailbox.put(message);
        }
        assert_eq!(mailbox.take(), [offer(2), candidate(2)]);
        assert!(mailbox.take().is_empty());
    }

    #[test]
    fn what_does_not_fit_is_dropped() {
        let mut mailbox = Mailbox::default();
        (0..1_000).for_each(|_| mailbox.put(candidate(1)));
        assert_eq!(mailbox.take().len(), CAPACITY);
    }
}
