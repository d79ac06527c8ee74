//! The car's peer against a driver's end made of the same stack, over loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod driver;

use driver::Driver;
use rccar_link::{LinkError, Offer, Peer, PeerEvent, PeerOptions, PeerState};
use rccar_protocol::control::ControlFrame;
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

struct Car {
    peer: Peer,
    events: UnboundedReceiver<PeerEvent>,
}

impl Car {
    async fn open() -> Self {
        let options = PeerOptions { ice_servers: vec![], loopback: true, clock: || MonotonicMicros(1) };
        let (peer, events) = Box::pin(Peer::open(&options, 0x1234_5678)).await.unwrap();
        Self { peer, events }
    }

    /// Offers, answers and passes candidates until the car is connected.
    async fn connect(&mut self, driver: &Driver, restart: bool) -> Offer {
        let offer = self.peer.prepare_offer(restart.then_some(&[])).await.unwrap();
        self.peer.start_gathering(&offer).await.unwrap();
        let answer = driver.answer(offer.sdp.as_str()).await;
        self.peer.accept_answer(offer.generation, &answer).await.unwrap();
        for candidate in driver.candidates().await {
            self.peer.add_candidate(offer.generation, candidate).await.unwrap();
        }
        self.wait_for(|event| match event {
            PeerEvent::Candidate { generation, candidate } => {
                assert_eq!(*generation, offer.generation);
                driver.add_candidate(candidate);
                false
            }
            PeerEvent::State(state) => *state == PeerState::Connected,
            _ => false,
        })
        .await;
        offer
    }

    async fn wait_for(&mut self, mut wanted: impl FnMut(&PeerEvent) -> bool) {
        let waiting = async { while !wanted(&self.events.recv().await.expect("the peer lives")) {} };
        timeout(PATIENCE, waiting).await.expect("the event comes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_control_frame_arrives_and_malformed_ones_are_counted() {
    let (mut car, driver) = (Car::open().await, Driver::open().await);
    car.connect(&driver, false).await;
    let control = driver.channel("control").await;
    let frame = ControlFrame { seq: 7, visible: true, ..ControlFrame::default() };
    control.send(&[9; 18]).await;
    control.send(&frame.encode()).await;
    control.send(&ControlFrame { seq: 6, ..frame }.encode()).await;
    control.send(&ControlFrame { seq: 8, ..frame }.encode()).await;
    let mut newest = car.peer.control();
    let arrived = timeout(PATIENCE, newest.wait_for(|newest| newest.is_some_and(|newest| newest.frame.seq == 8)));
    assert_eq!(arrived.await.unwrap().unwrap().unwrap().frame, ControlFrame { seq: 8, ..frame });
    assert_eq!(car.peer.dropped_control_frames(), 2, "one malformed, one late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ice_restart_keeps_the_data_channels() {
    let (mut car, driver) = (Car::open().await, Driver::open().await);
    let first = car.connect(&driver, false).await;
    let control = driver.channel("control").await;
    let second = car.connect(&driver, true).await;
    assert_eq!((first.generation, second.generation), (1, 2));
    control.send(&ControlFrame { seq: 1, ..ControlFrame::default() }.encode()).await;
    let mut newest = car.peer.control();
    timeout(PATIENCE, newest.wait_for(Option::is_some)).await.expect("the old channel still carries").unwrap();
    assert!(car.peer.send_telemetry(&[1, 2, 3]).await);
    assert_eq!(control.receive().await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_an_older_offer_are_refused() {
    let (mut car, driver) = (Car::open().await, Driver::open().await);
    let offer = car.connect(&driver, false).await;
    let sdp = offer.sdp.clone();
    let refused = car.peer.accept_answer(offer.generation + 1, &sdp).await.unwrap_err();
    assert!(matches!(refused, LinkError::Generation { got: 2, current: 1 }), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn descriptions_that_are_none_are_errors() {
    let car = Car::open().await;
    let offer = car.peer.prepare_offer(None).await.unwrap();
    car.peer.start_gathering(&offer).await.unwrap();
    for nonsense in ["v=0", "hello", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"] {
        let sdp = rccar_protocol::text::Sdp::new(nonsense).unwrap();
        assert!(car.peer.accept_answer(1, &sdp).await.is_err(), "{nonsense:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gathered_offer_holds_its_candidates() {
    let car = Car::open().await;
    let offer = car.peer.prepare_offer(None).await.unwrap();
    assert!(!offer.sdp.as_str().contains("a=candidate:"));
    let offer = car.peer.gathered_offer(offer, PATIENCE).await.unwrap();
    assert!(offer.sdp.as_str().contains("127.0.0.1"), "{}", offer.sdp);
    assert!(offer.sdp.as_str().contains("a=end-of-candidates"), "{}", offer.sdp);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_offer_asks_for_what_the_browser_needs() {
    let car = Car::open().await;
    let sdp = car.peer.prepare_offer(None).await.unwrap().sdp;
    for line in [
        "a=sendonly",
        "rtp-hdrext/playout-delay",
        "profile-level-id=42e01f",
        "packetization-mode=1",
        "a=rtpmap:103 rtx/90000",
        "a=fmtp:103 apt=102",
        "a=rtcp-fb:102 nack pli",
        "a=ssrc-group:FID",
    ] {
        assert!(sdp.as_str().contains(line), "no {line} in\n{sdp}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_go_both_ways() {
    let (mut car, driver) = (Car::open().await, Driver::open().await);
    assert!(car.peer.send_event("early".into()), "what is sent before the channel opens waits for it");
    car.connect(&driver, false).await;
    let events = driver.channel("events").await;
    assert_eq!(events.receive().await, b"early");
    events.send_text("hello").await;
    car.wait_for(|event| *event == PeerEvent::Message("hello".into())).await;
    events.send(&[0xff, 0xfe]).await;
    car.wait_for(|event| *event == PeerEvent::BadMessage).await;
}
