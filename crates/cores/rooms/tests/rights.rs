//! Who sees, drives and keeps which car.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Lab, car, connecting, driver_byes, error, name, sdp, software};
use rccar_protocol::release::{UpdateState, UpdateStatus};
use rccar_protocol::signaling::{
    ByeReason, CarRole, ErrorCode, FromCar, FromDriver, ListShow, ListSort, ListWish, ToCar,
    ToDriver,
};
use rccar_protocol::text::{Name, SessionId};
use rccar_rooms::{DriverConn, Effect, EnrolledCar, Options, Shared};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn known(letter: char, owner: &str, shared: Shared) -> EnrolledCar {
    EnrolledCar {
        id: car(letter),
        name: name(&format!("car {letter}")),
        owner: Some(name(owner)),
        shared,
    }
}

fn with(people: &[(&str, CarRole)]) -> Shared {
    let people = people.iter().map(|(user, role)| (name(user), *role)).collect();
    Shared { everybody: None, people }
}

/// Car `a` is Ada's, with Bob as driver and Eve as spectator; car `b` is Zoe's alone. Root is an
/// admin.
fn lab() -> Lab {
    let idle = Some(Duration::from_secs(300));
    let mut lab = Lab::with(Options { by_rights: true, idle, ..Options::new(software()) });
    let cars = vec![
        known('a', "Ada", with(&[("Bob", CarRole::Driver), ("Eve", CarRole::Spectator)])),
        known('b', "Zoe", Shared::default()),
    ];
    lab.rooms.handle_enrolled_cars(lab.now, cars);
    lab.rooms.handle_admins(lab.now, [name("Root")].into());
    lab.advance(SECOND);
    lab.drain();
    lab
}

fn seen(lab: &Lab, user: &str) -> Vec<(char, CarRole)> {
    let cars = lab.rooms.cars_of(&name(user));
    cars.iter().map(|car| (car.id.as_str().chars().next().unwrap(), car.role.unwrap())).collect()
}

fn connect(letter: char, take: bool) -> FromDriver {
    FromDriver::Connect { car: car(letter), trickle: true, take }
}

/// A page that asks for parts of the list.
fn page(lab: &mut Lab, conn: u64, user: &str) -> DriverConn {
    let conn = DriverConn(conn);
    lab.rooms.handle_driver_joined(lab.now, conn, name(user), true);
    let wish = ListWish {
        id: 1,
        search: None,
        show: ListShow::All,
        sort: ListSort::Name,
        car: None,
        from: 0,
        count: 50,
    };
    lab.says(conn, FromDriver::List(wish));
    lab.advance(SECOND);
    conn
}

/// What pages of both kinds have been told since, in letters.
fn told(lab: &mut Lab, to: DriverConn) -> (Option<usize>, Vec<String>) {
    lab.advance(Duration::from_secs(3));
    let (mut count, mut lines) = (None, vec![]);
    for effect in lab.drain() {
        let Effect::ToDriver { to: other, message } = effect else { continue };
        if other != to {
            continue;
        }
        match message {
            ToDriver::Welcome { cars, .. } | ToDriver::List { cars, .. } => {
                count = Some(cars.len());
                lines.extend(cars.iter().map(|car| format!("{} {:?}", car.name, car.role)));
            }
            ToDriver::Cars { cars, gone, .. } => {
                lines.extend(cars.iter().map(|car| format!("{} {:?}", car.name, car.role)));
                lines.extend(gone.iter().map(|id| format!("gone {}", &id.as_str()[..1])));
            }
            _ => {}
        }
    }
    (count, lines)
}

fn wanted(effects: &[Effect]) -> Vec<(DriverConn, Option<Name>, bool)> {
    let wanted = |effect: &Effect| match effect {
        Effect::ToDriver { to, message: ToDriver::Wanted { by, update, idle_s: 300, .. } } => {
            Some((*to, by.clone(), *update))
        }
        _ => None,
    };
    effects.iter().filter_map(wanted).collect()
}

/// Bob drives car `a`.
fn driven(lab: &mut Lab) -> (DriverConn, SessionId) {
    let (conn, bob) = (lab.car(1, 'a'), lab.driver(1, "Bob"));
    lab.says(bob, connect('a', false));
    let session = connecting(&lab.drain()).unwrap();
    lab.car_says(conn, FromCar::Offer { session, generation: 1, sdp: sdp() });
    lab.advance(SECOND);
    lab.drain();
    (bob, session)
}

