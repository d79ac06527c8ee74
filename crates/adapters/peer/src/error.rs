//! What can go wrong with the peer connection.

#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The WebRTC stack refused.
    #[error("{doing}: {why}")]
    Stack {
        doing: &'static str,
        /// The stack's words, at most 160 characters.
        why: String,
    },
    #[error("the stack wrote an illegal description: {0}")]
    Description(#[from] rccar_protocol::text::TextError),
    /// The answer does not say which certificate is the driver's.
    #[error(transparent)]
    Fingerprint(#[from] crate::FingerprintError),
    /// After this time there is still no local description to offer.
    #[error("gathering candidates took longer than {0:?}")]
    GatheringTimeout(std::time::Duration),
    /// An answer came although no offer awaits one.
    #[error("no offer awaits an answer")]
    Unasked,
    #[error("more than {0} candidates for one offer")]
    TooManyCandidates(usize),
    /// The message belongs to an older or newer offer.
    #[error("belongs to offer {got}, the current one is {current}")]
    Generation { got: u32, current: u32 },
}

/// Characters kept of the stack's errors: a failed send prints the whole packet.
const MAX_WORDS: usize = 160;

pub(crate) fn stack<E: std::fmt::Display>(doing: &'static str) -> impl Fn(E) -> PeerError {
    move |error| PeerError::Stack {
        doing,
        why: error.to_string().chars().take(MAX_WORDS).collect(),
    }
}
