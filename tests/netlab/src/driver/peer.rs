//! The driver's end of the peer connection.

use super::Shared;
use super::picture::Decodable;
use super::record::Pair;
use super::servers::usable;
use bytes::BytesMut;
use rccar_protocol::events::{CarEvent, DriverEvent, Frames};
use rccar_protocol::signaling::{Candidate, IceServer, Json, parse};
use rccar_protocol::telemetry::TelemetryFrame;
use rccar_protocol::text::{Sdp, Software};
use rccar_protocol::{Layout, PROTOCOL_VERSION};
use rccar_tunnel::Tunnel;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::interceptor_registry::{
    Registry, register_default_interceptors,
};
use rtc::peer_connection::configuration::media_engine::MediaEngine;
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::{RTCIceCandidateInit, RTCIceServer};
use rtc::rtp_transceiver::rtp_sender::{RTCRtpHeaderExtensionCapability, RtpCodecKind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, mpsc};
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState,
};

/// The header extension that the car sends (PROTOCOL.md, "Media").
const PLAYOUT_DELAY_URI: &str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";

pub(super) struct Peer {
    connection: Arc<dyn PeerConnection>,
    control: Arc<StdMutex<Option<Arc<dyn DataChannel>>>>,
    /// Layout in which the car reads control frames.
    layout: Arc<StdMutex<Layout>>,
    candidates: Mutex<mpsc::UnboundedReceiver<(u32, Candidate)>>,
    /// Generation of the newest offer that was answered.
    generation: Arc<AtomicU32>,
    /// The car's candidates that came before their offer, with its generation.
    early: Mutex<Vec<(u32, Candidate)>>,
    _tunnel: Option<Tunnel>,
}

struct Handler {
    shared: Weak<Shared>,
    control: Arc<StdMutex<Option<Arc<dyn DataChannel>>>>,
    layout: Arc<StdMutex<Layout>>,
    candidates: mpsc::UnboundedSender<(u32, Candidate)>,
    generation: Arc<AtomicU32>,
}

#[allow(clippy::expect_used, reason = "this is what a failed test is")]
impl Peer {
    pub(super) async fn open(servers: Vec<IceServer>, shared: &Arc<Shared>) -> Self {
        let (servers, tunnel) = usable(servers).await;
        let mut engine = MediaEngine::default();
        engine.register_default_codecs().expect("codecs");
        // The car sends no video to an end without this extension.
        let playout_delay = RTCRtpHeaderExtensionCapability { uri: PLAYOUT_DELAY_URI.into() };
        engine
            .register_header_extension(playout_delay, RtpCodecKind::Video, None)
            .expect("a header extension");
        let registry =
            register_default_interceptors(Registry::new(), &mut engine).expect("interceptors");
        let settings = SettingEngineBuilder::new()
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_discard_local_candidates_during_ice_restart(true)
            .with_ice_connection_attempts(Some(Duration::from_millis(50)), Some(40))
            .with_ice_timeouts(
                Some(Duration::from_secs(2)),
                Some(Duration::from_secs(60)),
                Some(Duration::from_millis(500)),
            )
            .build();
        let servers = servers.iter().map(|server| RTCIceServer {
            urls: server.urls.clone(),
            username: server.username.clone().unwrap_or_default(),
            credential: server.credential.clone().unwrap_or_default(),
        });
        let (sender, candidates) = mpsc::unbounded_channel();
        let control = Arc::default();
        let layout = Arc::default();
        let generation = Arc::default();
        let handler = Handler {
            shared: Arc::downgrade(shared),
            control: Arc::clone(&control),
            layout: Arc::clone(&layout),
            candidates: sender,
            generation: Arc::clone(&generation),
        };
        let building = PeerConnectionBuilder::new()
            .with_configuration(
                RTCConfigurationBuilder::new().with_ice_servers(servers.collect()).build(),
            )
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .with_setting_engine(settings)
            .with_handler(Arc::new(handler))
            .with_udp_addrs(vec!["0.0.0.0:0", "[::]:0"])
            .build();
        let connection: Arc<dyn PeerConnection> =
            Arc::new(Box::pin(building).await.expect("a peer connection"));
        let (candidates, early) = (Mutex::new(candidates), Mutex::default());
        Self { connection, control, layout, candidates, generation, early, _tunnel: tunnel }
    }

