//! Rungs of the ladder that brings a mobile link back.

use serde::Serialize;

/// What is done to bring the link back, gentlest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// Connect.
    Reconnect,
    /// Disconnect and connect.
    CycleBearer,
    /// The radio off and on.
    CycleRadio,
    /// Restart the modem, or make ModemManager take it anew where it cannot be restarted.
    Reset,
    /// Restart ModemManager.
    RestartDaemon,
    /// The modem off the USB and on, and its power with it where that can be switched.
    CycleUsb,
    /// Reboot the car.
    Reboot,
}

impl Rung {
    /// All, gentlest first.
    pub const ALL: [Self; 7] = [
        Self::Reconnect,
        Self::CycleBearer,
        Self::CycleRadio,
        Self::Reset,
        Self::RestartDaemon,
        Self::CycleUsb,
        Self::Reboot,
    ];

    /// It ends with a link or without one. The others are cures, after which a link can be tried.
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

    /// Whether there has to be a modem that can be asked for it.
    #[must_use]
    pub fn needs_modem(self) -> bool {
        match self {
            Self::Reconnect | Self::CycleBearer | Self::CycleRadio => true,
            Self::Reset | Self::RestartDaemon | Self::CycleUsb | Self::Reboot => false,
        }
    }

    /// Whether the modem itself starts again, and with it what it held.
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
