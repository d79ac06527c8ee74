//! The car's peer against a driver's end made of the same stack, over loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod driver;

use driver::Driver;
use rccar_peer::settings::Limits;
use rccar_peer::{
    Binding, Message, Offer, Opened, Peer, PeerError, PeerEvent, PeerOptions, PeerState,
};
use rccar_protocol::Layout;
use rccar_protocol::control::ControlFrame;
use rccar_protocol::text::Sdp;
use rccar_protocol::units::MonotonicMicros;
use rccar_protocol::video::Level;
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::sync::watch;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

struct Car {
    peer: Peer,
    events: UnboundedReceiver<PeerEvent>,
    messages: Receiver<Message>,
}

impl Car {
    async fn open() -> Self {
        Self::open_with(Level::lowest_for(1280, 720, 30, 1_000)).await
    }

    async fn open_with(level: Level) -> Self {
        let (_, binding) = watch::channel(Binding::default());
        let options = PeerOptions {
            ice_servers: vec![],
            loopback: true,
            binding,
            level,
            clock: || MonotonicMicros(1),
            limits: Limits { least_bps: 150_000, start_bps: 500_000, most_bps: 2_000_000, fps: 30 },
            recorder: None,
        };
        let Opened { peer, events, messages } =
            Box::pin(Peer::open(&options, 0x1234_5678)).await.unwrap();
        Self { peer, events, messages }
    }

    /// Offers, answers and passes candidates until the car is connected.
    async fn connect(&mut self, driver: &Driver, restart: bool) -> Offer {
        let offer = self.peer.prepare_offer(restart.then_some(&[])).await.unwrap();
        self.peer.start_gathering(&offer).await.unwrap();
        self.finish(driver, offer).await
    }

    async fn finish(&mut self, driver: &Driver, offer: Offer) -> Offer {
        let answer = driver.answer(offer.sdp.as_str()).await;
        self.finish_with(driver, offer, answer).await
    }

