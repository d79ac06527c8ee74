//! Answers requests for lost packets (NACK, RFC 4585 section 6.2.1) by sending them once more (RFC
//! 4588).
//!
//! **A narrow link never makes the car send much more than its picture.** A browser repeats each
//! request up to a hundred times, and the stack's own responder answers all of them: on a link of
//! 800 kbit/s it sent 15 times the picture. [`Responder`] decides what is sent.

mod mending;
mod responder;
mod round_trip;
mod window;

use crate::send_path::Flow;
pub(crate) use mending::Mending;
use responder::{Answer, Responder, Sent};
use rtc::interceptor::{
    Attribute, AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket,
};
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
pub(crate) use window::Window;

/// The video of a session in numbers, since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes of encoded frames, whether or not they were sent.
    pub encoded_bytes: u64,
    /// Bytes of RTP packets sent for the first time, headers included.
    pub first_bytes: u64,
    /// Bytes of RTP packets sent once more.
    pub resent_bytes: u64,
    /// Packets sent once more.
    pub resent: u64,
    /// Requests that were not answered, because a copy is on its way or because of a limit.
    pub unanswered: u64,
    /// Frames that were not sent, because the picture was broken.
    pub withheld: u64,
}

/// Counts for [`Traffic`].
#[derive(Debug, Default)]
pub(crate) struct Meter {
    encoded_bytes: AtomicU64,
    first_bytes: AtomicU64,
    resent_bytes: AtomicU64,
    resent: AtomicU64,
    unanswered: AtomicU64,
    withheld: AtomicU64,
}

impl Meter {
    pub(crate) fn read(&self) -> Traffic {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Traffic {
            encoded_bytes: read(&self.encoded_bytes),
            first_bytes: read(&self.first_bytes),
            resent_bytes: read(&self.resent_bytes),
            resent: read(&self.resent),
            unanswered: read(&self.unanswered),
            withheld: read(&self.withheld),
        }
    }

    pub(crate) fn note_withheld(&self) {
        add(&self.withheld, 1);
    }

    pub(crate) fn note_encoded(&self, bytes: usize) {
        add(&self.encoded_bytes, bytes);
    }
}

