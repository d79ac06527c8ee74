//! What happens while an end's socket is away: a peer connection outlives the sockets that set it
//! up.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Lab, car, car_byes, connecting, driver_byes, error, lists, name, sdp};
use rccar_protocol::signaling::{
    ByeReason, CarPresence, ErrorCode, FromCar, FromDriver, ToCar, ToDriver,
};
use rccar_rooms::{Close, Effect, Event};
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(15);

#[test]
fn a_driver_who_comes_back_in_time_goes_on() {
    let mut lab = Lab::new();
    let (page, conn, session) = lab.driven();
    lab.rooms.handle_driver_gone(lab.now, page);
    lab.advance(GRACE - Duration::from_millis(1));
    let page = lab.driver(2, "Ada");
    lab.drain();
    lab.says(page, FromDriver::Restart { session });
    assert_eq!(lab.rooms.poll_event(), Some(Event::DriverBack { session }));
    assert_eq!(
        lab.drain(),
        [Effect::ToCar { to: conn, message: ToCar::Restart { session, ice_servers: vec![] } }]
    );
    lab.advance(GRACE * 2);
    assert_eq!(lab.rooms.session_count(), 1);
}

#[test]
fn a_driver_who_does_not_come_back_loses_the_car() {
    let mut lab = Lab::new();
    let (page, conn, session) = lab.driven();
    lab.rooms.handle_driver_gone(lab.now, page);
    lab.advance(GRACE);
    assert_eq!(car_byes(&lab.drain()), [(conn, session, ByeReason::DriverGone)]);
    let page = lab.driver(2, "Ada");
    lab.drain();
    lab.says(page, FromDriver::Restart { session });
    assert_eq!(error(&lab.drain()).unwrap().0, ErrorCode::NoSuchSession);
}

#[test]
fn after_the_grace_the_car_itself_says_whether_it_is_driven() {
    let mut lab = Lab::new();
    let (page, conn, old) = lab.driven();
    lab.rooms.handle_driver_gone(lab.now, page);
    lab.advance(GRACE);
    lab.drain();
    // The drive goes on, and the host does not know it.
    assert_eq!(lab.rooms.cars()[0].presence, CarPresence::Available);
    let other = lab.driver(2, "Bob");
    for _ in 0..2 {
        lab.says(other, FromDriver::Connect { car: car('a'), trickle: true, take: false });
        let session = connecting(&lab.drain()).unwrap();
        lab.car_says(conn, FromCar::Bye { session, reason: ByeReason::CarBusy });
        assert_eq!(driver_byes(&lab.drain()), [(other, session, ByeReason::CarBusy)]);
        assert_eq!(
            (lab.rooms.session_count(), lab.rooms.cars()[0].presence),
            (0, CarPresence::Available)
        );
    }
    // The page comes back, and the car wants another path. Both learn that the host no longer knows
    // the session.
    let page = lab.driver(3, "Ada");
    lab.drain();
    lab.says(page, FromDriver::Restart { session: old });
    assert_eq!(error(&lab.drain()).unwrap().0, ErrorCode::NoSuchSession);
    lab.car_says(conn, FromCar::Offer { session: old, generation: 2, sdp: sdp() });
    assert_eq!(error(&lab.drain()).unwrap().0, ErrorCode::NoSuchSession);
    // The drive ends; the next connect is an ordinary one.
    lab.car_says(conn, FromCar::Bye { session: old, reason: ByeReason::DriverLeft });
    lab.says(other, FromDriver::Connect { car: car('a'), trickle: true, take: false });
    let session = connecting(&lab.drain()).unwrap();
    lab.car_says(conn, FromCar::Offer { session, generation: 1, sdp: sdp() });
    assert_eq!(
        lab.drain(),
        [Effect::ToDriver {
            to: other,
            message: ToDriver::Offer { session, generation: 1, sdp: sdp() }
        }]
    );
}

#[test]
fn a_user_who_is_gone_for_good_loses_the_session_even_while_away() {
    let mut lab = Lab::new();
    let (page, conn, session) = lab.driven();
    let other = lab.driver(2, "Bob");
    lab.drain();
    lab.rooms.handle_driver_gone(lab.now, page);
    assert_eq!(lab.rooms.users(), [name("Ada"), name("Bob")].into());
    lab.rooms.handle_user_revoked(lab.now, &name("Ada"));
    assert_eq!(
        lab.drain(),
        [Effect::ToCar { to: conn, message: ToCar::Bye { session, reason: ByeReason::Revoked } }]
    );
    assert_eq!(lab.rooms.users(), [name("Bob")].into());
    lab.rooms.handle_user_revoked(lab.now, &name("Bob"));
    assert_eq!(lab.drain(), [Effect::CloseDriver { conn: other, why: Close::SignedOut }]);
}

