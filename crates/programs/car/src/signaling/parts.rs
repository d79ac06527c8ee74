//! What the connection to the host is made of, and why it ends.

use crate::config::HostConfig;
use crate::dial::DialError;
use crate::identity::Identity;
use crate::messages::Pulse;
use crate::uplinks::UplinksHandle;
use rccar_car_core::registration::{End, STEP_WITHIN, Standing};
use rccar_protocol::close::{Advice, CloseCode};
use rccar_protocol::signaling::ErrorCode;
use rccar_protocol::text::{Name, Note, Software};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("{0}")]
    Socket(#[from] tungstenite::Error),
    /// Who answers in the host's place, in words.
    #[error("{0}")]
    Answer(String),
    #[error("no answer within {STEP_WITHIN:?} while {0}")]
    Slow(&'static str),
    #[error("the host closed the connection{}", .0.as_ref().map_or_else(String::new, |(code, reason)| format!(" ({code}): {reason}")))]
    Closed(Option<(u16, String)>),
    #[error("the host refused ({code:?}): {text}")]
    Refused { code: ErrorCode, text: Note },
    #[error("the host does not speak this protocol: {0}")]
    Protocol(String),
    #[error("the address cannot be dialled: {0}")]
    Address(String),
    #[error("{0}")]
    Dial(#[from] DialError),
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl From<Ended> for End {
    fn from(ended: Ended) -> Self {
        let text = ended.to_string();
        match ended {
            Ended::Refused { .. } => Self::Refused(text),
            Ended::Closed(Some((code, _))) => match CloseCode::from_code(code)
                .map(|code| (code, code.advice()))
            {
                None | Some((_, Advice::ComeBack)) => Self::Failed(text),
                Some((CloseCode::Forbidden, _)) => Self::Forbidden(text),
                Some((_, Advice::ComeBackAfter(_) | Advice::ComeBackSlowly | Advice::StayAway)) => {
                    Self::Refused(text)
                }
            },
            _ => Self::Failed(text),
        }
    }
}

/// Who registers.
pub(crate) struct Registrant {
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
    /// The address to which a redirect sends the car.
    pub(crate) redirected: watch::Sender<Option<String>>,
    /// Whether the host answers.
    pub(crate) pulse: Pulse,
}

/// What decides when and over which uplink the host is dialled.
#[derive(Clone)]
pub(crate) struct Ways {
    pub(crate) uplinks: UplinksHandle,
    /// Somebody drives, or is about to.
    pub(crate) urgent: watch::Receiver<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_would_say_the_same_again_is_not_one_that_broke_off() {
        let closed = |code| End::from(Ended::Closed(Some((code, String::new()))));
        assert!(matches!(closed(4403), End::Forbidden(_)));
        assert!(
            [4400, 4401, 4409, 4429]
                .into_iter()
                .all(|code| matches!(closed(code), End::Refused(_)))
        );
        assert!(
            [1000, 1001, 4408, 4413].into_iter().all(|code| matches!(closed(code), End::Failed(_)))
        );
        assert!(matches!(End::from(Ended::Closed(None)), End::Failed(_)));
    }
}
