//! Packs access units into RTP (RFC 6184) and sends them.

use crate::retransmission::{Mending, Meter, Traffic};
use crate::send_path::Flow;
use crate::settings::PLAYOUT_DELAY_URI;
use crate::{PeerError, error::stack};
use bytes::Bytes;
use rccar_protocol::units::MonotonicMicros;
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp::codec::h264::H264Payloader;
use rtc::rtp::extension::{HeaderExtension, playout_delay_extension::PlayoutDelayExtension};
use rtc::rtp::packetizer::Payloader;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use std::sync::Arc;
use tokio::sync::{Mutex, Notify};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::PeerConnection;
use webrtc::rtp_transceiver::RtpTransceiver;

/// Payload of one RTP packet: with all headers, SRTP, TURN and IPv6 it stays within 1280 bytes, the
/// least MTU of IPv6 (RFC 8200).
pub(crate) const MAX_PAYLOAD: usize = 1120;

/// Sends access units on the session's track.
pub struct VideoSender {
    track: Arc<TrackLocalStaticRTP>,
    transceiver: Arc<dyn RtpTransceiver>,
    session: Session,
    packetizer: Mutex<Packetizer>,
}

/// What the interceptors and the sender of a session share.
pub(crate) struct Session {
    pub(crate) keyframe_requested: Arc<Notify>,
    pub(crate) mending: Arc<Mending>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) flow: Arc<Flow>,
}

struct Packetizer {
    payloader: H264Payloader,
    next_seq: u16,
    ssrc: u32,
    /// `None` before the first frame: it is known only once the driver has answered.
    negotiated: Option<Negotiated>,
}

/// What the driver's answer has taken of the offer.
#[derive(Clone, Copy)]
struct Negotiated {
    payload_type: u8,
    /// Not every browser knows the extension. A packet that has one that was not taken is refused
    /// (RFC 8285 section 5).
    playout_delay: bool,
}

impl VideoSender {
    pub(crate) async fn add_to(
        connection: &dyn PeerConnection,
        codec: RTCRtpCodec,
        ssrc: u32,
        session: Session,
    ) -> Result<Self, PeerError> {
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..Default::default()
            },
            codec,
            ..Default::default()
        };
        let track = MediaStreamTrack::new(
            "car".into(),
            "camera".into(),
            "camera".into(),
            RtpCodecKind::Video,
            vec![encoding],
        );
        let track = Arc::new(TrackLocalStaticRTP::new(track));
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Sendonly,
            streams: vec!["car".into()],
            send_encodings: vec![],
        };
        let transceiver = connection
            .add_transceiver_from_track(Arc::clone(&track) as Arc<dyn TrackLocal>, Some(init))
            .await
            .map_err(stack("adding the video track"))?;
        // Random per session, as RFC 3550 section 5.1 wants it; the SSRC is random already.
        #[expect(clippy::cast_possible_truncation, reason = "any 16 bits do")]
        let next_seq = ssrc as u16;
        let packetizer =
            Packetizer { payloader: H264Payloader::default(), next_seq, ssrc, negotiated: None };
        Ok(Self { track, transceiver, session, packetizer: Mutex::new(packetizer) })
    }

    /// Resolves when the driver's browser asks for a keyframe, or misses a packet that is not sent
    /// once more.
    pub async fn keyframe_requested(&self) {
        tokio::select! {
            () = self.session.keyframe_requested.notified() => {}
            () = self.session.mending.due() => {}
        }
    }

    /// Sends one access unit (Annex B), captured at `captured_at`. While the picture is broken,
    /// only a keyframe is sent: other frames could not be shown, and would take the room of the
    /// keyframe that mends the picture.
    ///
    /// Every packet carries the playout-delay extension 0/0, if the browser takes it: without it
    /// the browser holds frames back for about 30 ms.
    pub async fn send(
        &self,
        access_unit: Bytes,
        captured_at: MonotonicMicros,
        keyframe: bool,
    ) -> Result<(), PeerError> {
        self.session.meter.note_encoded(access_unit.len());
        if keyframe {
            self.session.mending.handle_keyframe();
        } else if self.session.mending.is_broken() {
            self.session.meter.note_withheld();
            return Ok(());
        }
        let mut packetizer = self.packetizer.lock().await;
        let negotiated = match packetizer.negotiated {
            Some(known) => known,
            None => *packetizer.negotiated.insert(self.negotiated().await?),
        };
        let payloads = packetizer
            .payloader
            .payload(MAX_PAYLOAD, &access_unit)
            .map_err(stack("packing a frame"))?;
        let last = payloads.len().saturating_sub(1);
        let delay = [HeaderExtension::PlayoutDelay(PlayoutDelayExtension::new(0, 0))];
        let extensions: &[_] = if negotiated.playout_delay { &delay } else { &[] };
        for (index, payload) in payloads.into_iter().enumerate() {
            let header = rtc::rtp::header::Header {
                version: 2,
                // Ends the access unit (RFC 6184 section 5.1).
                marker: index == last,
                payload_type: negotiated.payload_type,
                sequence_number: packetizer.next_seq,
                timestamp: captured_at.rtp(),
                ssrc: packetizer.ssrc,
                ..Default::default()
            };
            packetizer.next_seq = packetizer.next_seq.wrapping_add(1);
            let packet = rtc::rtp::Packet { header, payload };
            self.track
                .write_rtp_with_extensions(packet, extensions)
                .await
                .map_err(stack("sending video"))?;
        }
        Ok(())
    }

    /// What the link has room for. The encoder asks it before each frame.
    #[must_use]
    pub fn flow(&self) -> Arc<Flow> {
        Arc::clone(&self.session.flow)
    }

    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.session.meter.read()
    }

    async fn negotiated(&self) -> Result<Negotiated, PeerError> {
        let refused =
            || PeerError::Stack { doing: "sending video", why: "H.264 was not negotiated".into() };
        let sender = self
            .transceiver
            .sender()
            .await
            .map_err(stack("reading the video sender"))?
            .ok_or_else(refused)?;
        let parameters =
            sender.get_parameters().await.map_err(stack("reading the negotiated codecs"))?;
        let taken = parameters.rtp_parameters;
        let playout_delay =
            taken.header_extensions.iter().any(|extension| extension.uri == PLAYOUT_DELAY_URI);
        let codec = taken
            .codecs
            .iter()
            .find(|codec| codec.rtp_codec.mime_type.eq_ignore_ascii_case("video/h264"));
        codec
            .map(|codec| Negotiated { payload_type: codec.payload_type, playout_delay })
            .ok_or_else(refused)
    }
}
