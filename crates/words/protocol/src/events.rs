//! JSON on the reliable data channel `events`.

use crate::frame::Layout;
use crate::release::Percent;
use crate::signaling::ErrorCode;
use crate::state::{DriveState, StopReason};
use crate::strict;
use crate::text::{CarId, Name, Note, Software};
use crate::word::words;
use serde::{Deserialize, Serialize};

/// From the car to the driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum CarEvent {
    /// First message of the car.
    Hello {
        /// Protocol version.
        v: u8,
        car: CarId,
        name: Name,
        /// Its program.
        software: Software,
        /// The picture that it sends.
        #[serde(deserialize_with = "strict::object")]
        video: Video,
        /// Binary frames that it speaks.
        #[serde(
            default,
            deserialize_with = "strict::maybe_object",
            skip_serializing_if = "Option::is_none"
        )]
        frames: Option<Frames>,
    },
    /// The drive changed its state.
    Drive {
        /// New state.
        state: DriveState,
        /// Why the wheels do not follow.
        reason: StopReason,
    },
    /// How the car is connected.
    Link {
        /// The way to the signaling host.
        host: HostLink,
        /// The uplink in use.
        #[serde(skip_serializing_if = "Option::is_none")]
        uplink: Option<UplinkKind>,
        #[serde(skip_serializing_if = "Option::is_none")]
        interface: Option<Note>,
        /// How many other uplinks stand by.
        standby: u8,
        /// The modem, if the car has a supervisor for it.
        #[serde(
            default,
            deserialize_with = "strict::maybe_object",
            skip_serializing_if = "Option::is_none"
        )]
        modem: Option<ModemLink>,
    },
    /// Something the driver should read.
    Notice {
        /// Weight of the text.
        level: NoticeLevel,
        text: Note,
    },
    /// A message of the driver's was refused.
    Error {
        /// Why.
        code: ErrorCode,
        /// In words.
        text: Note,
    },
}

words! {
    /// The car's way to its signaling host.
    HostLink {
        /// Registered.
        Up = "up",
        /// On the way back.
        Down = "down",
        /// The car has no host.
        None = "none",
    }
}

words! {
    /// What an uplink is.
    UplinkKind {
        /// A cable.
        Ethernet = "ethernet",
        /// Wireless LAN.
        Wifi = "wifi",
        /// A mobile network.
        Mobile = "mobile",
        /// Tunnels and the like.
        Miscellaneous = "other",
    }
}

/// The modem, as its supervisor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModemLink {
    /// What the supervisor does.
    pub state: ModemState,
    /// The rung of the ladder that is climbed or due.
    #[serde(skip_serializing_if = "Option::is_none")]
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

words! {
    /// What the supervisor of the modem does.
    ModemState {
        /// The link carries data.
        Up = "up",
        /// A rung is climbed.
        Acting = "acting",
        /// The next one is not due yet.
        Waiting = "waiting",
    }
}

words! {
    /// Rungs of the ladder that brings a mobile link back, gentlest first.
    ModemRung {
        /// Connect.
        Reconnect = "reconnect",
        /// Disconnect and connect.
        CycleBearer = "cycle-bearer",
        /// The radio off and on.
        CycleRadio = "cycle-radio",
        /// Restart the modem, or make ModemManager take it anew where it cannot be restarted.
        Reset = "reset",
        /// Restart ModemManager.
        RestartDaemon = "restart-daemon",
        /// The modem off the USB and on, and its power with it where that can be switched.
        CycleUsb = "cycle-usb",
        /// Reboot the car.
        Reboot = "reboot",
    }
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
        /// Binary frames that it speaks.
        #[serde(
            default,
            deserialize_with = "strict::maybe_object",
            skip_serializing_if = "Option::is_none"
        )]
        frames: Option<Frames>,
    },
}

/// Versions of the binary frames that an end reads and writes. What is left out has version 1
/// alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frames {
    /// Of the control frame.
    #[serde(
        default,
        deserialize_with = "strict::maybe_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub control: Vec<u8>,
    /// Of the telemetry frame.
    #[serde(
        default,
        deserialize_with = "strict::maybe_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub telemetry: Vec<u8>,
}

impl Frames {
    /// What this version speaks.
    #[must_use]
    pub fn ours() -> Self {
        Self { control: Layout::versions(), telemetry: Layout::versions() }
    }
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

words! {
    /// Weight of a notice.
    NoticeLevel {
        /// For information.
        Info = "info",
        /// Something works less well than it should.
        Warning = "warning",
        /// Something does not work.
        Error = "error",
    }
}
