//! Settings of the WebRTC stack, each with the reason for its value.
//!
//! | setting | value | why |
//! |---|---|---|
//! | crypto | the stack's, with a judge of certificates | the stack knows fingerprints by sha-256 only |
//! | mDNS | off | its multicast socket fails without a route and then takes the connection's driver down |
//! | answering DTLS role | server | a browser that answered actively once cannot change its role later |
//! | sockets at ICE restart | bound again | follows the interfaces that exist now |
//! | acceptance waits | 0, relay 300 ms | the default waits up to 2 s; a direct path is found by then, and pairs are not changed later |
//! | checks | every 20 ms, 100 times | a check and a nomination each wait for their turn; gives up after as long as the default |
//! | disconnected, failed | 2 s, 60 s | a drive through a tunnel is not a failure; the session's owner decides earlier |
//! | keep-alive | 0.2 s | its answers show whether a path lives, whatever else is sent |

use crate::keyframe::KeyframeTap;
use crate::retransmission::Retransmission;
use crate::send_path::{Recorder, SendPath};
use crate::sockets::Binding;
use crate::{PeerError, error::stack};
pub use rccar_congestion::Limits;
use rccar_protocol::VIDEO_CLOCK_HZ;
use rccar_protocol::signaling::IceServer;
use rccar_protocol::units::MonotonicMicros;
use rccar_protocol::video::Level;
use rtc::crypto::RTCCryptoProvider;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::configuration::interceptor_registry::{
    Registry, Slot, configure_rtcp_reports, configure_simulcast_extension_headers,
};
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_H264, MIME_TYPE_RTX, MediaEngine,
};
use rtc::peer_connection::configuration::setting_engine::{SettingEngine, SettingEngineBuilder};
use rtc::peer_connection::configuration::{RTCConfiguration, RTCConfigurationBuilder};
use rtc::peer_connection::transport::{RTCDtlsRole, RTCIceServer};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::sdp::extmap::TRANSPORT_CC_URI;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// URI of the playout-delay header extension (WebRTC project, `rtp-hdrext/playout-delay`).
pub(crate) const PLAYOUT_DELAY_URI: &str =
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";

const H264_PAYLOAD_TYPE: u8 = 102;
const RTX_PAYLOAD_TYPE: u8 = 103;

#[derive(Debug, Clone)]
pub struct PeerOptions {
    /// STUN and TURN servers, by IP address: a name would be resolved inside the media loop.
    pub ice_servers: Vec<IceServer>,
    /// Offer loopback addresses, too (driver on the same machine).
    pub loopback: bool,
    /// Read at the start and at each ICE restart.
    pub binding: watch::Receiver<Binding>,
    /// The level of H.264 that the driver's decoder must support.
    pub level: Level,
    /// The car's monotonic clock.
    pub clock: fn() -> MonotonicMicros,
    /// Between which rates the picture is sent.
    pub limits: Limits,
    /// Writes down what congestion control is told and answers.
    pub recorder: Option<Recorder>,
}

pub(crate) fn configuration(servers: &[IceServer]) -> RTCConfiguration {
    let servers = servers
        .iter()
        .map(|server| RTCIceServer {
            urls: server.urls.clone(),
            username: server.username.clone().unwrap_or_default(),
            credential: server.credential.clone().unwrap_or_default(),
        })
        .collect();
    RTCConfigurationBuilder::new().with_ice_servers(servers).build()
}

pub(crate) fn setting_engine(loopback: bool, crypto: Arc<dyn RTCCryptoProvider>) -> SettingEngine {
    SettingEngineBuilder::new()
        .with_crypto_provider(crypto)
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_answering_dtls_role(RTCDtlsRole::Server)
        .with_discard_local_candidates_during_ice_restart(true)
        .with_include_loopback_candidate(loopback)
        .with_host_acceptance_min_wait(Some(Duration::ZERO))
        .with_srflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_relay_acceptance_min_wait(Some(Duration::from_millis(300)))
        .with_ice_connection_attempts(Some(Duration::from_millis(20)), Some(100))
        .with_ice_timeouts(
            Some(Duration::from_secs(2)),
            Some(Duration::from_secs(60)),
            Some(Duration::from_millis(200)),
        )
        .build()
}

/// Constrained baseline, the profile that every browser decodes (RFC 6184 section 8.1). The
/// driver's answer may have another level; the car's counts, because only the car sends.
pub(crate) fn h264(level: Level) -> RTCRtpCodec {
    let feedback =
        |typ: &str, parameter: &str| RTCPFeedback { typ: typ.into(), parameter: parameter.into() };
    RTCRtpCodec {
        mime_type: MIME_TYPE_H264.to_owned(),
        clock_rate: VIDEO_CLOCK_HZ,
        channels: 0,
        sdp_fmtp_line: format!(
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={}",
            level.profile_level_id()
        ),
        rtcp_feedback: vec![
            feedback("ccm", "fir"),
            feedback("nack", ""),
            feedback("nack", "pli"),
            feedback("transport-cc", ""),
        ],
    }
}

/// Codecs, header extensions and interceptors of the video.
pub(crate) fn media(
    codec: RTCRtpCodec,
    tap: KeyframeTap,
    retransmission: Retransmission,
    send_path: SendPath,
) -> Result<(MediaEngine, Registry), PeerError> {
    let refused = stack("setting up the media engine");
    let mut engine = MediaEngine::default();
    engine
        .register_codec(
            RTCRtpCodecParameters { rtp_codec: codec, payload_type: H264_PAYLOAD_TYPE },
            RtpCodecKind::Video,
        )
        .map_err(&refused)?;
    let rtx = RTCRtpCodec {
        mime_type: MIME_TYPE_RTX.to_owned(),
        clock_rate: VIDEO_CLOCK_HZ,
        channels: 0,
        sdp_fmtp_line: format!("apt={H264_PAYLOAD_TYPE}"),
        rtcp_feedback: vec![],
    };
    engine
        .register_codec(
            RTCRtpCodecParameters { rtp_codec: rtx, payload_type: RTX_PAYLOAD_TYPE },
            RtpCodecKind::Video,
        )
        .map_err(&refused)?;
    let playout_delay = RTCRtpHeaderExtensionCapability { uri: PLAYOUT_DELAY_URI.into() };
    engine.register_header_extension(playout_delay, RtpCodecKind::Video, None).map_err(&refused)?;
    let transport_cc = RTCRtpHeaderExtensionCapability { uri: TRANSPORT_CC_URI.into() };
    engine.register_header_extension(transport_cc, RtpCodecKind::Video, None).map_err(&refused)?;
    // Of the stack's usual interceptors only the reports: the car receives no media, numbers its
    // packets and answers requests for lost ones in its own way.
    configure_simulcast_extension_headers(&mut engine).map_err(&refused)?;
    let registry = configure_rtcp_reports(Registry::new())
        .with(Slot::NackResponder, retransmission)
        // Nearest to the wire: everything that leaves is counted.
        .with(Slot::Pacer, send_path);
    // Nearest to the application: sees RTCP after every other interceptor has had it.
    let registry = registry.with(Slot::from(60_000), tap);
    Ok((engine, registry))
}
