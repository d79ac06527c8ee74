//! JSON on the reliable data channel `events`.

use crate::release::Percent;
use crate::signaling::ErrorCode;
use crate::state::{DriveState, StopReason};
use crate::strict;
use crate::text::{CarId, Name, Note, Software};
use serde::{Deserialize, Serialize};

/// From the car to the driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum CarEvent {
    /// First message of the car.
    Hello {
        /// Protocol version.
        v: u8,
        /// The car.
        car: CarId,
        /// Its name.
        name: Name,
        /// Its program.
        software: Software,
        /// The picture that it sends.
        #[serde(deserialize_with = "strict::object")]
        video: Video,
    },
    /// The drive changed its state.
    Drive {
        /// New state.
        #[serde(deserialize_with = "strict::word")]
        state: DriveState,
        /// Why the wheels do not follow.
        #[serde(deserialize_with = "strict::word")]
        reason: StopReason,
    },
    /// How the car is connected.
    Link {
        /// The way to the signaling host.
        #[serde(deserialize_with = "strict::word")]
        host: HostLink,
        /// The uplink in use.
        #[serde(default, deserialize_with = "strict::maybe_word", skip_serializing_if = "Option::is_none")]
        uplink: Option<UplinkKind>,
        /// Its interface.
        #[serde(skip_serializing_if = "Option::is_none")]
        interface: Option<Note>,
        /// How many other uplinks stand by.
        standby: u8,
        /// The modem, if the car has a supervisor for it.
        #[serde(default, deserialize_with = "strict::maybe_object", skip_serializing_if = "Option::is_none")]
        modem: Option<ModemLink>,
    },
    /// Something the driver should read.
    Notice {
        /// Weight of the text.
        #[serde(deserialize_with = "strict::word")]
        level: NoticeLevel,
        /// The text.
        text: Note,
    },
    /// A message of the driver's was refused.
    Error {
        /// Why.
        #[serde(deserialize_with = "strict::word")]
        code: ErrorCode,
        /// In words.
        text: Note,
    },
}

/// The car's way to its signaling host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostLink {
    /// Registered.
    Up,
    /// On the way back.
    Down,
    /// The car has no host.
    None,
}

/// What an uplink is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UplinkKind {
    /// A cable.
    Ethernet,
    /// Wireless LAN.
    Wifi,
    /// A mobile network.
    Mobile,
    /// Tunnels and the like.
    Other,
}

/// The modem, as its supervisor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModemLink {
    /// What the supervisor does.
    #[serde(deserialize_with = "strict::word")]
    pub state: ModemState,
    /// The rung of the ladder that is climbed or due.
    #[serde(default, deserialize_with = "strict::maybe_word", skip_serializing_if = "Option::is_none")]
    pub rung: Option<ModemRung>,
    /// The network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<Note>,
    /// Strength of the signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<Percent>,
    /// What a person has to mend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Note>,
}

/// What the supervisor of the modem does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModemState {
    /// The link carries data.
    Up,
    /// A rung is climbed.
    Acting,
    /// The next one is not due yet.
    Waiting,
}

/// Rungs of the ladder that brings a mobile link back, gentlest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModemRung {
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

/// From the driver to the car.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum DriverEvent {
    /// First message of the driver.
    Hello {
        /// Protocol version.
        v: u8,
        /// Program of the driver.
        software: Software,
    },
}

/// Size and rate of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    /// Width in pixels, from 1.
    #[serde(deserialize_with = "strict::positive")]
    pub width: u16,
    /// Height in pixels, from 1.
    #[serde(deserialize_with = "strict::positive")]
    pub height: u16,
    /// Frames per second, from 1.
    #[serde(deserialize_with = "strict::positive")]
    pub fps: u8,
}

/// Weight of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeLevel {
    /// For information.
    Info,
    /// Something works less well than it should.
    Warning,
    /// Something does not work.
    Error,
}