    async fn finish_with(&mut self, driver: &Driver, offer: Offer, answer: Sdp) -> Offer {
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

    async fn message(&mut self) -> Message {
        timeout(PATIENCE, self.messages.recv())
            .await
            .expect("a message comes")
            .expect("the peer lives")
    }

    async fn wait_for(&mut self, mut wanted: impl FnMut(&PeerEvent) -> bool) {
        let waiting =
            async { while !wanted(&self.events.recv().await.expect("the peer lives")) {} };
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
    control.send(&frame.encode(Layout::V1)).await;
    control.send(&ControlFrame { seq: 6, ..frame }.encode(Layout::V1)).await;
    control.send(&ControlFrame { seq: 8, ..frame }.encode(Layout::V1)).await;
    let mut newest = car.peer.control();
    let arrived = timeout(
        PATIENCE,
        newest.wait_for(|newest| newest.is_some_and(|newest| newest.frame.seq == 8)),
    );
    assert_eq!(arrived.await.unwrap().unwrap().unwrap().frame, ControlFrame { seq: 8, ..frame });
    assert_eq!(car.peer.dropped_control_frames(), 2, "one malformed, one late");
}

/// The answer with another description of the driver's certificate.
fn describe(answer: &Sdp, fingerprint: &str) -> Sdp {
    let lines = answer.as_str().lines().map(|line| match line.starts_with("a=fingerprint:") {
        true => format!("a=fingerprint:{fingerprint}\r\n"),
        false => format!("{line}\r\n"),
    });
    Sdp::new(lines.collect::<String>()).unwrap()
}

/// A certificate's hash by the function of that name.
fn fingerprint(name: &str, certificate: &[u8]) -> String {
    let hash = match name.to_ascii_lowercase().as_str() {
        "sha-256" => Sha256::digest(certificate).to_vec(),
        "sha-384" => Sha384::digest(certificate).to_vec(),
        _ => Sha512::digest(certificate).to_vec(),
    };
    let octets: Vec<_> = hash.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("{name} {}", octets.join(":"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_connects_whatever_hash_names_their_certificate() {
    for name in ["SHA-256", "sha-384", "Sha-512"] {
        let (driver, certificate) = Driver::with_certificate().await;
        let mut car = Car::open().await;
        for restart in [None, Some(&[][..])] {
            let offer = car.peer.prepare_offer(restart).await.unwrap();
            car.peer.start_gathering(&offer).await.unwrap();
            let answer = driver.answer(offer.sdp.as_str()).await;
            let answer = describe(&answer, &fingerprint(name, &certificate));
            if restart.is_none() {
                car.finish_with(&driver, offer, answer).await;
            } else {
                car.peer.accept_answer(offer.generation, &answer).await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_with_another_certificate_never_connects() {
    for name in ["sha-256", "sha-512"] {
        let (mut car, driver) = (Car::open().await, Driver::open().await);
        let offer = car.peer.prepare_offer(None).await.unwrap();
        car.peer.start_gathering(&offer).await.unwrap();
        let answer = driver.answer(offer.sdp.as_str()).await;
        let answer = describe(&answer, &fingerprint(name, b"another"));
        let connecting = car.finish_with(&driver, offer, answer);
        assert!(timeout(Duration::from_secs(3), connecting).await.is_err(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_names_no_certificate_is_an_error_that_says_so() {
    let (car, driver) = (Car::open().await, Driver::open().await);
    let offer = car.peer.prepare_offer(None).await.unwrap();
    car.peer.start_gathering(&offer).await.unwrap();
    let answer = driver.answer(offer.sdp.as_str()).await;
    let answer = describe(&answer, "sha-1 00:01");
    let refused = car.peer.accept_answer(offer.generation, &answer).await.unwrap_err();
    assert!(matches!(refused, PeerError::Fingerprint(_)), "{refused}");
    assert!(refused.to_string().contains("of sha-1 only"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ice_restart_keeps_the_data_channels() {
    let (mut car, driver) = (Car::open().await, Driver::open().await);
    let first = car.connect(&driver, false).await;
    let control = driver.channel("control").await;
    let second = car.connect(&driver, true).await;
    assert_eq!((first.generation, second.generation), (1, 2));
    control.send(&ControlFrame { seq: 1, ..ControlFrame::default() }.encode(Layout::V1)).await;
    let mut newest = car.peer.control();
    timeout(PATIENCE, newest.wait_for(Option::is_some))
        .await
        .expect("the old channel still carries")
        .unwrap();
    assert!(car.peer.send_telemetry(&[1, 2, 3]).await);
    assert_eq!(control.receive().await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_restart_leaves_the_old_path_alone_until_it_is_answered() {
    let (mut car, driver) = (Car::open().await, Driver::open().await);
    car.connect(&driver, false).await;
    let control = driver.channel("control").await;
    let offer = car.peer.prepare_offer(Some(&[])).await.unwrap();
    car.peer.hold(offer.clone()).await;
    control.send(&ControlFrame { seq: 1, ..ControlFrame::default() }.encode(Layout::V1)).await;
    let mut newest = car.peer.control();
    timeout(PATIENCE, newest.wait_for(Option::is_some))
        .await
        .expect("the old path carries")
        .unwrap();
    assert_eq!((car.peer.generation(), car.peer.awaits_answer().await), (1, true));
    let again = car.peer.unanswered().await.unwrap().expect("it awaits an answer");
    assert_eq!((again.generation, &again.sdp), (2, &offer.sdp));
    car.finish(&driver, offer).await;
    assert_eq!((car.peer.generation(), car.peer.awaits_answer().await), (2, false));
    control.send(&ControlFrame { seq: 2, ..ControlFrame::default() }.encode(Layout::V1)).await;
    let arrived = newest.wait_for(|newest| newest.is_some_and(|newest| newest.frame.seq == 2));
    timeout(PATIENCE, arrived).await.expect("the new path carries").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_may_have_been_missed_is_said_again_with_its_candidates() {
    let car = Car::open().await;
    assert!(car.peer.unanswered().await.unwrap().is_none());
    let offer = car.peer.prepare_offer(None).await.unwrap();
    car.peer.gathered_offer(offer, PATIENCE).await.unwrap();
    let again = car.peer.unanswered().await.unwrap().expect("it awaits an answer");
    assert!(again.generation == 1 && again.sdp.as_str().contains("127.0.0.1"), "{}", again.sdp);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_an_older_offer_are_refused() {
    let (mut car, driver) = (Car::open().await, Driver::open().await);
    let offer = car.connect(&driver, false).await;
    let sdp = offer.sdp.clone();
    let refused = car.peer.accept_answer(offer.generation + 1, &sdp).await.unwrap_err();
    assert!(matches!(refused, PeerError::Generation { got: 2, current: 1 }), "{refused}");
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

/// The driver's end answers with a level of its own, as browsers do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn video_and_its_repetition_are_agreed_on_at_every_level() {
    for (level, offered) in
        [(Level::lowest_for(640, 360, 30, 1_000), "42e01e"), (Level::HIGHEST, "42e02a")]
    {
        let (mut car, driver) = (Car::open_with(level).await, Driver::open().await);
        let offer = car.peer.prepare_offer(None).await.unwrap();
        assert!(
            offer.sdp.as_str().contains(&format!("profile-level-id={offered}\r\n")),
            "{}",
            offer.sdp
        );
        let answer = Driver::open().await.answer(offer.sdp.as_str()).await;
        for line in ["a=rtpmap:102 H264/90000", "a=rtpmap:103 rtx/90000", "a=fmtp:103 apt=102"] {
            assert!(answer.as_str().contains(line), "no {line} in\n{answer}");
        }
        car.connect(&driver, false).await;
        let keyframe = bytes::Bytes::from_static(&[0, 0, 0, 1, 0x65, 0x88, 0x84]);
        car.peer.video().send(keyframe, MonotonicMicros(1), true).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_go_both_ways() {
    let (mut car, driver) = (Car::open().await, Driver::open().await);
    assert!(
        car.peer.send_event("early".into()),
        "what is sent before the channel opens waits for it"
    );
    car.connect(&driver, false).await;
    let events = driver.channel("events").await;
    assert_eq!(events.receive().await, b"early");
    events.send_text("hello").await;
    assert_eq!(car.message().await, Message::Text("hello".into()));
    events.send(&[0xff, 0xfe]).await;
    assert_eq!(car.message().await, Message::Bad);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_events_is_cut() {
    let (mut car, driver) = (Car::open().await, Driver::open().await);
    car.connect(&driver, false).await;
    let events = driver.channel("events").await;
    for _ in 0..200 {
        events.send_text("flood").await;
    }
    let mut taken = 0;
    while car.message().await != Message::TooMany {
        taken += 1;
    }
    assert!(taken < 100, "{taken} messages passed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_is_not_in_the_protocol_is_told() {
    let (mut car, driver) = (Car::open().await, Driver::open().await);
    car.connect(&driver, false).await;
    driver.channel("events").await;
    driver.open_channel("mine").await;
    car.wait_for(|event| *event == PeerEvent::ForeignChannel).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_who_closes_the_connection_is_noticed() {
    let (mut car, driver) = (Car::open().await, Driver::open().await);
    car.connect(&driver, false).await;
    driver.channel("events").await.close().await;
    car.wait_for(|event| *event == PeerEvent::EventsClosed { by_driver: true }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_nobody_asked_for_changes_nothing() {
    let (mut car, driver) = (Car::open().await, Driver::open().await);
    let offer = car.connect(&driver, false).await;
    driver.channel("control").await;
    assert!(matches!(car.peer.accept_answer(1, &offer.sdp).await, Err(PeerError::Unasked)));
    assert!(car.peer.send_telemetry(&[1]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn candidates_are_limited_for_each_offer() {
    let car = Car::open().await;
    let offer = car.peer.prepare_offer(None).await.unwrap();
    car.peer.start_gathering(&offer).await.unwrap();
    let candidate = rccar_protocol::signaling::Candidate::new(
        "candidate:1 1 udp 1 192.0.2.9 9 typ host".into(),
        None,
        Some(0),
    )
    .unwrap();
    for _ in 0..64 {
        car.peer.add_candidate(1, candidate.clone()).await.unwrap();
    }
    let refused = car.peer.add_candidate(1, candidate).await.unwrap_err();
    assert!(matches!(refused, PeerError::TooManyCandidates(64)), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_peer_gives_its_sockets_back() {
    let sockets = || {
        std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok())
            .filter(|to| to.to_string_lossy().starts_with("socket:"))
            .count()
    };
    let before = sockets();
    let car = Car::open().await;
    let offer = car.peer.prepare_offer(None).await.unwrap();
    car.peer.gathered_offer(offer, PATIENCE).await.unwrap();
    assert!(sockets() > before);
    drop(car);
    timeout(PATIENCE, async {
        while sockets() > before {
            tokio::time::sleep(Duration::from_millis(10)).await
        }
    })
    .await
    .expect("the sockets are closed");
}
