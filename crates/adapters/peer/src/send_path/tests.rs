use super::*;
use rccar_congestion::Limits;
use rccar_protocol::units::MonotonicMicros;
use rtc::interceptor::{AttributedPacket, RTPHeaderExtension};
use rtc::rtp::header::Header;
use rtc::shared::TransportContext;
use std::time::Duration;

const VIDEO: u32 = 7;
const COPIES: u32 = 8;
const EXTENSION: u8 = 5;

fn clock() -> MonotonicMicros {
    MonotonicMicros(0)
}

fn path(agreed: bool) -> (SendPath, Arc<Flow>) {
    let limits = Limits { least_bps: 150_000, start_bps: 500_000, most_bps: 2_000_000, fps: 30 };
    let flow = Arc::new(Flow::new(limits, clock, None));
    let mut path = SendPath::new(Arc::clone(&flow), Arc::default());
    let extension = RTPHeaderExtension { uri: TRANSPORT_CC_URI.into(), id: EXTENSION.into() };
    path.bind_local_stream(&StreamInfo {
        ssrc: VIDEO,
        ssrc_rtx: Some(COPIES),
        payload_type_rtx: Some(103),
        rtp_header_extensions: if agreed { vec![extension] } else { vec![] },
        ..StreamInfo::default()
    });
    (path, flow)
}

fn packet(now: Instant, ssrc: u32, seq: u16) -> TaggedPacket {
    let header = Header { version: 2, sequence_number: seq, ssrc, ..Header::default() };
    let rtp = rtc::rtp::Packet { header, payload: Bytes::from(vec![1; 1_000]) };
    let message = AttributedPacket::new(Packet::Rtp(rtp));
    let message = match ssrc == COPIES {
        true => message.with(Attribute::Retransmission),
        false => message,
    };
    TaggedPacket { now, transport: TransportContext::default(), message }
}

/// SSRC and transport-wide number of everything that leaves.
fn sent(path: &mut SendPath) -> Vec<(u32, Option<u16>)> {
    std::iter::from_fn(|| path.poll_write())
        .map(|packet| {
            let Packet::Rtp(rtp) = packet.message.packet else { panic!("RTP") };
            let number = rtp.header.get_extension(EXTENSION);
            (rtp.header.ssrc, number.map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]])))
        })
        .collect()
}

/// Lets time pass until nothing waits; returns what left in each millisecond.
fn run(path: &mut SendPath, now: &mut Instant) -> Vec<(u128, u32, Option<u16>)> {
    let begun = *now;
    let mut all = Vec::new();
    let mut note = |path: &mut SendPath, now: Instant| {
        let after = now.duration_since(begun).as_millis();
        all.extend(sent(path).into_iter().map(|(ssrc, number)| (after, ssrc, number)));
    };
    note(path, *now);
    while let Some(due) = path.poll_timeout() {
        *now = due;
        path.handle_timeout(due).unwrap();
        note(path, due);
    }
    all
}

#[test]
fn pictures_and_copies_share_one_count_and_copies_go_first() {
    let (mut path, _) = path(true);
    let mut now = Instant::now();
    for seq in 0..20 {
        path.handle_write(packet(now, VIDEO, seq)).unwrap();
    }
    let begun = sent(&mut path).len();
    path.handle_write(packet(now, COPIES, 0)).unwrap();
    let all = run(&mut path, &mut now);
    let numbers: Vec<_> = all.iter().map(|(.., number)| usize::from(number.unwrap())).collect();
    assert_eq!(numbers, (begun..21).collect::<Vec<_>>());
    // The copy overtakes what waits.
    let copy = all.iter().position(|(_, ssrc, _)| *ssrc == COPIES);
    assert!(begun < 20 && copy == Some(0), "{begun} {copy:?}");
}

#[test]
fn packets_leave_at_their_pace_and_are_counted() {
    let (mut path, flow) = path(true);
    let mut now = Instant::now();
    for seq in 0..100 {
        path.handle_write(packet(now, VIDEO, seq)).unwrap();
    }
    let all = run(&mut path, &mut now);
    assert_eq!(all.len(), 100);
    // 100 packets of some 1060 bytes at 8 Mbit/s, the pace of a path that is new.
    let last = all.last().unwrap().0;
    assert!((90..=130).contains(&last), "{last} ms");
    assert_eq!(flow.insight().under_way, 100 * (1_012 + 8 + 38));
}

#[test]
fn without_agreement_nothing_is_numbered_or_held_back() {
    let (mut path, flow) = path(false);
    let now = Instant::now();
    for seq in 0..10 {
        path.handle_write(packet(now, VIDEO, seq)).unwrap();
    }
    assert_eq!(sent(&mut path), [(VIDEO, None); 10]);
    assert!((0..100).all(|_| flow.admit(false)));
    assert!(flow.encoder_rate() <= 500_000);
}

#[test]
fn what_waits_has_an_end_and_the_picture_is_then_broken() {
    let (mut path, _) = path(true);
    let now = Instant::now();
    for seq in 0..2_000 {
        path.handle_write(packet(now, VIDEO, seq)).unwrap();
    }
    assert!(path.pacer.bytes() < 1_200 * 1_058);
    assert!(path.mending.is_broken());
}

#[test]
fn a_browser_that_agreed_and_reports_nothing_gets_a_picture_all_the_same() {
    let (mut path, flow) = path(true);
    let long_ago = Instant::now() - Duration::from_secs(4);
    for seq in 0..100 {
        path.handle_write(packet(long_ago, VIDEO, seq)).unwrap();
    }
    assert!((0..10).all(|_| flow.admit(false)));
}
