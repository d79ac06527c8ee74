//! Turns the stack's callbacks into [`PeerEvent`]s.

use crate::candidates;
use crate::peer::{PeerEvent, PeerState};
use rccar_causes::causes;
use rccar_protocol::signaling::Candidate;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::{mpsc, watch};
use webrtc::data_channel::DataChannel;
use webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceGatheringState, RTCPeerConnectionIceErrorEvent,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState,
};

pub(crate) struct Observer {
    pub(crate) events: mpsc::UnboundedSender<PeerEvent>,
    /// Generation of the offer that is being gathered for. Set before gathering starts.
    pub(crate) generation: Arc<AtomicU32>,
    /// Whether the candidates of the present generation are complete.
    pub(crate) gathered: Arc<watch::Sender<bool>>,
}

impl Observer {
    fn emit(&self, event: PeerEvent) {
        // When a session ends, the receiver is dropped first; later events concern nobody.
        let _ = self.events.send(event);
    }

    fn emit_candidate(&self, candidate: Candidate) {
        self.emit(PeerEvent::Candidate {
            generation: self.generation.load(Ordering::Acquire),
            candidate,
        });
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Observer {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let candidate = match event.candidate.to_json() {
            Ok(init) => Candidate::new(
                init.candidate,
                init.sdp_mid.filter(|mid| !mid.is_empty()),
                init.sdp_mline_index.or(Some(0)),
            ),
            Err(error) => {
                tracing::warn!(error = %causes(&error), "a local candidate cannot be written");
                return;
            }
        };
        match candidate {
            Ok(candidate) if candidates::lead_nowhere(candidate.line()) => {
                tracing::debug!(line = candidate.line(), "a local candidate is no address");
            }
            Ok(candidate) => {
                tracing::debug!(candidate = candidate.line(), "local candidate");
                self.emit_candidate(candidate);
            }
            Err(error) => {
                tracing::warn!(
                    error = %causes(&error),
                    "a local candidate breaks the protocol's limits"
                )
            }
        }
    }

    async fn on_ice_candidate_error(&self, event: RTCPeerConnectionIceErrorEvent) {
        tracing::debug!(
            url = %event.url,
            code = event.error_code,
            text = %event.error_text,
            "an ICE server gave no candidate"
        );
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        let complete = state == RTCIceGatheringState::Complete;
        self.gathered.send_replace(complete);
        // An empty line is the end of candidates.
        if complete && let Ok(end) = Candidate::new(String::new(), None, Some(0)) {
            self.emit_candidate(end);
        }
    }

    async fn on_data_channel(&self, _channel: Arc<dyn DataChannel>) {
        self.emit(PeerEvent::ForeignChannel);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let state = match state {
            RTCPeerConnectionState::Connected => PeerState::Connected,
            RTCPeerConnectionState::Disconnected => PeerState::Disconnected,
            RTCPeerConnectionState::Failed => PeerState::Failed,
            RTCPeerConnectionState::Closed => PeerState::Closed,
            _ => PeerState::Connecting,
        };
        self.emit(PeerEvent::State(state));
    }
}
