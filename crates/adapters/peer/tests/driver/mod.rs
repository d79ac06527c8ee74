//! A driver's end of a session.

use bytes::BytesMut;
use rccar_protocol::signaling::Candidate;
use rccar_protocol::text::Sdp;
use rtc::dtls::crypto::Certificate;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::certificate::RTCCertificate;
use rtc::peer_connection::configuration::media_engine::MediaEngine;
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::configuration::{RTCConfiguration, RTCConfigurationBuilder};
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
    RTCPeerConnectionIceEvent,
};

const PATIENCE: Duration = Duration::from_secs(20);

struct Handler {
    channels: mpsc::UnboundedSender<Arc<dyn DataChannel>>,
    candidates: mpsc::UnboundedSender<Option<Candidate>>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let _ = self.channels.send(channel);
    }

    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let init = event.candidate.to_json().unwrap();
        let _ = self.candidates.send(Some(Candidate::new(init.candidate, None, Some(0)).unwrap()));
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.candidates.send(None);
        }
    }
}

pub(crate) struct Driver {
    connection: Arc<dyn PeerConnection>,
    channels: Mutex<mpsc::UnboundedReceiver<Arc<dyn DataChannel>>>,
    candidates: Mutex<mpsc::UnboundedReceiver<Option<Candidate>>>,
}

pub(crate) struct Channel(Arc<dyn DataChannel>);

impl Driver {
    pub(crate) async fn open() -> Self {
        Self::open_with(RTCConfigurationBuilder::new().build()).await
    }

    /// A driver with a certificate that is known, in DER.
    pub(crate) async fn with_certificate() -> (Self, Vec<u8>) {
        let provider = rtc::crypto::default_provider().unwrap();
        let certificate =
            Certificate::generate_self_signed(["driver".to_owned()], provider.crypto()).unwrap();
        let der = certificate.certificate[0].to_vec();
        let expires = SystemTime::now() + Duration::from_secs(3_600);
        let certificates = vec![RTCCertificate::from_existing(certificate, expires)];
        let configuration = RTCConfigurationBuilder::new().with_certificates(certificates).build();
        (Self::open_with(configuration).await, der)
    }

    async fn open_with(configuration: RTCConfiguration) -> Self {
        let (channels_tx, channels) = mpsc::unbounded_channel();
        let (candidates_tx, candidates) = mpsc::unbounded_channel();
        let mut engine = MediaEngine::default();
        engine.register_default_codecs().unwrap();
        let settings = SettingEngineBuilder::new()
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_include_loopback_candidate(true)
            .with_discard_local_candidates_during_ice_restart(true)
            .build();
        let building = PeerConnectionBuilder::new()
            .with_configuration(configuration)
            .with_media_engine(engine)
            .with_setting_engine(settings)
            .with_handler(Arc::new(Handler { channels: channels_tx, candidates: candidates_tx }))
            .with_udp_addrs(vec!["127.0.0.1:0"])
            .build();
        let connection: Arc<dyn PeerConnection> = Arc::new(Box::pin(building).await.unwrap());
        Self { connection, channels: Mutex::new(channels), candidates: Mutex::new(candidates) }
    }

    pub(crate) async fn answer(&self, offer: &str) -> Sdp {
        let offer = RTCSessionDescription::offer(offer.to_owned()).unwrap();
        self.connection.set_remote_description(offer).await.unwrap();
        let answer = self.connection.create_answer(None).await.unwrap();
        self.connection.set_local_description(answer.clone()).await.unwrap();
        Sdp::new(answer.sdp).unwrap()
    }

    /// All candidates of this end.
    pub(crate) async fn candidates(&self) -> Vec<Candidate> {
        let mut queue = self.candidates.lock().await;
        let mut all = Vec::new();
        while let Some(candidate) = timeout(PATIENCE, queue.recv()).await.unwrap().unwrap() {
            all.push(candidate);
        }
        all
    }

    pub(crate) fn add_candidate(&self, candidate: &Candidate) {
        let init = RTCIceCandidateInit {
            candidate: candidate.line().to_owned(),
            sdp_mline_index: candidate.sdp_m_line_index(),
            ..Default::default()
        };
        let connection = Arc::clone(&self.connection);
        tokio::spawn(async move { connection.add_ice_candidate(init).await });
    }

    pub(crate) async fn open_channel(&self, label: &str) {
        self.connection.create_data_channel(label, None).await.unwrap();
    }

    /// The car's channel of that name, once it is open.
    pub(crate) async fn channel(&self, label: &str) -> Channel {
        let mut queue = self.channels.lock().await;
        loop {
            let channel =
                timeout(PATIENCE, queue.recv()).await.expect("the channel comes").unwrap();
            if channel.label().await.unwrap() == label {
                return Channel(channel);
            }
        }
    }
}

impl Channel {
    pub(crate) async fn send(&self, bytes: &[u8]) {
        self.0.send(BytesMut::from(bytes)).await.unwrap();
    }

    pub(crate) async fn send_text(&self, text: &str) {
        self.0.send_text(text).await.unwrap();
    }

    pub(crate) async fn close(&self) {
        self.0.close().await.unwrap();
    }

    pub(crate) async fn receive(&self) -> Vec<u8> {
        let next = async {
            loop {
                if let DataChannelEvent::OnMessage(message) =
                    self.0.poll().await.expect("the channel is open")
                {
                    return message.data.to_vec();
                }
            }
        };
        timeout(PATIENCE, next).await.expect("a message comes")
    }
}
