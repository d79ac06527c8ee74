//! The last station of a packet before it is encrypted: it waits for its time, gets its number, and
//! is remembered until the browser has told of it.
//!
//! ```text
//!   video ──────────────┐                                         ┌─► encryption ─► socket
//!                       ├─► pacer ─► transport-wide number ─► sent┤
//!   retransmission ─────┘  (copies first)                         └─► Flow: Controller
//!                                                                         ▲         │
//!   browser's reports (transport-cc) ─────────────────────────────────────┘         ▼
//!                                                          admission and rate of the encoder
//! ```
//!
//! Copies get numbers like everything else: what the report does not know of would be missing in
//! the sum of what is under way.

mod feedback;
mod flow;
mod pacer;
mod recorder;

pub use flow::Flow;
pub use recorder::Recorder;

use crate::retransmission::Mending;
use bytes::Bytes;
use feedback::Feedback;
use pacer::Pacer;
use rccar_causes::causes;
use rccar_congestion::Packet as Leaving;
use rtc::interceptor::{Attribute, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::sansio::Protocol;
use rtc::sdp::extmap::TRANSPORT_CC_URI;
use rtc::shared::error::Error;
use rtc::shared::marshal::MarshalSize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// What comes around an RTP packet on its way: authentication tag of SRTP (RFC 3711), UDP, IPv4.
const AROUND: usize = 10 + 8 + 20;
/// The extension with the number: its own 4 bytes, and the header of all extensions if there is no
/// other (RFC 8285).
const NUMBER: usize = 8;

/// Finds reports and the session's packets among the packets that pass.
pub(crate) struct SendPath {
    flow: Arc<Flow>,
    mending: Arc<Mending>,
    /// Identifier of the extension that holds the transport-wide number, and the streams that get
    /// one; `None` if the browser did not agree to it.
    numbered: Option<Numbered>,
    feedback: Feedback,
    pacer: Pacer,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

#[derive(Debug, Clone, Copy)]
struct Numbered {
    extension: u8,
    video: u32,
    copies: Option<u32>,
}

impl Numbered {
    fn has(&self, ssrc: u32) -> bool {
        ssrc == self.video || self.copies == Some(ssrc)
    }
}

impl SendPath {
    pub(crate) fn new(flow: Arc<Flow>, mending: Arc<Mending>) -> Self {
        Self {
            flow,
            mending,
            numbered: None,
            feedback: Feedback::default(),
            pacer: Pacer::default(),
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        }
    }

    /// Lets go what may leave by now.
    fn release(&mut self, now: Instant) {
        let Some(numbered) = self.numbered else { return };
        while let Some((mut packet, size)) = self.pacer.pop(now, self.flow.pacing()) {
            let copy = packet.message.has(&Attribute::Retransmission);
            let Packet::Rtp(rtp) = &mut packet.message.packet else { continue };
            let frame = (!copy).then_some(rtp.header.timestamp);
            let bytes = u32::try_from(size).unwrap_or(u32::MAX);
            let number = self.flow.handle_sent(now, Leaving { bytes, frame });
            #[expect(clippy::cast_possible_truncation, reason = "its lowest 16 bits")]
            let number = Bytes::copy_from_slice(&(number as u16).to_be_bytes());
            if let Err(error) = rtp.header.set_extension(numbered.extension, number) {
                // Sent all the same: it counts as never reported.
                tracing::debug!(error = %causes(&error), "a packet without its transport-wide number");
            }
            packet.now = now;
            self.outbound.push_back(packet);
        }
        self.flow.handle_waiting(self.pacer.bytes());
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for SendPath {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(reports) = &packet.message.packet {
            for report in reports {
                if let Some(report) = report.as_any().downcast_ref::<TransportLayerCc>() {
                    let verdicts = self.feedback.read(report, self.flow.next_number());
                    self.flow.handle_feedback(packet.now, &verdicts);
                }
            }
        }
        self.inbound.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        let now = packet.now;
        match (&packet.message.packet, self.numbered) {
            (Packet::Rtp(rtp), Some(numbered)) if numbered.has(rtp.header.ssrc) => {
                let size = rtp.marshal_size() + NUMBER + AROUND;
                let copy = packet.message.has(&Attribute::Retransmission);
                if !self.pacer.push(packet, size, copy) {
                    self.mending.handle_broken(now);
                }
                self.release(now);
            }
            _ => self.outbound.push_back(packet),
        }
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        // Other parts of the stack have timers, too.
        if self.pacer.bytes() > 0 {
            self.release(now);
        }
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.pacer.due(self.flow.pacing())
    }
}

impl Interceptor for SendPath {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        let extension = info
            .rtp_header_extensions
            .iter()
            .find(|extension| extension.uri == TRANSPORT_CC_URI)
            .and_then(|extension| u8::try_from(extension.id).ok());
        self.numbered = extension.map(|extension| Numbered {
            extension,
            video: info.ssrc,
            copies: info.ssrc_rtx,
        });
        self.flow.handle_agreed(self.numbered.is_some());
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.numbered = self.numbered.filter(|numbered| numbered.video != info.ssrc);
    }

    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests;
