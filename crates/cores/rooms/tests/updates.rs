//! Cars report about their updates.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Lab, car, lists, name};
use rccar_protocol::release::{UpdateState, UpdateStatus};
use rccar_protocol::signaling::{FromCar, ToCar};
use rccar_protocol::text::Note;
use rccar_rooms::{CarConn, Effect, EnrolledCar, Event, InstallRefusal};
use std::time::Duration;

fn status(state: UpdateState, running: &str) -> UpdateStatus {
    UpdateStatus {
        state,
        running: running.parse().unwrap(),
        version: None,
        percent: None,
        bytes: None,
        reason: None,
        on_request: false,
    }
}

fn failed(running: &str) -> UpdateStatus {
    let version = Some("0.4.0".parse().unwrap());
    UpdateStatus {
        version,
        reason: Some(Note::new("no picture").unwrap()),
        ..status(UpdateState::Failed, running)
    }
}

/// The list's entry of car `a` after the car has reported this.
fn shown(lab: &mut Lab, conn: CarConn, status: UpdateStatus) -> Option<UpdateStatus> {
    lab.car_says(conn, FromCar::Update { status });
    lab.rooms.cars()[0].update.clone()
}

#[test]
fn drivers_see_it_in_the_list_and_the_shell_hears_of_it_once() {
    let mut lab = Lab::new();
    let (conn, _) = (lab.car(1, 'a'), lab.driver(2, "Ada"));
    lab.advance(Duration::from_secs(1));
    lab.drain();
    let status = status(UpdateState::Downloading, "0.3.1");
    for _ in 0..2 {
        lab.car_says(conn, FromCar::Update { status: status.clone() });
    }
    assert_eq!(
        lab.rooms.poll_event(),
        Some(Event::UpdateStatus { car: car('a'), status: status.clone() })
    );
    assert_eq!(lab.rooms.poll_event(), None, "nothing has changed");
    lab.advance(Duration::from_secs(1));
    assert_eq!(lists(&lab.drain()).last().unwrap()[0].update, Some(status));
}

#[test]
fn it_outlasts_the_connection() {
    let mut lab = Lab::new();
    let conn = lab.car(1, 'a');
    shown(&mut lab, conn, failed("0.3.1"));
    lab.rooms.handle_car_gone(lab.now, conn);
    assert_eq!(lab.rooms.cars()[0].update, Some(failed("0.3.1")));
    lab.car(2, 'a');
    assert_eq!(lab.rooms.cars()[0].update, Some(failed("0.3.1")));
}

#[test]
fn a_failure_is_remembered_until_another_version_runs_or_something_new_happens() {
    let mut lab = Lab::new();
    let conn = lab.car(1, 'a');
    shown(&mut lab, conn, failed("0.3.1"));
    let idle = status(UpdateState::Idle, "0.3.1");
    let remembered = UpdateStatus { state: UpdateState::Idle, ..failed("0.3.1") };
    assert_eq!(shown(&mut lab, conn, idle.clone()), Some(remembered.clone()));
    assert_eq!(
        shown(&mut lab, conn, idle.clone()),
        Some(remembered),
        "however often the car forgets it"
    );
    let newer = status(UpdateState::Idle, "0.4.0");
    assert_eq!(shown(&mut lab, conn, newer.clone()), Some(newer));

    shown(&mut lab, conn, failed("0.3.1"));
    let downloading = status(UpdateState::Downloading, "0.3.1");
    assert_eq!(shown(&mut lab, conn, downloading.clone()), Some(downloading));
    assert_eq!(shown(&mut lab, conn, idle.clone()), Some(idle));
}

#[test]
fn nobody_speaks_for_a_car_that_is_not_known() {
    let mut lab = Lab::new();
    lab.rooms.handle_update_status(lab.now, &car('z'), failed("0.3.1"));
    lab.car_says(CarConn(77), FromCar::Update { status: failed("0.3.1") });
    assert_eq!(lab.rooms.poll_event(), None);
    assert!(lab.rooms.cars().iter().all(|car| car.update.is_none()));
}

#[test]
fn only_the_owner_starts_an_update_and_only_the_one_that_waits_for_it() {
    let mut lab = Lab::new();
    let version = |text: &str| text.parse().unwrap();
    let ask = |lab: &mut Lab, user: &str, text: &str| {
        lab.rooms.handle_install(&name(user), &car('a'), version(text))
    };
    assert_eq!(
        lab.rooms.handle_install(&name("Ada"), &car('z'), version("0.4.0")),
        Err(InstallRefusal::NoSuchCar)
    );
    assert_eq!(ask(&mut lab, "Ada", "0.4.0"), Err(InstallRefusal::NotYours), "nobody's");
    lab.rooms.handle_enrolled_car(
        lab.now,
        EnrolledCar {
            id: car('a'),
            name: name("Blitz"),
            owner: Some(name("Ada")),
            shared: Default::default(),
        },
    );
    assert_eq!(ask(&mut lab, "Ada", "0.4.0"), Err(InstallRefusal::Offline));

    let conn = lab.car(1, 'a');
    assert_eq!(
        ask(&mut lab, "Ada", "0.4.0"),
        Err(InstallRefusal::NotOnRequest),
        "it has not said anything"
    );
    let waits = UpdateStatus {
        version: Some(version("0.4.0")),
        on_request: true,
        ..status(UpdateState::Waiting, "0.3.1")
    };
    shown(&mut lab, conn, UpdateStatus { on_request: false, ..waits.clone() });
    assert_eq!(
        ask(&mut lab, "Ada", "0.4.0"),
        Err(InstallRefusal::NotOnRequest),
        "something else holds it"
    );
    shown(&mut lab, conn, waits);
    assert_eq!(ask(&mut lab, "Ada", "0.4.1"), Err(InstallRefusal::NotOnRequest), "another version");
    assert_eq!(ask(&mut lab, "Bob", "0.4.0"), Err(InstallRefusal::NotYours), "somebody else's");
    lab.drain();
    assert_eq!(ask(&mut lab, "Ada", "0.4.0"), Ok(()));
    assert_eq!(
        lab.drain(),
        [Effect::ToCar { to: conn, message: ToCar::Install { version: version("0.4.0") } }]
    );
}
