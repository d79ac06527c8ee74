//! Sessions that are prepared before a driver decides.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Lab, car, car_byes, connecting, driver_byes, error, lists, name, sdp};
use rccar_protocol::signaling::{ByeReason, CarPresence, FromCar, FromDriver, ToCar, ToDriver};
use rccar_protocol::text::SessionId;
use rccar_rooms::{CarConn, DriverConn, Effect, GAP, LIFE, MOST};
use std::time::Duration;

fn prepare(letter: char) -> FromDriver {
    FromDriver::Prepare { car: car(letter) }
}

fn connect(letter: char) -> FromDriver {
    FromDriver::Connect { car: car(letter), trickle: true, take: false }
}

fn prepared(effects: &[Effect]) -> Option<SessionId> {
    effects.iter().find_map(|effect| match effect {
        Effect::ToDriver { message: ToDriver::Prepared { session, .. }, .. } => Some(*session),
        _ => None,
    })
}

/// Car `a`, which speaks prepared sessions, a page that has prepared one, and the car's offer.
fn lab() -> (Lab, DriverConn, CarConn, SessionId) {
    let mut lab = Lab::new();
    let (conn, page) = (lab.car(1, 'a'), lab.driver(1, "Ada"));
    lab.rooms.handle_car_prepares(conn);
    lab.advance(Duration::from_secs(1));
    lab.drain();
    lab.says(page, prepare('a'));
    let effects = lab.drain();
    let session = prepared(&effects).unwrap();
    let asked = ToCar::Prepare { session, driver: name("Ada"), ice_servers: vec![] };
    assert_eq!(effects[1], Effect::ToCar { to: conn, message: asked });
    lab.car_says(conn, FromCar::Offer { session, generation: 1, sdp: sdp() });
    let offer = ToDriver::Offer { session, generation: 1, sdp: sdp() };
    assert_eq!(lab.drain(), [Effect::ToDriver { to: page, message: offer }]);
    (lab, page, conn, session)
}

#[test]
fn the_click_begins_it_and_no_second_offer_is_awaited() {
    let (mut lab, page, conn, session) = lab();
    lab.says(page, FromDriver::Answer { session, generation: 1, sdp: sdp() });
    let answer = ToCar::Answer { session, generation: 1, sdp: sdp() };
    assert_eq!(lab.drain(), [Effect::ToCar { to: conn, message: answer }]);
    lab.says(page, connect('a'));
    let effects = lab.drain();
    assert_eq!(connecting(&effects), Some(session));
    let begins = ToCar::Connect {
        session,
        driver: name("Ada"),
        trickle: true,
        take: false,
        ice_servers: vec![],
    };
    assert!(effects.contains(&Effect::ToCar { to: conn, message: begins }));
    assert_eq!((lab.rooms.session_count(), lab.rooms.prepared_count()), (1, 0));
    lab.advance(Duration::from_secs(60));
    assert_eq!(lab.rooms.session_count(), 1, "its offer has come");
}

#[test]
fn a_click_that_is_faster_than_the_offer_waits_for_it() {
    let (mut lab, page, conn, _) = lab();
    lab.advance(GAP);
    lab.says(page, prepare('a'));
    let effects = lab.drain();
    let session = prepared(&effects).unwrap();
    assert_eq!(car_byes(&effects).len(), 1, "it takes the place of the page's last one");
    lab.says(page, connect('a'));
    assert_eq!(connecting(&lab.drain()), Some(session));
    lab.car_says(conn, FromCar::Offer { session, generation: 1, sdp: sdp() });
    let offer = ToDriver::Offer { session, generation: 1, sdp: sdp() };
    assert_eq!(lab.drain(), [Effect::ToDriver { to: page, message: offer }]);
}

#[test]
fn it_takes_nobodys_place() {
    let (mut lab, page, conn, session) = lab();
    assert_eq!(lab.rooms.session_count(), 0);
    let watcher = lab.driver(2, "Bob");
    lab.advance(Duration::from_secs(1));
    let seen = lists(&lab.drain());
    let busy = |car: &rccar_protocol::signaling::CarInfo| car.presence == CarPresence::Busy;
    assert!(!seen.iter().flatten().any(busy));
    lab.says(watcher, connect('a'));
    let effects = lab.drain();
    assert_ne!(connecting(&effects).unwrap(), session);
    assert_eq!(driver_byes(&effects), [(page, session, ByeReason::CarBusy)]);
    assert_eq!(car_byes(&effects), [(conn, session, ByeReason::CarBusy)]);
}

