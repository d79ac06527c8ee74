//! Errors of the link.

/// Why a call to the link failed.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The WebRTC stack refused.
    #[error("{doing}: {why}")]
    Stack {
        /// What was being done.
        doing: &'static str,
        /// The stack's words, shortened.
        why: String,
    },
    /// The description that the stack wrote breaks a limit of the protocol.
    #[error("the stack wrote an illegal description: {0}")]
    Description(#[from] rccar_protocol::text::TextError),
    /// Candidates were not complete in time.
    #[error("gathering candidates took longer than {0:?}")]
    GatheringTimeout(std::time::Duration),
    /// An answer came although no offer awaits one.
    #[error("no offer awaits an answer")]
    Unasked,
    /// The driver sent more candidates than one offer may have.
    #[error("more than {0} candidates for one offer")]
    TooManyCandidates(usize),
    /// The message belongs to an older or newer offer.
    #[error("belongs to offer {got}, the current one is {current}")]
    Generation {
        /// Generation named by the message.
        got: u32,
        /// Generation of the newest offer.
        current: u32,
    },
}

/// Longest text kept of the stack's errors: a failed send prints the whole packet.
const MAX_WORDS: usize = 160;

/// Turns an error of the stack into a [`LinkError`].
pub(crate) fn stack<E: std::fmt::Display>(doing: &'static str) -> impl Fn(E) -> LinkError {
    move |error| LinkError::Stack {
        doing,
        why: error.to_string().chars().take(MAX_WORDS).collect(),
    }
}
