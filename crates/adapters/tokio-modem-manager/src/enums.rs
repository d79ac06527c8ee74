//! Enumerations of ModemManager's API. An unknown value is kept as `Other`, so a newer daemon
//! breaks nothing.

use std::fmt;

macro_rules! dbus_enum {
    (
        $(#[$doc:meta])* $name:ident($repr:ty) {
            $($(#[$variant_doc:meta])* $variant:ident = $value:literal $text:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A value that this version of the crate does not know.
            Other($repr),
        }

        impl $name {
            /// ModemManager's word for it, as `mmcli` prints it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(_) => "other",
                }
            }
        }

        impl From<$repr> for $name {
            fn from(value: $repr) -> Self {
                match value {
                    $($value => Self::$variant,)+
                    other => Self::Other(other),
                }
            }
        }

        impl From<$name> for $repr {
            fn from(value: $name) -> Self {
                match value {
                    $($name::$variant => $value,)+
                    $name::Other(other) => other,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Other(value) => write!(formatter, "other ({value})"),
                    known => formatter.write_str(known.as_str()),
                }
            }
        }
    };
}

dbus_enum! {
    /// `MMModemState`: how far a modem has come. `Connected` only says that a bearer is active as
    /// far as ModemManager knows.
    State(i32) {
        /// Unusable; see [`FailedReason`].
        Failed = -1 "failed",
        /// Not known.
        Unknown = 0 "unknown",
        /// Being initialised.
        Initializing = 1 "initializing",
        /// Waiting for a PIN or another code; see [`Lock`].
        Locked = 2 "locked",
        /// Not enabled and powered down.
        Disabled = 3 "disabled",
        /// On its way to `Disabled`.
        Disabling = 4 "disabling",
        /// On its way to `Enabled`.
        Enabling = 5 "enabling",
        /// Powered, not registered.
        Enabled = 6 "enabled",
        /// Looking for a network.
        Searching = 7 "searching",
        /// Registered with a network.
        Registered = 8 "registered",
        /// Its last bearer is being deactivated.
        Disconnecting = 9 "disconnecting",
        /// Its first bearer is being activated.
        Connecting = 10 "connecting",
        /// At least one bearer is active.
        Connected = 11 "connected",
    }
}

dbus_enum! {
    /// `MMModemStateFailedReason`: why a modem is in [`State::Failed`].
    FailedReason(u32) {
        /// The modem has not failed.
        None = 0 "none",
        /// Not known.
        Unknown = 1 "unknown",
        /// There is no SIM.
        SimMissing = 2 "sim-missing",
        /// The SIM cannot be used, for instance because it is locked for good.
        SimError = 3 "sim-error",
        /// The modem's capabilities could not be read.
        UnknownCapabilities = 4 "unknown-capabilities",
        /// The eSIM holds no profile.
        EsimWithoutProfiles = 5 "esim-without-profiles",
    }
}

dbus_enum! {
    /// `MMModemStateChangeReason`. Do not decide by it: some drops by the network come as
    /// `UserRequested`.
    StateChangeReason(u32) {
        /// Not known.
        Unknown = 0 "unknown",
        /// A client of ModemManager asked for it.
        UserRequested = 1 "user-requested",
        /// The system was suspended.
        Suspend = 2 "suspend",
        /// An error that the modem does not recover from.
        Failure = 3 "failure",
    }
}

dbus_enum! {
    /// `MMModemLock`: the code that a modem waits for.
    Lock(u32) {
        /// Not known.
        Unknown = 0 "unknown",
        /// None: unlocked.
        None = 1 "none",
        /// The SIM's PIN.
        SimPin = 2 "sim-pin",
        /// The SIM's second PIN.
        SimPin2 = 3 "sim-pin2",
        /// The SIM's PUK: its PIN was wrong too often.
        SimPuk = 4 "sim-puk",
        /// The SIM's second PUK.
        SimPuk2 = 5 "sim-puk2",
        /// The service provider's code.
        PhSpPin = 6 "ph-sp-pin",
        /// The service provider's unblocking code.
        PhSpPuk = 7 "ph-sp-puk",
        /// The network's code.
        PhNetPin = 8 "ph-net-pin",
        /// The network's unblocking code.
        PhNetPuk = 9 "ph-net-puk",
        /// The code that binds the modem to a SIM.
        PhSimPin = 10 "ph-sim-pin",
        /// The corporation's code.
        PhCorpPin = 11 "ph-corp-pin",
        /// The corporation's unblocking code.
        PhCorpPuk = 12 "ph-corp-puk",
        /// The code that binds the modem to its first SIM.
        PhFsimPin = 13 "ph-fsim-pin",
        /// The unblocking code for the first SIM.
        PhFsimPuk = 14 "ph-fsim-puk",
        /// The network subset's code.
        PhNetsubPin = 15 "ph-netsub-pin",
        /// The network subset's unblocking code.
        PhNetsubPuk = 16 "ph-netsub-puk",
    }
}