#[test]
fn what_cannot_be_prepared_is_refused_in_silence() {
    let mut lab = Lab::new();
    let page = lab.driver(1, "Ada");
    lab.drain();
    lab.says(page, prepare('c'));
    lab.says(page, prepare('a'));
    let old = lab.car(1, 'a');
    lab.advance(Duration::from_secs(1));
    lab.drain();
    lab.says(page, prepare('a'));
    assert_eq!(lab.drain(), [], "unknown, offline, and one that does not speak them");
    lab.rooms.handle_car_prepares(old);
    let other = lab.driver(2, "Bob");
    lab.says(other, connect('a'));
    lab.drain();
    lab.says(page, prepare('a'));
    lab.says(other, prepare('b'));
    assert_eq!(lab.drain(), [], "one that is driven, and a page that drives");
}

#[test]
fn a_page_that_cannot_trickle_gets_another_session() {
    let (mut lab, page, conn, session) = lab();
    lab.says(page, FromDriver::Connect { car: car('a'), trickle: false, take: false });
    let effects = lab.drain();
    assert_ne!(connecting(&effects).unwrap(), session);
    assert_eq!(car_byes(&effects), [(conn, session, ByeReason::DriverLeft)]);
}

#[test]
fn a_stranger_cannot_make_them_grow() {
    let (mut lab, page, conn, _) = lab();
    for _ in 0..1_000 {
        lab.says(page, prepare('a'));
    }
    let asked = |effects: &[Effect]| {
        let is = |effect: &&Effect| {
            matches!(effect, Effect::ToCar { message: ToCar::Prepare { .. }, .. })
        };
        effects.iter().filter(is).count()
    };
    assert_eq!(asked(&lab.drain()), 0, "within {GAP:?} of the last");
    for number in 10..20 {
        lab.advance(GAP);
        let page = lab.driver(number, "Eve");
        lab.says(page, prepare('a'));
        assert!(lab.rooms.prepared_count() <= MOST);
    }
    assert_eq!(lab.rooms.prepared_count(), MOST);
    assert_eq!(asked(&lab.drain()), MOST);
    lab.advance(LIFE);
    assert_eq!(lab.rooms.prepared_count(), 0);
    assert!(car_byes(&lab.drain()).iter().all(|&(to, ..)| to == conn));
}

#[test]
fn it_ends_when_an_end_leaves_and_the_other_is_told() {
    let (mut lab, page, conn, session) = lab();
    lab.says(page, FromDriver::Bye { session, reason: ByeReason::DriverLeft });
    assert_eq!(car_byes(&lab.drain()), [(conn, session, ByeReason::DriverLeft)]);
    let (mut lab, page, conn, session) = self::lab();
    lab.rooms.handle_driver_gone(lab.now, page);
    assert_eq!(car_byes(&lab.drain()), [(conn, session, ByeReason::DriverLeft)]);
    let (mut lab, page, conn, session) = self::lab();
    lab.rooms.handle_driver_revoked(lab.now, page);
    assert_eq!(car_byes(&lab.drain()), [(conn, session, ByeReason::Revoked)]);
    let (mut lab, page, conn, session) = self::lab();
    lab.car_says(conn, FromCar::Bye { session, reason: ByeReason::IceFailed });
    assert_eq!(driver_byes(&lab.drain()), [(page, session, ByeReason::IceFailed)]);
    let (mut lab, page, conn, session) = self::lab();
    lab.rooms.handle_car_gone(lab.now, conn);
    assert_eq!(driver_byes(&lab.drain()), [(page, session, ByeReason::CarGone)]);
    let (mut lab, page, _, session) = self::lab();
    lab.car(2, 'a');
    assert_eq!(driver_byes(&lab.drain()), [(page, session, ByeReason::CarGone)]);
    let (mut lab, page, _, session) = self::lab();
    lab.rooms.handle_car_revoked(lab.now, &car('a'));
    assert_eq!(driver_byes(&lab.drain()), [(page, session, ByeReason::Revoked)]);
    assert_eq!(lab.rooms.prepared_count(), 0);
    // What is still on its way is of no session.
    lab.says(page, FromDriver::Answer { session, generation: 1, sdp: sdp() });
    assert!(error(&lab.drain()).is_some());
}

#[test]
fn nobody_else_speaks_in_it() {
    let (mut lab, _, conn, session) = lab();
    // The same user in another page, and another car.
    let (other, other_car) = (lab.driver(2, "Ada"), lab.car(2, 'b'));
    lab.advance(Duration::from_secs(1));
    lab.drain();
    lab.says(other, FromDriver::Answer { session, generation: 1, sdp: sdp() });
    lab.says(other, FromDriver::Bye { session, reason: ByeReason::DriverLeft });
    lab.car_says(other_car, FromCar::Offer { session, generation: 9, sdp: sdp() });
    lab.car_says(other_car, FromCar::Bye { session, reason: ByeReason::CarLeft });
    let effects = lab.drain();
    assert!(!effects.iter().any(|e| matches!(e, Effect::ToCar { to, .. } if *to == conn)));
    assert_eq!(lab.rooms.prepared_count(), 1);
    lab.says(other, connect('a'));
    assert_ne!(connecting(&lab.drain()), Some(session));
}