#[test]
fn row_4_people_see_and_drive_the_cars_to_which_they_have_a_right() {
    let mut lab = lab();
    assert_eq!(seen(&lab, "Ada"), [('a', CarRole::Owner)]);
    assert_eq!(seen(&lab, "Bob"), [('a', CarRole::Driver)]);
    assert_eq!(seen(&lab, "Eve"), [('a', CarRole::Spectator)]);
    assert_eq!(seen(&lab, "Mallory"), []);
    assert_eq!(seen(&lab, "Root"), [('a', CarRole::Owner), ('b', CarRole::Owner)]);
    lab.car(1, 'a');
    for (user, letter, refused) in [
        ("Mallory", 'a', Some(ErrorCode::NoSuchCar)),
        ("Bob", 'b', Some(ErrorCode::NoSuchCar)),
        ("Eve", 'a', Some(ErrorCode::Forbidden)),
        ("Bob", 'a', None),
    ] {
        let driver = lab.driver(lab.now.0, user);
        lab.drain();
        lab.says(driver, connect(letter, false));
        assert_eq!(error(&lab.drain()).map(|(code, _)| code), refused, "{user} {letter}");
        lab.advance(SECOND);
    }
}

#[test]
fn row_4_lists_of_both_kinds_show_no_car_without_a_right_and_follow_the_rights() {
    let mut lab = lab();
    let old = lab.driver(1, "Bob");
    let (_, lines) = told(&mut lab, old);
    assert_eq!(lines, ["car a Some(Driver)"]);
    let new = page(&mut lab, 2, "Bob");
    assert_eq!(told(&mut lab, new), (Some(1), vec!["car a Some(Driver)".into()]));

    // Car b is shared with Bob, and car a no longer.
    lab.rooms.handle_enrolled_car(lab.now, known('b', "Zoe", with(&[("Bob", CarRole::Driver)])));
    lab.rooms.handle_enrolled_car(lab.now, known('a', "Ada", Shared::default()));
    let before = lab.rooms.cars_of(&name("Bob")).len();
    assert_eq!(before, 1);
    let mut effects = vec![];
    lab.advance(Duration::from_secs(3));
    effects.extend(lab.drain());
    let news = |to: DriverConn| {
        effects.iter().find_map(|effect| match effect {
            Effect::ToDriver { to: other, message: ToDriver::Cars { cars, gone, .. } }
                if *other == to =>
            {
                Some((cars.len(), gone.clone()))
            }
            Effect::ToDriver { to: other, message: ToDriver::List { order, known, .. } }
                if *other == to =>
            {
                assert_eq!(*known, 1);
                Some((order.clone().unwrap().len(), vec![]))
            }
            _ => None,
        })
    };
    assert_eq!(news(old), Some((1, vec![car('a')])));
    assert_eq!(news(new), Some((1, vec![])));

    // A car that Bob does not see changes: nobody tells him.
    lab.car(7, 'a');
    assert_eq!(told(&mut lab, old).1, Vec::<String>::new());
}

#[test]
fn row_4_whoever_becomes_an_admin_sees_all_cars_and_then_only_the_own_ones_again() {
    let mut lab = lab();
    let (old, new) = (lab.driver(1, "Bob"), page(&mut lab, 2, "Bob"));
    told(&mut lab, old);
    lab.rooms.handle_admins(lab.now, [name("Root"), name("Bob")].into());
    lab.advance(Duration::from_secs(3));
    let effects = lab.drain();
    let cars = |to: DriverConn, effects: &[Effect]| -> usize {
        let count = |effect: &Effect| match effect {
            Effect::ToDriver {
                to: other,
                message: ToDriver::Cars { cars, .. } | ToDriver::List { cars, .. },
            } if *other == to => cars.len(),
            _ => 0,
        };
        effects.iter().map(count).sum()
    };
    assert_eq!((cars(old, &effects), cars(new, &effects)), (2, 2));
    lab.rooms.handle_admins(lab.now, [name("Root")].into());
    assert_eq!(told(&mut lab, old).1, ["gone b"]);
}

#[test]
fn row_4_a_right_that_is_taken_back_ends_the_drive() {
    for shared in [Shared::default(), with(&[("Bob", CarRole::Spectator)])] {
        let mut lab = lab();
        let (bob, session) = driven(&mut lab);
        lab.rooms.handle_enrolled_car(
            lab.now,
            known('a', "Ada", with(&[("Bob", CarRole::Driver), ("Zoe", CarRole::Driver)])),
        );
        assert_eq!(driver_byes(&lab.drain()), [], "his right is as it was");
        lab.rooms.handle_enrolled_car(lab.now, known('a', "Ada", shared));
        assert_eq!(driver_byes(&lab.drain()), [(bob, session, ByeReason::Revoked)]);
    }
}