dbus_enum! {
    /// `MMModemPowerState`.
    PowerState(u32) {
        /// Not known.
        Unknown = 0 "unknown",
        /// Off: many modems come back only when power is cut.
        Off = 1 "off",
        /// The radio is off, the modem answers.
        Low = 2 "low",
        /// The radio is on.
        On = 3 "on",
    }
}

dbus_enum! {
    /// `MMModem3gppRegistrationState`.
    RegistrationState(u32) {
        /// Not registered and not looking.
        Idle = 0 "idle",
        /// Registered with the home network.
        Home = 1 "home",
        /// Looking for a network.
        Searching = 2 "searching",
        /// The network refused.
        Denied = 3 "denied",
        /// Not known.
        Unknown = 4 "unknown",
        /// Registered while roaming.
        Roaming = 5 "roaming",
        /// Registered with the home network, for SMS only.
        HomeSmsOnly = 6 "home-sms-only",
        /// Registered while roaming, for SMS only.
        RoamingSmsOnly = 7 "roaming-sms-only",
        /// Emergency calls only.
        EmergencyOnly = 8 "emergency-only",
        /// Registered with the home network; fallback to circuit switching is not preferred.
        HomeCsfbNotPreferred = 9 "home-csfb-not-preferred",
        /// Registered while roaming; fallback to circuit switching is not preferred.
        RoamingCsfbNotPreferred = 10 "roaming-csfb-not-preferred",
        /// Attached for restricted local operator services.
        AttachedRlos = 11 "attached-rlos",
    }
}

impl RegistrationState {
    /// Whether the network carries data in this state.
    #[must_use]
    pub fn carries_data(self) -> bool {
        matches!(
            self,
            Self::Home | Self::Roaming | Self::HomeCsfbNotPreferred | Self::RoamingCsfbNotPreferred
        )
    }
}

dbus_enum! {
    /// `MMModem3gppPacketServiceState`.
    PacketServiceState(u32) {
        /// Not known.
        Unknown = 0 "unknown",
        /// No packet service.
        Detached = 1 "detached",
        /// Packet service.
        Attached = 2 "attached",
    }
}

dbus_enum! {
    /// `MMBearerIpMethod`: how an address gets onto the bearer's interface.
    IpMethod(u32) {
        /// Not known.
        Unknown = 0 "unknown",
        /// Run PPP on the interface, which is a serial port.
        Ppp = 1 "ppp",
        /// Set the addresses of the configuration.
        Static = 2 "static",
        /// Run DHCP (IPv4), or use router advertisements (IPv6).
        Dhcp = 3 "dhcp",
    }
}

dbus_enum! {
    /// `MMBearerType`.
    BearerType(u32) {
        /// Not known.
        Unknown = 0 "unknown",
        /// An ordinary bearer.
        Default = 1 "default",
        /// The bearer that LTE and 5G set up while attaching.
        DefaultAttach = 2 "default-attach",
        /// A dedicated or secondary bearer.
        Dedicated = 3 "dedicated",
    }
}

dbus_enum! {
    /// `MMModemPortType`.
    PortType(u32) {
        /// Not known.
        Unknown = 1 "unknown",
        /// A network interface.
        Net = 2 "net",
        /// AT commands.
        At = 3 "at",
        /// Qualcomm diagnostics.
        Qcdm = 4 "qcdm",
        /// GNSS traces.
        Gps = 5 "gps",
        /// QMI.
        Qmi = 6 "qmi",
        /// MBIM.
        Mbim = 7 "mbim",
        /// Voice.
        Audio = 8 "audio",
        /// Left alone.
        Ignored = 9 "ignored",
        /// Intel XMM control.
        Xmmrpc = 10 "xmmrpc",
    }
}

dbus_enum! {
    /// `MMSimType`.
    SimType(u32) {
        /// Not known.
        Unknown = 0 "unknown",
        /// A card.
        Physical = 1 "physical",
        /// Embedded.
        Esim = 2 "esim",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_the_way_there_and_back() {
        for value in -2..=12 {
            assert_eq!(i32::from(State::from(value)), value);
        }
        for value in 0..20 {
            assert_eq!(u32::from(Lock::from(value)), value);
        }
        assert_eq!(State::from(-1), State::Failed);
        assert_eq!(State::from(99), State::Other(99));
    }

    #[test]
    fn words_are_those_of_mmcli() {
        assert_eq!(State::Connected.to_string(), "connected");
        assert_eq!(FailedReason::SimMissing.to_string(), "sim-missing");
        assert_eq!(RegistrationState::from(77).to_string(), "other (77)");
    }
}