    pub(super) async fn answer(&self, generation: u32, offer: &str) -> Sdp {
        self.generation.store(generation, Ordering::Release);
        let offer = RTCSessionDescription::offer(offer.to_owned()).expect("an offer");
        self.connection
            .set_remote_description(offer)
            .await
            .expect("the driver takes the car's offer");
        let answer = self.connection.create_answer(None).await.expect("an answer");
        self.connection.set_local_description(answer.clone()).await.expect("the driver's answer");
        // Those of a still later offer go back into `early`.
        for (generation, candidate) in std::mem::take(&mut *self.early.lock().await) {
            self.add_candidate(generation, &candidate).await;
        }
        Sdp::new(answer.sdp).expect("a legal description")
    }

    pub(super) async fn add_candidate(&self, generation: u32, candidate: &Candidate) {
        let present = self.generation.load(Ordering::Acquire);
        if generation > present {
            self.early.lock().await.push((generation, candidate.clone()));
        } else if generation == present && !candidate.line().is_empty() {
            let init = RTCIceCandidateInit {
                candidate: candidate.line().to_owned(),
                sdp_mline_index: candidate.sdp_m_line_index(),
                ..Default::default()
            };
            if let Err(error) = self.connection.add_ice_candidate(init).await {
                eprintln!("driver: a candidate of the car's cannot be used: {error}");
            }
        }
    }

    /// The next candidate of this end. Does not resolve if no more come.
    pub(super) async fn next_candidate(&self) -> (u32, Candidate) {
        match self.candidates.lock().await.recv().await {
            Some(next) => next,
            None => std::future::pending().await,
        }
    }

    pub(super) fn layout(&self) -> Layout {
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn send_control(&self, frame: &[u8]) {
        let channel = self.control.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(channel) = channel {
            // The channel is lossy: a frame may be lost.
            let _ = channel.send(BytesMut::from(frame)).await;
        }
    }

    pub(super) async fn pair(&self) -> Option<Pair> {
        let ice = self.connection.sctp().await?.transport().ice_transport();
        let pair = ice.get_selected_candidate_pair().await.ok()??;
        Some(Pair { local: pair.local().typ, remote: pair.remote().typ })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let connection = Arc::clone(&self.connection);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { connection.close().await });
        }
    }
}

#[allow(clippy::expect_used, reason = "this is what a failed test is")]
fn hello() -> String {
    let software = Software::new("rccar-netlab").expect("a legal name");
    DriverEvent::Hello {
        v: PROTOCOL_VERSION,
        software,
        frames: Some(Frames::ours()),
        calibration: Vec::new(),
    }
    .to_json()
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let Ok(init) = event.candidate.to_json() else { return };
        if let Ok(candidate) = Candidate::new(init.candidate, None, Some(0)) {
            let _ = self.candidates.send((self.generation.load(Ordering::Acquire), candidate));
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete
            && let Ok(end) = Candidate::new(String::new(), None, Some(0))
        {
            let _ = self.candidates.send((self.generation.load(Ordering::Acquire), end));
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        eprintln!("driver: {state}");
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let shared = self.shared.clone();
        let control = channel.label().await.is_ok_and(|label| label == "control");
        if control {
            *self.control.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(Arc::clone(&channel));
        }
        let layout = Arc::clone(&self.layout);
        tokio::spawn(async move {
            while let Some(event) = channel.poll().await {
                if !control && matches!(event, DataChannelEvent::OnOpen) {
                    let _ = channel.send_text(&hello()).await;
                }
                let DataChannelEvent::OnMessage(message) = event else { continue };
                let Some(shared) = shared.upgrade() else { return };
                if control && let Ok(frame) = TelemetryFrame::decode(&message.data) {
                    shared.record().note_telemetry(frame);
                }
                if !control
                    && let Ok(CarEvent::Hello { frames, .. }) =
                        parse(&String::from_utf8_lossy(&message.data))
                {
                    *layout.lock().unwrap_or_else(PoisonError::into_inner) =
                        Layout::newest_in(&frames.unwrap_or_default().control);
                }
            }
        });
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let shared = self.shared.clone();
        tokio::spawn(async move {
            let mut picture = Decodable::default();
            while let Some(event) = track.poll().await {
                let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
                let Some(shared) = shared.upgrade() else { return };
                let decodable = picture.note(packet.header.sequence_number, &packet.payload);
                if packet.header.marker && decodable {
                    shared.record().frames.note(Instant::now());
                }
            }
        });
    }
}
