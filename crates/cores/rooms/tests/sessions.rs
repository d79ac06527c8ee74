//! Who gets a car, and how it is given back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Lab, car, car_byes, connecting, driver_byes, error, lists, sdp, software};
use rccar_protocol::signaling::{
    ByeReason, CarPresence, ErrorCode, FromCar, FromDriver, ToCar, ToDriver,
};
use rccar_protocol::text::SessionId;
use rccar_rooms::{CarConn, Close, Effect, Options};
use std::time::Duration;

fn connect(letter: char) -> FromDriver {
    FromDriver::Connect { car: car(letter), trickle: true, take: false }
}

#[test]
fn connect_tells_both_ends_of_the_new_session() {
    let mut lab = Lab::new();
    let (conn, driver) = (lab.car(1, 'a'), lab.driver(1, "Ada"));
    lab.drain();
    lab.says(driver, FromDriver::Connect { car: car('a'), trickle: false, take: false });
    let effects = lab.drain();
    let session = connecting(&effects).unwrap();
    let expected = ToCar::Connect {
        session,
        driver: common::name("Ada"),
        trickle: false,
        take: false,
        ice_servers: vec![],
    };
    assert!(effects.contains(&Effect::ToCar { to: conn, message: expected }));
}

#[test]
fn a_second_user_is_refused_and_told_who_drives() {
    let mut lab = Lab::new();
    lab.driven();
    let other = lab.driver(2, "Bob");
    lab.drain();
    lab.says(other, connect('a'));
    let effects = lab.drain();
    let (code, text) = error(&effects).unwrap();
    assert_eq!(code, ErrorCode::CarBusy);
    assert!(text.contains("Ada"), "{text}");
    assert_eq!(effects.len(), 1, "the car hears nothing of it: {effects:?}");
}

#[test]
fn offline_and_unknown_cars_are_told_apart() {
    let mut lab = Lab::new();
    let driver = lab.driver(1, "Ada");
    lab.says(driver, connect('a'));
    assert_eq!(error(&lab.drain()).unwrap().0, ErrorCode::CarOffline);
    lab.says(driver, connect('c'));
    assert_eq!(error(&lab.drain()).unwrap().0, ErrorCode::NoSuchCar);
}

#[test]
fn the_same_user_in_another_page_takes_over() {
    let mut lab = Lab::new();
    let (old_page, conn, old) = lab.driven();
    let page = lab.driver(2, "Ada");
    lab.says(page, connect('a'));
    let effects = lab.drain();
    let new = connecting(&effects).unwrap();
    assert_ne!(new, old);
    assert_eq!(driver_byes(&effects), [(old_page, old, ByeReason::Replaced)]);
    assert_eq!(car_byes(&effects), [(conn, old, ByeReason::Replaced)]);
    let at = |wanted: &dyn Fn(&ToCar) -> bool| {
        effects
            .iter()
            .position(|effect| matches!(effect, Effect::ToCar { message, .. } if wanted(message)))
            .unwrap()
    };
    assert!(
        at(&|message| matches!(message, ToCar::Bye { .. }))
            < at(&|message| matches!(message, ToCar::Connect { .. }))
    );
}

#[test]
fn a_page_that_connects_again_does_not_get_a_bye_for_its_own_doing() {
    let mut lab = Lab::new();
    let (page, conn, old) = lab.driven();
    lab.says(page, connect('a'));
    let effects = lab.drain();
    assert!(connecting(&effects).is_some());
    assert_eq!(driver_byes(&effects), []);
    assert_eq!(car_byes(&effects), [(conn, old, ByeReason::Replaced)]);
}

#[test]
fn a_page_that_connects_to_another_car_leaves_the_first() {
    let mut lab = Lab::new();
    let (page, conn, old) = lab.driven();
    lab.car(2, 'b');
    lab.says(page, connect('b'));
    let effects = lab.drain();
    assert_eq!(car_byes(&effects), [(conn, old, ByeReason::DriverLeft)]);
    assert_eq!(lab.rooms.session_count(), 1);
}

