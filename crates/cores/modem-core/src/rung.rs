//! Rungs of the ladder that brings a mobile link back.

use serde::Serialize;

/// What is done to bring the link back, gentlest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// Connect.
    Reconnect,
    /// Disconnect, then connect.
    CycleBearer,
    /// Switch the radio off and on.
    CycleRadio,
    /// Restart the modem. If it cannot restart, make ModemManager detect it again.
    Reset,
    /// Restart ModemManager.
    RestartDaemon,
    /// Take the modem off the USB and put it back, with its power if that can be switched.
    CycleUsb,
    /// Reboot the car's computer.
    Reboot,
}

impl Rung {
    /// Gentlest first.
    pub const ALL: [Self; 7] = [
        Self::Reconnect,
        Self::CycleBearer,
        Self::CycleRadio,
        Self::Reset,
        Self::RestartDaemon,
        Self::CycleUsb,
        Self::Reboot,
    ];

    /// Whether it tries to connect. The other rungs are cures; a try follows them.
    #[must_use]
    pub fn is_try(self) -> bool {
        match self {
            Self::Reconnect | Self::CycleBearer => true,
            Self::CycleRadio
            | Self::Reset
            | Self::RestartDaemon
            | Self::CycleUsb
            | Self::Reboot => false,
        }
    }

    /// Whether it needs a modem that ModemManager has.
    #[must_use]
    pub fn needs_modem(self) -> bool {
        match self {
            Self::Reconnect | Self::CycleBearer | Self::CycleRadio => true,
            Self::Reset | Self::RestartDaemon | Self::CycleUsb | Self::Reboot => false,
        }
    }

    /// Whether the modem itself starts again and loses its state.
    #[must_use]
    pub fn restarts_modem(self) -> bool {
        match self {
            Self::Reset | Self::CycleUsb | Self::Reboot => true,
            Self::Reconnect | Self::CycleBearer | Self::CycleRadio | Self::RestartDaemon => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_protocol::events::ModemRung;

    #[test]
    fn the_protocol_has_a_word_for_every_rung() {
        let words = Rung::ALL.map(|rung| serde_json::to_value(rung).unwrap());
        let known: Vec<_> =
            ModemRung::ALL.iter().map(|rung| serde_json::to_value(rung).unwrap()).collect();
        assert_eq!(words.as_slice(), known);
    }
}