#[test]
fn row_4_whoever_is_no_admin_any_more_loses_what_only_admins_may() {
    let mut lab = lab();
    let (conn, root) = (lab.car(1, 'b'), lab.driver(1, "Root"));
    lab.says(root, connect('b', false));
    let session = connecting(&lab.drain()).unwrap();
    lab.car_says(conn, FromCar::Offer { session, generation: 1, sdp: sdp() });
    lab.drain();
    lab.rooms.handle_admins(lab.now, [].into());
    assert_eq!(driver_byes(&lab.drain()), [(root, session, ByeReason::Revoked)]);
}

#[test]
fn row_4_an_owner_takes_the_car_back_and_the_driver_reads_by_whom() {
    for user in ["Ada", "Root"] {
        let mut lab = lab();
        let (bob, session) = driven(&mut lab);
        let owner = lab.driver(2, user);
        lab.drain();
        lab.says(owner, connect('a', false));
        assert_eq!(error(&lab.drain()).unwrap().0, ErrorCode::CarBusy, "not by accident");
        lab.says(owner, connect('a', true));
        let effects = lab.drain();
        let told = ToDriver::Bye { session, reason: ByeReason::TakenBack, by: Some(name(user)) };
        assert!(effects.contains(&Effect::ToDriver { to: bob, message: told }), "{effects:?}");
        assert!(connecting(&effects).is_some());
        let to_car: Vec<_> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::ToCar { message: ToCar::Bye { reason, .. }, .. } => {
                    Some(format!("{reason:?}"))
                }
                Effect::ToCar { message: ToCar::Connect { take, .. }, .. } => {
                    Some(format!("connect {take}"))
                }
                _ => None,
            })
            .collect();
        assert_eq!(to_car, ["TakenBack", "connect true"]);
    }
}

#[test]
fn row_4_nobody_else_takes_a_car() {
    let mut lab = lab();
    driven(&mut lab);
    for (user, refused) in [("Eve", ErrorCode::Forbidden), ("Zoe", ErrorCode::NoSuchCar)] {
        let driver = lab.driver(lab.now.0, user);
        lab.drain();
        lab.says(driver, connect('a', true));
        let effects = lab.drain();
        assert_eq!(error(&effects).unwrap().0, refused, "{user}");
        assert_eq!(driver_byes(&effects), []);
        lab.advance(SECOND);
    }
    // A driver may not take it from the owner, either.
    let mut lab = self::lab();
    let (_, ada) = (lab.car(1, 'a'), lab.driver(1, "Ada"));
    lab.says(ada, connect('a', false));
    let bob = lab.driver(2, "Bob");
    lab.drain();
    lab.says(bob, connect('a', true));
    assert_eq!(error(&lab.drain()).unwrap().0, ErrorCode::Forbidden);
}

#[test]
fn row_4_a_driver_is_told_who_waits_until_nobody_does() {
    let mut lab = lab();
    let (bob, _) = driven(&mut lab);
    let (ada, root) = (lab.driver(2, "Ada"), lab.driver(3, "Root"));
    lab.drain();
    lab.says(ada, connect('a', false));
    assert_eq!(wanted(&lab.drain()), [(bob, Some(name("Ada")), false)]);
    lab.says(ada, connect('a', false));
    lab.says(root, connect('a', false));
    assert_eq!(wanted(&lab.drain()), [], "once is enough");
    lab.rooms.handle_driver_gone(lab.now, ada);
    assert_eq!(wanted(&lab.drain()), [(bob, None, false)]);
    lab.says(root, connect('a', false));
    assert_eq!(wanted(&lab.drain()), [(bob, Some(name("Root")), false)]);

    let status = |state| UpdateStatus {
        state,
        running: "1.0.0".parse().unwrap(),
        version: Some("1.1.0".parse().unwrap()),
        percent: None,
        bytes: None,
        reason: None,
        on_request: false,
    };
    lab.rooms.handle_update_status(lab.now, &car('a'), status(UpdateState::Waiting));
    assert_eq!(wanted(&lab.drain()), [(bob, Some(name("Root")), true)]);
    lab.rooms.handle_update_status(lab.now, &car('a'), status(UpdateState::Waiting));
    assert_eq!(wanted(&lab.drain()), []);
}

#[test]
fn row_4_a_drive_that_begins_while_an_update_waits_is_told_so() {
    let mut lab = lab();
    let status = UpdateStatus {
        state: UpdateState::Waiting,
        running: "1.0.0".parse().unwrap(),
        version: Some("1.1.0".parse().unwrap()),
        percent: None,
        bytes: None,
        reason: None,
        on_request: false,
    };
    lab.rooms.handle_update_status(lab.now, &car('a'), status);
    lab.car(1, 'a');
    let bob = lab.driver(1, "Bob");
    lab.drain();
    lab.says(bob, connect('a', false));
    assert_eq!(wanted(&lab.drain()), [(bob, None, true)]);
}
