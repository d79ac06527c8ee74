//! Decides whether a lost packet is sent once more. No clock and no I/O.
//!
//! ```text
//!   request ─► known and young? ─► no copy on its way? ─► within the share? ─► sent once more
//!                    │ no                  │ no                  │ no
//!                    ▼                     ▼                     ▼
//!                 refused              unanswered             refused
//! ```
//!
//! Frames that refer to a refused packet cannot be shown, and so no frame can until the next
//! keyframe. A browser would wait three seconds before it asks for one. So a refusal says whether
//! it breaks the picture: it does unless a keyframe has been sent since that packet.

use super::round_trip::RoundTrip;
use super::window::Window;
use bytes::{BufMut, Bytes, BytesMut};
use rtc::rtp::Packet;
use rtc::shared::marshal::MarshalSize;
use std::time::{Duration, Instant};

/// Since a packet was first sent. An older one belongs to a frame that nobody wants to see any
/// more.
const MAX_AGE: Duration = Duration::from_millis(400);
/// A copy is given one round trip to arrive, and this at least: less is the jitter of a busy
/// machine.
const MIN_PATIENCE: Duration = Duration::from_millis(20);
/// In each second there may be one byte of copies for this many bytes of video. A link that loses
/// more is full, or too bad for a picture.
const SHARE: usize = 4;
/// Bytes that a copy has more than its original (RFC 4588 section 4).
const RTX_HEADER: usize = 2;
/// Packets that are remembered: [`MAX_AGE`] of 20 Mbit/s. A power of two.
const REMEMBERED: usize = 1024;

/// Packets after which a keyframe is forgotten. Sequence numbers wrap after 65,536, and of two that
/// are half of that apart neither is the older.
const KEYFRAME_MEMORY: u16 = 0x7000;

/// How to answer a request.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// Send this; `size` is in bytes, with header.
    Resend { packet: Packet, size: usize },
    /// Nothing: a copy is on its way.
    OnItsWay,
    /// Nothing: a limit forbids it. `broken`: nothing can be shown before the next keyframe.
    Refused { broken: bool },
}

#[derive(Debug)]
pub(super) struct Responder {
    /// SSRC and payload type of retransmissions; without them, packets are repeated as they were
    /// (RFC 4585).
    rtx: Option<(u32, u8)>,
    next_rtx_seq: u16,
    /// Indexed by the lowest bits of the sequence number.
    sent: Vec<Option<Remembered>>,
    video: Window,
    copies: Window,
    round_trip: RoundTrip,
    /// Sequence number at which the newest keyframe begins; `None` if there was none in the last
    /// [`KEYFRAME_MEMORY`] packets.
    keyframe: Option<u16>,
}

#[derive(Debug)]
struct Remembered {
    packet: Packet,
    at: Instant,
    copied: Option<Instant>,
}

/// A packet that left for the first time.
pub(super) struct Sent {
    pub(super) size: usize,
    /// A keyframe begins with it.
    pub(super) keyframe: bool,
}

impl Responder {
    pub(super) fn new(rtx: Option<(u32, u8)>) -> Self {
        Self {
            rtx,
            next_rtx_seq: 0,
            sent: std::iter::repeat_with(|| None).take(REMEMBERED).collect(),
            video: Window::default(),
            copies: Window::default(),
            round_trip: RoundTrip::new(),
            keyframe: None,
        }
    }

    /// A packet leaves for the first time.
    pub(super) fn handle_sent(&mut self, now: Instant, packet: &Packet) -> Sent {
        let size = packet.marshal_size();
        self.video.add(now, size);
        let seq = packet.header.sequence_number;
        let keyframe = begins_keyframe(&packet.payload);
        if keyframe {
            self.keyframe = Some(seq);
        } else if self.keyframe.is_some_and(|keyframe| seq.wrapping_sub(keyframe) > KEYFRAME_MEMORY)
        {
            self.keyframe = None;
        }
        *self.slot(seq) = Some(Remembered { packet: packet.clone(), at: now, copied: None });
        Sent { size, keyframe }
    }