#[test]
fn nobody_else_takes_the_session_of_an_absent_driver() {
    let mut lab = Lab::new();
    let (page, _, session) = lab.driven();
    lab.rooms.handle_driver_gone(lab.now, page);
    let other = lab.driver(2, "Bob");
    lab.drain();
    lab.says(other, FromDriver::Restart { session });
    assert_eq!(error(&lab.drain()).unwrap().0, ErrorCode::NoSuchSession);
    lab.says(other, FromDriver::Connect { car: car('a'), trickle: true, take: false });
    assert_eq!(error(&lab.drain()).unwrap().0, ErrorCode::CarBusy);
}

#[test]
fn connecting_anew_during_the_absence_replaces_at_once() {
    let mut lab = Lab::new();
    let (page, conn, session) = lab.driven();
    lab.rooms.handle_driver_gone(lab.now, page);
    let page = lab.driver(2, "Ada");
    lab.says(page, FromDriver::Connect { car: car('a'), trickle: true, take: false });
    let effects = lab.drain();
    assert_eq!(car_byes(&effects), [(conn, session, ByeReason::Replaced)]);
    assert!(connecting(&effects).is_some());
}

#[test]
fn a_page_is_back_before_its_old_socket_is_found_dead() {
    let mut lab = Lab::new();
    let (old, conn, session) = lab.driven();
    let new = lab.driver(2, "Ada");
    lab.says(new, FromDriver::Restart { session });
    lab.drain();
    lab.rooms.handle_driver_gone(lab.now, old);
    lab.advance(GRACE * 2);
    assert_eq!(lab.rooms.session_count(), 1, "the session no longer hangs on the old socket");
    lab.drain();
    lab.car_says(conn, FromCar::Bye { session, reason: ByeReason::CarLeft });
    assert_eq!(driver_byes(&lab.drain()), [(new, session, ByeReason::CarLeft)]);
}

#[test]
fn what_the_car_sent_in_the_meantime_is_delivered() {
    let mut lab = Lab::new();
    let (page, conn, session) = lab.driven();
    lab.rooms.handle_driver_gone(lab.now, page);
    for generation in 2..=3 {
        lab.car_says(conn, FromCar::Offer { session, generation, sdp: sdp() });
    }
    let page = lab.driver(2, "Ada");
    lab.drain();
    lab.says(page, FromDriver::Restart { session });
    let offer = Effect::ToDriver {
        to: page,
        message: ToDriver::Offer { session, generation: 3, sdp: sdp() },
    };
    assert_eq!(lab.drain()[0], offer);
}

#[test]
fn a_car_that_comes_back_in_time_keeps_its_driver() {
    let mut lab = Lab::new();
    let (driver, conn, session) = lab.driven();
    lab.driver(2, "Bob");
    lab.drain();
    lab.rooms.handle_car_gone(lab.now, conn);
    lab.advance(Duration::from_secs(1));
    assert_eq!(lists(&lab.drain())[0][0].presence, CarPresence::Offline, "others see it at once");
    lab.says(driver, FromDriver::Restart { session });
    assert_eq!(lab.drain(), []);
    lab.advance(Duration::from_secs(10));
    let conn = lab.car(2, 'a');
    let effects = lab.drain();
    assert!(matches!(effects[0], Effect::ToCar { message: ToCar::Registered { .. }, .. }));
    assert_eq!(
        effects[1],
        Effect::ToCar { to: conn, message: ToCar::Restart { session, ice_servers: vec![] } }
    );
    lab.advance(GRACE * 2);
    assert_eq!(lab.rooms.session_count(), 1);
}

#[test]
fn a_car_that_does_not_come_back_ends_the_session() {
    let mut lab = Lab::new();
    let (driver, conn, session) = lab.driven();
    lab.rooms.handle_car_gone(lab.now, conn);
    lab.advance(GRACE);
    assert_eq!(driver_byes(&lab.drain()), [(driver, session, ByeReason::CarGone)]);
    assert_eq!(lab.rooms.session_count(), 0);
}