#[test]
fn messages_reach_the_other_end_only() {
    let mut lab = Lab::new();
    let (driver, conn, session) = lab.driven();
    lab.says(driver, FromDriver::Answer { session, generation: 1, sdp: sdp() });
    assert_eq!(
        lab.drain(),
        [Effect::ToCar { to: conn, message: ToCar::Answer { session, generation: 1, sdp: sdp() } }]
    );
    lab.car_says(conn, FromCar::Offer { session, generation: 2, sdp: sdp() });
    assert_eq!(
        lab.drain(),
        [Effect::ToDriver {
            to: driver,
            message: ToDriver::Offer { session, generation: 2, sdp: sdp() }
        }]
    );
}

#[test]
fn nobody_speaks_in_the_session_of_others() {
    let mut lab = Lab::new();
    let (_, _, session) = lab.driven();
    let (stranger, other_car) = (lab.driver(2, "Bob"), lab.car(2, 'b'));
    lab.advance(Duration::from_secs(1));
    lab.drain();
    lab.says(stranger, FromDriver::Restart { session });
    let effects = lab.drain();
    assert_eq!((effects.len(), error(&effects).unwrap().0), (1, ErrorCode::NoSuchSession));
    lab.car_says(other_car, FromCar::Offer { session, generation: 9, sdp: sdp() });
    let effects = lab.drain();
    assert_eq!((effects.len(), error(&effects).unwrap().0), (1, ErrorCode::NoSuchSession));
    lab.says(stranger, FromDriver::Bye { session, reason: ByeReason::DriverLeft });
    lab.car_says(other_car, FromCar::Bye { session, reason: ByeReason::CarLeft });
    assert_eq!(lab.rooms.session_count(), 1);
}

#[test]
fn bye_reaches_the_other_end_once_and_frees_the_car() {
    let mut lab = Lab::new();
    let (driver, conn, session) = lab.driven();
    let bye = FromDriver::Bye { session, reason: ByeReason::DriverLeft };
    lab.says(driver, bye.clone());
    let effects = lab.drain();
    assert_eq!(car_byes(&effects), [(conn, session, ByeReason::DriverLeft)]);
    assert_eq!(driver_byes(&effects), []);
    lab.says(driver, bye);
    assert_eq!(lab.drain(), [], "a bye that crosses another is not an error");
    lab.advance(Duration::from_secs(1));
    assert_eq!(lists(&lab.drain()).last().unwrap()[0].presence, CarPresence::Available);
}

#[test]
fn a_car_that_does_not_offer_in_time_loses_the_session() {
    let mut lab = Lab::new();
    let (conn, driver) = (lab.car(1, 'a'), lab.driver(1, "Ada"));
    lab.says(driver, connect('a'));
    let session = connecting(&lab.drain()).unwrap();
    lab.advance(Duration::from_millis(9_999));
    assert_eq!(lab.rooms.session_count(), 1);
    lab.drain();
    lab.advance(Duration::from_millis(1));
    let effects = lab.drain();
    assert_eq!(error(&effects).unwrap().0, ErrorCode::Timeout);
    assert_eq!(driver_byes(&effects), [(driver, session, ByeReason::CarGone)]);
    assert_eq!(car_byes(&effects), [(conn, session, ByeReason::CarGone)]);
}

#[test]
fn a_car_has_one_connection_and_its_session_moves_to_the_new_one() {
    let mut lab = Lab::new();
    let (driver, old, session) = lab.driven();
    let new = lab.car(2, 'a');
    let effects = lab.drain();
    assert!(effects.contains(&Effect::CloseCar { conn: old, why: Close::Replaced }));
    lab.rooms.handle_car_gone(lab.now, old);
    lab.says(driver, FromDriver::Restart { session });
    assert!(matches!(
        &lab.drain()[..],
        [Effect::ToCar { to, message: ToCar::Restart { .. } }] if *to == new
    ));
}

#[test]
fn a_revoked_car_is_sent_away_and_its_driver_told() {
    let mut lab = Lab::new();
    let (driver, conn, session) = lab.driven();
    lab.rooms.handle_enrolled_cars(lab.now, vec![]);
    let effects = lab.drain();
    assert_eq!(driver_byes(&effects), [(driver, session, ByeReason::Revoked)]);
    assert!(effects.contains(&Effect::CloseCar { conn, why: Close::Revoked }));
    lab.advance(Duration::from_secs(1));
    let gone = ToDriver::Cars { cars: vec![], gone: vec![car('a'), car('b')], more: false };
    assert!(lab.drain().contains(&Effect::ToDriver { to: driver, message: gone }));
}