    /// A sender report leaves with this NTP time.
    pub(super) fn handle_report(&mut self, now: Instant, ntp: u64) {
        self.round_trip.handle_report(now, ntp);
    }

    /// The other end has seen a report of ours.
    pub(super) fn handle_reception(&mut self, now: Instant, last_report: u32, delay: u32) {
        self.round_trip.handle_reception(now, last_report, delay);
    }

    /// Time in which packets that are on their way arrive: the newest round trip.
    pub(super) fn patience(&self) -> Duration {
        self.round_trip.newest().clamp(MIN_PATIENCE, MAX_AGE)
    }

    /// The other end misses this packet.
    pub(super) fn handle_request(&mut self, now: Instant, seq: u16) -> Answer {
        let patience = self.patience();
        let share = self.video.bytes(now) / SHARE;
        let spent = self.copies.bytes(now);
        let overhead = if self.rtx.is_some() { RTX_HEADER } else { 0 };
        // The slot may hold another packet, a multiple of `REMEMBERED` away.
        let slot = self.slot(seq).as_mut().filter(|sent| sent.packet.header.sequence_number == seq);
        let Some(sent) = slot.filter(|sent| now.saturating_duration_since(sent.at) <= MAX_AGE)
        else {
            return self.refuse(seq);
        };
        if sent.copied.is_some_and(|copied| now.saturating_duration_since(copied) < patience) {
            return Answer::OnItsWay;
        }
        let size = sent.packet.marshal_size() + overhead;
        if spent + size > share {
            return self.refuse(seq);
        }
        sent.copied = Some(now);
        let original = sent.packet.clone();
        let packet = self.copy(original);
        self.next_rtx_seq = self.next_rtx_seq.wrapping_add(1);
        self.copies.add(now, size);
        Answer::Resend { packet, size }
    }

    /// The same copy once more at the same time, if it is within the share. Without a stream of
    /// copies it would be a packet that the other end's encryption has seen before.
    pub(super) fn again(&mut self, now: Instant, copy: &Packet) -> Option<Packet> {
        self.rtx?;
        let size = copy.marshal_size();
        if self.copies.bytes(now) + size > self.video.bytes(now) / SHARE {
            return None;
        }
        let mut packet = copy.clone();
        packet.header.sequence_number = self.next_rtx_seq;
        self.next_rtx_seq = self.next_rtx_seq.wrapping_add(1);
        self.copies.add(now, size);
        Some(packet)
    }

    fn slot(&mut self, seq: u16) -> &mut Option<Remembered> {
        &mut self.sent[usize::from(seq) % REMEMBERED]
    }

    /// RFC 4588 section 4: the original sequence number goes before the payload. Header extensions
    /// stay.
    fn copy(&self, mut packet: Packet) -> Packet {
        let Some((ssrc, payload_type)) = self.rtx else { return packet };
        let mut payload = BytesMut::with_capacity(RTX_HEADER + packet.payload.len());
        payload.put_u16(packet.header.sequence_number);
        payload.put_slice(&packet.payload);
        packet.payload = Bytes::from(payload);
        packet.header.ssrc = ssrc;
        packet.header.payload_type = payload_type;
        packet.header.sequence_number = self.next_rtx_seq;
        packet
    }

    fn refuse(&self, seq: u16) -> Answer {
        // Whether `seq` is older than the keyframe; numbers wrap (RFC 1982).
        let before = |keyframe: u16| keyframe.wrapping_sub(seq).wrapping_sub(1) < 0x7fff;
        Answer::Refused { broken: !self.keyframe.is_some_and(before) }
    }
}