fn add(count: &AtomicU64, more: usize) {
    count.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Finds requests, reports and the video's packets among the packets that pass.
pub(crate) struct Retransmission {
    /// The session's only video.
    stream: Option<(u32, Responder)>,
    flow: Arc<Flow>,
    mending: Arc<Mending>,
    meter: Arc<Meter>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl Retransmission {
    pub(crate) fn new(flow: Arc<Flow>, mending: Arc<Mending>, meter: Arc<Meter>) -> Self {
        Self {
            stream: None,
            flow,
            mending,
            meter,
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        }
    }

    fn handle_request(&mut self, now: Instant, request: &TransportLayerNack) {
        let Some((ssrc, responder)) = &mut self.stream else { return };
        if request.media_ssrc != *ssrc {
            return;
        }
        for seq in request.nacks.iter().flat_map(|pair| pair.packet_list()) {
            match responder.handle_request(now, seq) {
                Answer::Resend { packet, size } => {
                    let wanted = self.flow.copies().saturating_sub(1);
                    let more: Vec<_> =
                        (0..wanted).map_while(|_| responder.again(now, &packet)).collect();
                    for packet in std::iter::once(packet).chain(more) {
                        add(&self.meter.resent, 1);
                        add(&self.meter.resent_bytes, size);
                        let message = AttributedPacket::new(Packet::Rtp(packet))
                            .with(Attribute::Retransmission);
                        let transport = TransportContext::default();
                        self.outbound.push_back(TaggedPacket { now, transport, message });
                    }
                }
                Answer::OnItsWay => add(&self.meter.unanswered, 1),
                Answer::Refused { broken } => {
                    add(&self.meter.unanswered, 1);
                    if broken {
                        self.mending.handle_broken(now + responder.patience());
                    }
                }
            }
        }
    }

    fn handle_reports(&mut self, now: Instant, reports: &[ReceptionReport]) {
        let Some((ssrc, responder)) = &mut self.stream else { return };
        for report in reports.iter().filter(|report| report.ssrc == *ssrc) {
            responder.handle_reception(now, report.last_sender_report, report.delay);
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Retransmission {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(reports) = &packet.message.packet {
            for report in reports {
                let report = report.as_any();
                if let Some(request) = report.downcast_ref::<TransportLayerNack>() {
                    self.handle_request(packet.now, request);
                } else if let Some(ReceiverReport { reports, .. }) = report.downcast_ref() {
                    self.handle_reports(packet.now, reports);
                } else if let Some(SenderReport { reports, .. }) = report.downcast_ref() {
                    self.handle_reports(packet.now, reports);
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
        if let Some((ssrc, responder)) = &mut self.stream {
            match &packet.message.packet {
                Packet::Rtp(rtp) if rtp.header.ssrc == *ssrc => {
                    let Sent { size, keyframe } = responder.handle_sent(packet.now, rtp);
                    add(&self.meter.first_bytes, size);
                    if keyframe {
                        // For the second time, after `VideoSender::send`: a request that was
                        // refused in between took the picture for broken.
                        self.mending.handle_keyframe();
                    }
                }
                Packet::Rtcp(reports) => {
                    let own = reports
                        .iter()
                        .filter_map(|report| report.as_any().downcast_ref::<SenderReport>());
                    own.for_each(|report| responder.handle_report(packet.now, report.ntp_time));
                }
                _ => {}
            }
        }
        self.outbound.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }
}

impl Interceptor for Retransmission {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        // A browser that did not agree to NACK gets no copies.
        let wanted = info
            .rtcp_feedback
            .iter()
            .any(|feedback| feedback.typ == "nack" && feedback.parameter.is_empty());
        self.stream =
            wanted.then(|| (info.ssrc, Responder::new(info.ssrc_rtx.zip(info.payload_type_rtx))));
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.stream = self.stream.take().filter(|(ssrc, _)| *ssrc != info.ssrc);
    }

    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use rccar_congestion::Limits;
    use rccar_protocol::units::MonotonicMicros;
    use rtc::interceptor::RTCPFeedback;
    use rtc::rtcp::Packet as RtcpPacket;
    use rtc::rtcp::transport_feedbacks::transport_layer_nack::NackPair;
    use rtc::rtp::header::Header;
    use std::time::Duration;

    const SSRC: u32 = 7;

    fn tagged(now: Instant, packet: Packet) -> TaggedPacket {
        TaggedPacket {
            now,
            transport: TransportContext::default(),
            message: AttributedPacket::new(packet),
        }
    }

    fn rtcp(packet: impl RtcpPacket + 'static) -> Packet {
        Packet::Rtcp(vec![Box::new(packet)])
    }

    #[test]
    fn copies_wait_for_the_round_trip_that_reports_tell() {
        let now = Instant::now();
        let limits =
            Limits { least_bps: 150_000, start_bps: 500_000, most_bps: 2_000_000, fps: 30 };
        let flow = Arc::new(Flow::new(limits, || MonotonicMicros(0), None));
        let mut retransmission = Retransmission::new(flow, Arc::default(), Arc::default());
        let feedback = RTCPFeedback { typ: "nack".into(), parameter: String::new() };
        retransmission.bind_local_stream(&StreamInfo {
            ssrc: SSRC,
            ssrc_rtx: Some(8),
            payload_type_rtx: Some(103),
            rtcp_feedback: vec![feedback],
            ..StreamInfo::default()
        });
        let sent = SenderReport { ssrc: SSRC, ntp_time: 0x1_0002_0000, ..SenderReport::default() };
        retransmission.handle_write(tagged(now, rtcp(sent))).unwrap();
        for seq in 0..40 {
            let header =
                Header { version: 2, sequence_number: seq, ssrc: SSRC, ..Header::default() };
            let packet = rtc::rtp::Packet { header, payload: Bytes::from_static(&[1; 100]) };
            retransmission.handle_write(tagged(now, Packet::Rtp(packet))).unwrap();
        }
        let heard = ReceptionReport {
            ssrc: SSRC,
            last_sender_report: 0x1_0002,
            ..ReceptionReport::default()
        };
        let report = ReceiverReport { ssrc: 1, reports: vec![heard], ..ReceiverReport::default() };
        retransmission.handle_read(tagged(now + Duration::from_millis(60), rtcp(report))).unwrap();
        while retransmission.poll_write().is_some() {}
        let mut ask = |after: u64| {
            let lost = NackPair { packet_id: 5, lost_packets: 0 };
            let request =
                TransportLayerNack { sender_ssrc: 1, media_ssrc: SSRC, nacks: vec![lost] };
            retransmission
                .handle_read(tagged(now + Duration::from_millis(60 + after), rtcp(request)))
                .unwrap();
            std::iter::from_fn(|| retransmission.poll_write()).count()
        };
        assert_eq!([ask(0), ask(30), ask(59), ask(61)], [1, 0, 0, 1]);
    }
}
