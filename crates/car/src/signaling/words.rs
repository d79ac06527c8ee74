//! What the connection to the host is made of, and why it ends.

use super::{SILENCE, STEP_WITHIN};
use crate::config::HostConfig;
use crate::dial::DialError;
use crate::identity::Identity;
use crate::messages::Pulse;
use crate::standing::Standing;
use crate::uplinks::UplinksHandle;
use rccar_protocol::signaling::ErrorCode;
use rccar_protocol::text::{Name, Note, Software};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("{0}")]
    Socket(#[from] tungstenite::Error),
    #[error("no answer within {STEP_WITHIN:?} while {0}")]
    Slow(&'static str),
    #[error("silent for {SILENCE:?}")]
    Silent,
    #[error("the host closed the connection{}", .0.as_ref().map_or_else(String::new, |(code, reason)| format!(" ({code}): {reason}")))]
    Closed(Option<(u16, String)>),
    #[error("the agent has ended")]
    NoAgent,
    #[error("the host refused ({code:?}): {text}")]
    Refused { code: ErrorCode, text: Note },
    #[error("the host does not speak this protocol: {0}")]
    Protocol(String),
    #[error("the address cannot be dialled: {0}")]
    Address(String),
    #[error("{0}")]
    Dial(#[from] DialError),
    #[error("another uplink is used")]
    Moved,
    #[error("neither host nor driver answer")]
    Suspected,
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl Ended {
    /// Whether the host would say the same again: not enrolled, revoked, another car with the same key, another version.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Closed(Some((4400 | 4401 | 4403 | 4409 | 4429, _))))
    }

    /// Whether the car lost the right, or never had it.
    pub(super) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Closed(Some((4403, _))))
    }
}

/// What registering needs.
pub(crate) struct Registration {
    pub(crate) identity: Identity,
    pub(crate) name: Name,
    pub(crate) software: Software,
    pub(crate) host: HostConfig,
}

/// What others see of the connection.
pub(crate) struct Signs {
    /// Registered: a driver can reach the car.
    pub(crate) up: watch::Sender<bool>,
    /// More exactly.
    pub(crate) standing: watch::Sender<Standing>,
    /// Whether the host answers.
    pub(crate) pulse: Pulse,
    /// The host has registered this car before, since the program started.
    pub(crate) known: AtomicBool,
}

impl Signs {
    pub(super) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    pub(super) fn set_known(&self, known: bool) {
        self.known.store(known, Ordering::Relaxed);
    }

    /// Says so only if it is news: sessions begin to talk when the host is up.
    pub(super) fn set_up(&self, up: bool) {
        self.up.send_if_modified(|present| std::mem::replace(present, up) != up);
    }
}

/// What decides when and over which uplink the host is dialled.
#[derive(Clone)]
pub(crate) struct Ways {
    pub(crate) uplinks: UplinksHandle,
    /// Somebody drives, or is about to.
    pub(crate) urgent: watch::Receiver<bool>,
}
