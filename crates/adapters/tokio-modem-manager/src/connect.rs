//! The properties of a connection.

use crate::{AllowedAuth, IpFamilies};
use std::collections::HashMap;
use std::fmt;
use zbus::zvariant::Value;

/// Argument of [`Modem::connect`](crate::Modem::connect): the keys of ModemManager's bearer
/// properties. The modem and the network choose what is `None`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ConnectProperties {
    /// Access point name.
    pub apn: Option<String>,
    /// IP family to ask for, usually [`IpFamilies::IPV4V6`].
    pub ip_type: Option<IpFamilies>,
    /// Ways to authenticate that are allowed.
    pub allowed_auth: Option<AllowedAuth>,
    /// User name for the network.
    pub user: Option<String>,
    /// Password for the network.
    pub password: Option<String>,
    /// PIN that unlocks the SIM. A wrong one costs one of three tries.
    pub pin: Option<String>,
    /// MCC and MNC of the network to register with; automatic if not set.
    pub operator_id: Option<String>,
    /// Whether to connect while roaming; allowed if not set.
    pub allow_roaming: Option<bool>,
    /// Number of a profile in the modem.
    pub profile_id: Option<i32>,
}

impl ConnectProperties {
    /// Only an access point name; nothing else is set.
    #[must_use]
    pub fn apn(apn: impl Into<String>) -> Self {
        Self { apn: Some(apn.into()), ..Self::default() }
    }

    pub(crate) fn to_dict(&self) -> HashMap<&'static str, Value<'_>> {
        let text = |value: &'_ Option<String>| value.clone().map(Value::from);
        let entries = [
            ("apn", text(&self.apn)),
            ("ip-type", self.ip_type.map(|families| families.bits().into())),
            ("allowed-auth", self.allowed_auth.map(|auth| auth.bits().into())),
            ("user", text(&self.user)),
            ("password", text(&self.password)),
            ("pin", text(&self.pin)),
            ("operator-id", text(&self.operator_id)),
            ("allow-roaming", self.allow_roaming.map(Value::from)),
            ("profile-id", self.profile_id.map(Value::from)),
        ];
        entries.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

impl fmt::Debug for ConnectProperties {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |secret: &Option<String>| secret.as_ref().map(|_| "…");
        formatter
            .debug_struct("ConnectProperties")
            .field("apn", &self.apn)
            .field("ip_type", &self.ip_type)
            .field("allowed_auth", &self.allowed_auth)
            .field("user", &self.user)
            .field("password", &hidden(&self.password))
            .field("pin", &hidden(&self.pin))
            .field("operator_id", &self.operator_id)
            .field("allow_roaming", &self.allow_roaming)
            .field("profile_id", &self.profile_id)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_set_is_sent() {
        assert!(ConnectProperties::default().to_dict().is_empty());
        let properties = ConnectProperties {
            ip_type: Some(IpFamilies::IPV4V6),
            ..ConnectProperties::apn("internet")
        };
        let dict = properties.to_dict();
        assert_eq!((dict.len(), &dict["ip-type"]), (2, &Value::U32(4)));
        assert_eq!(dict["apn"], Value::from("internet"));
    }

    #[test]
    fn secrets_are_not_printed() {
        let secret = || Some("1234".to_owned());
        let text = format!(
            "{:?}",
            ConnectProperties {
                pin: secret(),
                password: secret(),
                ..ConnectProperties::apn("internet")
            }
        );
        assert!(text.contains("internet") && !text.contains("1234"), "{text}");
    }
}
