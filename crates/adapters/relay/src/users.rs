//! Who may use the relay, beyond the knowledge of a password.

use std::fmt;

/// Says whose the credentials are. It is asked at each request that is authenticated, and must not
/// block.
pub trait Users: fmt::Debug + Send + Sync + 'static {
    /// The share of the relay that this user takes from; `None` if the relay does not serve the
    /// user, or no longer. `user` is the part of a username after the expiry.
    fn share(&self, user: &str) -> Option<Share>;

    /// Whether an allocation may be refreshed after its credentials have expired: a browser cannot
    /// change those of an allocation that it has. Only right for users who stop to have a share
    /// when they should be served no longer, and whose allocations are ended then
    /// ([`crate::Control::end`]).
    fn outlast_credentials(&self) -> bool {
        false
    }
}

/// Whose part of the relay an allocation takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Limited by [`crate::RelayConfig::allocations_per_account`]: an account, or a car.
    pub account: String,
    /// Limited by [`crate::RelayConfig::allocations_per_owner`]: the account that has many of the
    /// above, such as the owner of several cars.
    pub owner: Option<String>,
}

/// Serves everybody who has good credentials, each with a share of its own. As with coturn, the
/// credentials' expiry is all that ends them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Everybody;

impl Users for Everybody {
    fn share(&self, user: &str) -> Option<Share> {
        Some(Share { account: user.to_owned(), owner: None })
    }
}