/// Whether this is the payload of a keyframe's first packet: parameter sets, alone or aggregated
/// (RFC 6184 sections 5.4, 5.7.1).
fn begins_keyframe(payload: &[u8]) -> bool {
    const SPS: u8 = 7;
    const STAP_A: u8 = 24;
    let kind = |byte: &u8| byte & 0x1f;
    match payload.first().map(kind) {
        Some(SPS) => true,
        // The first unit follows the packet's own header and the unit's size.
        Some(STAP_A) => payload.get(3).map(kind) == Some(SPS),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::rtp::header::Header;

    const RTX: (u32, u8) = (9, 103);
    const ROUND_TRIP: Duration = Duration::from_millis(100);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn packet(seq: u16) -> Packet {
        let header = Header {
            version: 2,
            sequence_number: seq,
            ssrc: 7,
            payload_type: 102,
            timestamp: 5,
            ..Header::default()
        };
        Packet { header, payload: Bytes::from(vec![1; 1000]) }
    }

    /// A responder that has sent packets 0…99 in the second before `now`, the last ten of them
    /// `now`.
    fn responder(now: Instant) -> Responder {
        let mut responder = Responder::new(Some(RTX));
        for seq in 0..100 {
            let age = if seq < 90 { ms(990 - 11 * u64::from(seq)) } else { ms(0) };
            responder.handle_sent(now - age, &packet(seq));
        }
        responder
    }

    fn is_resent(answer: &Answer) -> bool {
        matches!(answer, Answer::Resend { .. })
    }

    #[test]
    fn a_copy_goes_out_as_rfc_4588_says() {
        let now = Instant::now() + ms(10_000);
        let mut responder = responder(now);
        let Answer::Resend { packet: copy, .. } = responder.handle_request(now, 95) else {
            panic!("refused")
        };
        assert_eq!(
            (copy.header.ssrc, copy.header.payload_type, copy.header.sequence_number),
            (9, 103, 0)
        );
        assert_eq!((copy.header.version, copy.header.timestamp), (2, 5));
        assert_eq!((&copy.payload[..2], copy.payload.len()), (&[0, 95][..], 1002));
        let Answer::Resend { packet: next, .. } = responder.handle_request(now, 96) else {
            panic!("refused")
        };
        assert_eq!(next.header.sequence_number, 1);
    }

    #[test]
    fn without_an_agreed_stream_of_copies_the_packet_itself_is_repeated() {
        let now = Instant::now() + ms(10_000);
        let mut responder = Responder::new(None);
        (0..10).for_each(|seq| _ = responder.handle_sent(now, &packet(seq)));
        let Answer::Resend { packet: copy, .. } = responder.handle_request(now, 3) else {
            panic!("refused")
        };
        assert_eq!(copy, packet(3));
    }

    #[test]
    fn a_packet_goes_out_once_in_a_round_trip_however_often_it_is_asked_for() {
        let now = Instant::now() + ms(10_000);
        let mut responder = responder(now);
        assert!(is_resent(&responder.handle_request(now, 99)));
        for later in 1..ROUND_TRIP.as_millis() {
            let now = now + ms(u64::try_from(later).unwrap());
            assert_eq!(responder.handle_request(now, 99), Answer::OnItsWay);
        }
        assert!(is_resent(&responder.handle_request(now + ROUND_TRIP, 99)));
    }

    #[test]
    fn a_second_copy_differs_in_its_number_only_and_is_within_the_share() {
        let now = Instant::now() + ms(10_000);
        let mut second = responder(now);
        let Answer::Resend { packet: copy, .. } = second.handle_request(now, 95) else {
            panic!("refused")
        };
        let again = second.again(now, &copy).unwrap();
        assert_eq!((again.header.sequence_number, &again.payload), (1, &copy.payload));
        // A quarter of 100 packets.
        let more = std::iter::from_fn(|| second.again(now, &copy)).count();
        assert!((20..=22).contains(&more), "{more}");
        let mut alone = Responder::new(None);
        (0..10).for_each(|seq| _ = alone.handle_sent(now, &packet(seq)));
        assert_eq!(alone.again(now, &packet(3)), None);
    }

    #[test]
    fn the_round_trip_is_learnt_from_reports_and_never_shorter_than_twenty_milliseconds() {
        let now = Instant::now() + ms(10_000);
        let mut responder = responder(now);
        let ntp = 0x1234_5678_9abc_def0;
        responder.handle_report(now - ms(150), ntp);
        // Held for 100 of the 150 ms.
        responder.handle_reception(now, 0x5678_9abc, 6_554);
        assert!(is_resent(&responder.handle_request(now, 99)));
        assert_eq!(responder.handle_request(now + ms(49), 99), Answer::OnItsWay);
        assert!(is_resent(&responder.handle_request(now + ms(51), 99)));
        // A report that was never sent teaches nothing; one that was held for longer than it was
        // away, little.
        responder.handle_reception(now, 77, 0);
        responder.handle_reception(now, 0x5678_9abc, u32::MAX);
        assert!(is_resent(&responder.handle_request(now, 98)));
        assert_eq!(responder.handle_request(now + ms(19), 98), Answer::OnItsWay);
        assert!(is_resent(&responder.handle_request(now + ms(20), 98)));
    }

    #[test]
    fn what_is_old_or_was_never_sent_is_refused() {
        let now = Instant::now() + ms(10_000);
        let mut responder = responder(now);
        assert!(is_resent(&responder.handle_request(now + MAX_AGE, 99)));
        for (later, seq) in [(MAX_AGE + ms(1), 99), (ms(0), 0), (ms(0), 100), (ms(0), 99 + 1024)] {
            assert!(
                matches!(responder.handle_request(now + later, seq), Answer::Refused { .. }),
                "{seq}"
            );
        }
    }

    #[test]
    fn a_refusal_breaks_the_picture_unless_a_keyframe_has_left_since() {
        let now = Instant::now() + ms(10_000);
        let mut responder = Responder::new(Some(RTX));
        let late = now + ms(1_000);
        let mut keyframe = packet(65_530);
        (65_500..=65_535).for_each(|seq| _ = responder.handle_sent(now, &packet(seq)));
        assert_eq!(responder.handle_request(late, 65_520), Answer::Refused { broken: true });
        for payload in [&[0x67, 1, 2][..], &[0x18, 0, 20, 0x67, 1, 2]] {
            keyframe.payload = Bytes::copy_from_slice(payload);
            keyframe.header.sequence_number = keyframe.header.sequence_number.wrapping_add(3);
            responder.handle_sent(now, &keyframe);
            let first = keyframe.header.sequence_number;
            (0..20).for_each(|more| {
                _ = responder.handle_sent(now, &packet(first.wrapping_add(1 + more)))
            });
            for (seq, broken) in [
                (first.wrapping_sub(1), false),
                (first, true),
                (first.wrapping_add(5), true),
                (65_000, false),
            ] {
                assert_eq!(
                    responder.handle_request(late, seq),
                    Answer::Refused { broken },
                    "{seq} beside {first}"
                );
            }
        }
    }

    #[test]
    fn a_keyframe_of_long_ago_mends_nothing() {
        let now = Instant::now() + ms(10_000);
        let mut responder = Responder::new(Some(RTX));
        let mut keyframe = packet(100);
        keyframe.payload = Bytes::from_static(&[0x67, 1, 2]);
        responder.handle_sent(now, &keyframe);
        for more in 1..=70_000_u32 {
            let seq = 100_u16.wrapping_add(u16::try_from(more % 65_536).unwrap());
            responder.handle_sent(now, &packet(seq));
            let late = now + MAX_AGE + ms(1);
            assert_eq!(
                responder.handle_request(late, seq),
                Answer::Refused { broken: true },
                "{more} packets later"
            );
        }
    }

    #[test]
    fn copies_are_a_quarter_of_the_video_in_every_second_whatever_is_asked_for() {
        let start = Instant::now() + ms(10_000);
        let mut responder = Responder::new(Some(RTX));
        let (mut video, mut copies) = (Window::default(), Window::default());
        let mut total = 0;
        for step in 0..6_000 {
            let now = start + ms(step);
            if step % 5 == 0 {
                video.add(
                    now,
                    responder.handle_sent(now, &packet(u16::try_from(step / 5).unwrap())).size,
                );
            }
            let newest = u16::try_from(step / 5).unwrap();
            for seq in newest.saturating_sub(200)..=newest {
                if let Answer::Resend { size, .. } = responder.handle_request(now, seq) {
                    total += size;
                    copies.add(now, size);
                    assert!(copies.bytes(now) * SHARE <= video.bytes(now), "after {step} ms");
                }
            }
        }
        // And it is used: 5 s of 200 packets a second, a quarter of them.
        assert!(total > 200_000, "{total}");
    }
}