#[test]
fn a_driver_who_signed_out_loses_session_and_connection() {
    let mut lab = Lab::new();
    let (driver, conn, session) = lab.driven();
    lab.rooms.handle_driver_revoked(lab.now, driver);
    let effects = lab.drain();
    assert_eq!(car_byes(&effects), [(conn, session, ByeReason::Revoked)]);
    assert!(effects.contains(&Effect::CloseDriver { conn: driver, why: Close::SignedOut }));
}

#[test]
fn a_car_that_is_not_known_is_refused() {
    let mut lab = Lab::new();
    let conn = lab.car(1, 'c');
    let effects = lab.drain();
    assert_eq!(error(&effects).unwrap().0, ErrorCode::NotEnrolled);
    assert!(effects.contains(&Effect::CloseCar { conn, why: Close::NotEnrolled }));
}

#[test]
fn shutdown_says_bye_and_closes_everything() {
    let mut lab = Lab::new();
    let (driver, conn, session) = lab.driven();
    lab.rooms.handle_shutdown(lab.now);
    let effects = lab.drain();
    assert_eq!(driver_byes(&effects), [(driver, session, ByeReason::Shutdown)]);
    assert_eq!(car_byes(&effects), [(conn, session, ByeReason::Shutdown)]);
    assert!(effects.contains(&Effect::CloseDriver { conn: driver, why: Close::Shutdown }));
    assert!(effects.contains(&Effect::CloseCar { conn, why: Close::Shutdown }));
    assert_eq!(lab.rooms.poll_timeout(), None);
}

#[test]
fn row_11_where_drives_go_on_a_shutdown_ends_connections_and_says_nothing_of_sessions() {
    let mut lab = Lab::with(Options { drives_go_on: true, ..Options::new(software()) });
    let (driver, conn, session) = lab.driven();
    lab.rooms.handle_shutdown(lab.now);
    let effects = lab.drain();
    assert_eq!((driver_byes(&effects), car_byes(&effects)), (vec![], vec![]), "of {session}");
    assert!(effects.contains(&Effect::CloseDriver { conn: driver, why: Close::Shutdown }));
    assert!(effects.contains(&Effect::CloseCar { conn, why: Close::Shutdown }));
    assert_eq!((lab.rooms.poll_timeout(), lab.rooms.session_count()), (None, 0));
}

#[test]
fn the_same_random_bits_give_different_sessions() {
    let mut lab = Lab::new();
    let mut sessions = vec![];
    for (number, letter) in [(1, 'a'), (2, 'b')] {
        lab.car(number, letter);
        let driver = lab.driver(number, "Ada");
        lab.rooms.handle_driver(lab.now, driver, connect(letter), 7);
        sessions.push(connecting(&lab.drain()).unwrap());
    }
    assert_eq!(sessions, [SessionId::from_random(7), SessionId::from_random(8)]);
}

#[test]
fn the_list_is_pushed_at_most_five_times_a_second() {
    let mut lab = Lab::new();
    lab.driver(1, "Ada");
    lab.drain();
    for flap in 0..20 {
        lab.car(flap, 'a');
        lab.advance(Duration::from_millis(10));
        lab.rooms.handle_car_gone(lab.now, CarConn(flap));
        lab.advance(Duration::from_millis(10));
    }
    lab.advance(Duration::from_secs(1));
    let pushed = lists(&lab.drain());
    assert!((1..=4).contains(&pushed.len()), "{} pushes in 0.4 s", pushed.len());
    assert_eq!(pushed.last().unwrap()[0].presence, CarPresence::Offline);
}

#[test]
fn a_second_hello_or_register_is_out_of_order() {
    let mut lab = Lab::new();
    let (driver, ..) = lab.driven();
    lab.says(driver, FromDriver::Hello { v: 1, software: None, lists: Vec::new() });
    assert_eq!(error(&lab.drain()).unwrap().0, ErrorCode::OutOfOrder);
}
