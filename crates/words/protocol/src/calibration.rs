//! Calibration: what somebody sets while the car stands in front of them, so that it steers and
//! drives as it should.
//!
//! A page asks its car ([`crate::events`]), and `rccar-car` asks `rccar-drive` by the same words
//! ([`ToDrive`], [`FromDrive`]): JSON in Unix datagrams on the socket of the set-points. Their
//! first byte is `{`, which is no version of a frame.

use crate::strict;
use crate::text::{Note, SessionId, TextError};
use crate::units::Steering;
use crate::word::words;
use serde::{Deserialize, Serialize};

/// Version of the messages of this module, as the messages `hello` name it.
pub const CALIBRATION_VERSION: u8 = 1;
/// Largest datagram in bytes between car and drive that holds such a message.
pub const MAX_DRIVE_MESSAGE_BYTES: usize = 2048;

/// A share of full scale in 1/10000: 0 to 10000.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u16", into = "u16")]
pub struct Share(u16);

impl Share {
    pub const FULL: Self = Self(10_000);
    pub const HALF: Self = Self(5_000);

    /// In 1/10000.
    #[must_use]
    pub fn permyriad(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for Share {
    type Error = TextError;
    fn try_from(value: u16) -> Result<Self, TextError> {
        if value > Self::FULL.0 {
            Err(TextError::Form { what: "share", rule: "a number from 0 to 10000" })
        } else {
            Ok(Self(value))
        }
    }
}

impl From<Share> for u16 {
    fn from(share: Share) -> u16 {
        share.0
    }
}

words! {
    /// What a speed controller does with a pulse behind neutral.
    EscWord {
        /// It drives backward, always.
        Direct = "direct",
        /// It brakes; only the second one drives backward.
        BrakeFirst = "brake-first",
    }
}

/// All that can be calibrated. The options of `rccar-drive` that it stands over have the same
/// meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
    /// Position of the servo at which the wheels stand straight (`steering.trim`).
    pub trim: Steering,
    /// Position of the servo at full left (`steering.left`).
    pub left: Share,
    /// Position of the servo at full right (`steering.right`).
    pub right: Share,
    /// The servo is mounted the other way round (`steering.reversed`).
    pub steering_reversed: bool,
    /// Throttle on the motor at full forward (`throttle.max_forward`).
    pub max_forward: Share,
    /// Throttle on the motor at full reverse (`throttle.max_reverse`).
    pub max_reverse: Share,
    /// Part of the stick's way that counts as neutral (`throttle.dead_band`).
    pub dead_band: Share,
    /// The motor turns the other way round (`throttle.reversed`).
    pub motor_reversed: bool,
    /// Kind of the speed controller (`esc.kind`).
    pub esc: EscWord,
}

words! {
    CalibrationAction {
        /// Opens the calibration for this session: from then on it may jog and set values.
        Begin = "begin",
        /// Takes `values`, and keeps them.
        Set = "set",
        /// Back to what the car's configuration says.
        Forget = "forget",
        /// Closes the calibration.
        End = "end",
        /// Changes nothing, and is answered.
        Show = "show",
    }
}

/// Asks for something. Each request gets one answer with its `id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalibrationRequest {
    /// Comes back in the answer.
    pub id: u32,
    pub action: CalibrationAction,
    /// With [`CalibrationAction::Set`].
    #[serde(
        default,
        deserialize_with = "strict::maybe_object",
        skip_serializing_if = "Option::is_none"
    )]
    pub values: Option<Calibration>,
}

words! {
    RefusalCode {
        /// Somebody else drives or calibrates the car.
        Busy = "busy",
        /// The car is armed, jogs, or has not come to rest.
        Moving = "moving",
        /// The calibration is not open for this session.
        NotOpen = "not-open",
        /// A value breaks a rule; `key` names it.
        Illegal = "illegal",
        /// The action is not known.
        UnknownAction = "unknown-action",
    }
}

/// Why a request changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub code: RefusalCode,
    /// The option that is wrong, such as `steering.trim`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Note>,
    /// For people.
    pub text: Note,
}

/// How the car is calibrated: the answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalibrationState {
    /// Of the request.
    pub id: u32,
    /// The calibration is open for the session that asks.
    pub open: bool,
    /// The values in use.
    #[serde(deserialize_with = "strict::object")]
    pub values: Calibration,
    /// They were set on the car, and stand over its configuration.
    pub own: bool,
    /// What is wrong with the file in which they are kept, or why it cannot be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Note>,
    /// The request was refused; `None`: it was carried out.
    #[serde(
        default,
        deserialize_with = "strict::maybe_object",
        skip_serializing_if = "Option::is_none"
    )]
    pub refused: Option<Refusal>,
}

/// From `rccar-car` to `rccar-drive`, beside set-points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum ToDrive {
    Calibrate {
        /// Of the driver who asks.
        session: SessionId,
        #[serde(deserialize_with = "strict::object")]
        request: CalibrationRequest,
    },
}

/// From `rccar-drive` to the sender of a [`ToDrive`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum FromDrive {
    Calibration {
        /// Of the request.
        session: SessionId,
        #[serde(deserialize_with = "strict::object")]
        state: CalibrationState,
    },
}

/// Whether a datagram between car and drive is a message of this module. Judges by its first byte.
#[must_use]
pub fn is_message(datagram: &[u8]) -> bool {
    datagram.first() == Some(&b'{')
}
