//! What a connect asks the network for: IP families, and the way to authenticate.
//!
//! ```text
//!   IPv4 and IPv6 ── refused ─► IPv4 ── refused ─► IPv6 ── refused ─► (fails; begins again)
//!        ▲    └──── the network names the one that it allows ───▲         │
//!        └────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Some operators allow one family only, and refuse a connection for both instead of giving what
//! they have. What was accepted is asked for first the next time. Where a user is configured and
//! the way to authenticate is not, a refusal is answered once by PAP: modems use CHAP unless told
//! otherwise, and some operators take nothing but PAP.

/// IP families of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    Both,
    Ipv4,
    Ipv6,
}

/// What a network said about the families, or about the sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// "PDN type IPv4 only allowed" (TS 24.301 section 9.9.4.4, cause 50).
    OnlyIpv4,
    /// Cause 51.
    OnlyIpv6,
    /// It may be about the families: "single address bearers only allowed" (52), "unknown PDN type"
    /// (28), or one of the causes that operators give for anything (30, 31, 32, 33).
    PerhapsFamilies,
    /// User name or password, or the way in which they were sent.
    SignIn,
}

/// What to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    pub families: Families,
    /// By PAP, although that is not configured.
    pub pap: bool,
}

/// Remembers what was refused and what was accepted.
#[derive(Debug, Clone)]
pub struct Asking {
    /// Both families are wanted, so that one will do.
    may_narrow: bool,
    /// A user is configured, and the way to authenticate is not.
    may_use_pap: bool,
    wish: Wish,
    /// Families that were refused since the last connection.
    refused: Vec<Families>,
}

impl Asking {
    /// `families` as configured.
    #[must_use]
    pub fn new(families: Families, may_use_pap: bool) -> Self {
        let wish = Wish { families, pap: false };
        let may_narrow = families == Families::Both;
        Self { may_narrow, may_use_pap, wish, refused: Vec::new() }
    }

    #[must_use]
    pub fn wish(&self) -> Wish {
        self.wish
    }

    /// The network took it.
    pub fn handle_connected(&mut self) {
        self.refused.clear();
    }

    /// The network refused it. True: something else may be asked for at once. After a false the
    /// next connect begins again.
    pub fn handle_refused(&mut self, refusal: Refusal) -> bool {
        if refusal == Refusal::SignIn {
            // Once: a third way would be a third wrong password for some operators.
            let again = self.may_use_pap && !self.wish.pap;
            self.wish.pap = again;
            return again;
        }
        if !self.may_narrow {
            return false;
        }
        if !self.refused.contains(&self.wish.families) {
            self.refused.push(self.wish.families);
        }
        let order = match refusal {
            Refusal::OnlyIpv6 => [Families::Ipv6, Families::Ipv4, Families::Both],
            _ => [Families::Ipv4, Families::Ipv6, Families::Both],
        };
        match order.into_iter().find(|families| !self.refused.contains(families)) {
            Some(families) => {
                self.wish.families = families;
                true
            }
            None => {
                self.refused.clear();
                self.wish.families = Families::Both;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Families::{Both, Ipv4, Ipv6};

    /// The families that are asked for in one connect at a network that takes `allowed`, and
    /// whether it worked.
    fn asked(asking: &mut Asking, allowed: &[Families], says: Refusal) -> (Vec<Families>, bool) {
        let mut asked = Vec::new();
        loop {
            let families = asking.wish().families;
            asked.push(families);
            assert!(asked.len() < 5, "{asked:?}");
            if allowed.contains(&families) {
                asking.handle_connected();
                return (asked, true);
            }
            if !asking.handle_refused(says) {
                return (asked, false);
            }
        }
    }

    #[test]
    fn a_network_of_one_family_is_found_and_remembered() {
        for (allowed, says, first) in [
            (Ipv4, Refusal::OnlyIpv4, vec![Both, Ipv4]),
            (Ipv4, Refusal::PerhapsFamilies, vec![Both, Ipv4]),
            (Ipv6, Refusal::OnlyIpv6, vec![Both, Ipv6]),
            (Ipv6, Refusal::PerhapsFamilies, vec![Both, Ipv4, Ipv6]),
        ] {
            let mut asking = Asking::new(Both, false);
            assert_eq!(asked(&mut asking, &[allowed], says), (first, true));
            assert_eq!(asked(&mut asking, &[allowed], says), (vec![allowed], true));
        }
    }

    #[test]
    fn a_network_that_changes_its_mind_is_asked_for_all() {
        let mut asking = Asking::new(Both, false);
        assert!(asked(&mut asking, &[Ipv4], Refusal::OnlyIpv4).1);
        let other = asked(&mut asking, &[Ipv6], Refusal::PerhapsFamilies);
        assert_eq!(other, (vec![Ipv4, Ipv6], true));
        let both = asked(&mut asking, &[Both], Refusal::PerhapsFamilies);
        assert_eq!(both, (vec![Ipv6, Ipv4, Both], true));
    }

    #[test]
    fn a_network_that_refuses_all_ends_the_connect_and_the_next_one_begins_again() {
        let mut asking = Asking::new(Both, false);
        for _ in 0..3 {
            let tried = asked(&mut asking, &[], Refusal::PerhapsFamilies);
            assert_eq!(tried, (vec![Both, Ipv4, Ipv6], false));
        }
    }

    #[test]
    fn what_is_configured_is_not_changed() {
        for families in [Ipv4, Ipv6] {
            let mut asking = Asking::new(families, false);
            assert_eq!(asked(&mut asking, &[Both], Refusal::OnlyIpv6), (vec![families], false));
            assert!(!asking.handle_refused(Refusal::SignIn));
        }
    }

    #[test]
    fn a_refused_sign_in_is_tried_by_pap_once() {
        let mut asking = Asking::new(Both, true);
        assert!(asking.handle_refused(Refusal::SignIn) && asking.wish().pap);
        assert!(!asking.handle_refused(Refusal::SignIn) && !asking.wish().pap);
        // What worked stays.
        assert!(asking.handle_refused(Refusal::SignIn));
        asking.handle_connected();
        assert!(asking.wish().pap);
    }
}
