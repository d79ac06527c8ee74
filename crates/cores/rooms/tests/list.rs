//! Lists that do not fit into one message.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{name, sdp, software};
use rccar_protocol::MAX_MESSAGE_BYTES;
use rccar_protocol::signaling::{
    ByeReason, CarInfo, CarPresence, FromCar, FromDriver, Json, ToDriver,
};
use rccar_protocol::text::{CarId, SessionId};
use rccar_protocol::units::MonotonicMicros;
use rccar_rooms::{CarConn, DriverConn, Effect, EnrolledCar, Options, Rooms};
use std::collections::BTreeMap;
use std::time::Duration;

const ADA: DriverConn = DriverConn(1);

fn id(number: usize) -> CarId {
    let digits = format!("{number:05}")
        .bytes()
        .map(|digit| char::from(digit - b'0' + b'a'))
        .collect::<String>();
    CarId::new(format!("{digits:z<26}")).unwrap()
}

/// Every tenth car is Ada's; of the others every fifth is online.
fn many(cars: usize) -> Rooms {
    let mut rooms = Rooms::new(Options::new(software()));
    let owner = |number: usize| Some(name(if number % 10 == 9 { "Ada" } else { "Bob" }));
    let known = |number| EnrolledCar {
        id: id(number),
        name: name(&format!("Car {number}")),
        owner: owner(number),
        shared: Default::default(),
    };
    rooms.handle_enrolled_cars(MonotonicMicros(0), (0..cars).map(known).collect());
    for number in (0..cars).step_by(5) {
        rooms.handle_car_joined(MonotonicMicros(0), CarConn(number as u64), id(number), software());
    }
    while rooms.poll_effect().is_some() {}
    rooms
}

/// All messages to a driver who reads at once, until nothing is due within a second.
fn told(rooms: &mut Rooms, from: MonotonicMicros) -> Vec<(MonotonicMicros, ToDriver)> {
    let mut messages = vec![];
    let mut now = from;
    loop {
        while let Some(effect) = rooms.poll_effect() {
            match effect {
                Effect::ListWaits { to } => rooms.handle_list_wanted(now, to),
                Effect::ToDriver { message, .. } => messages.push((now, message)),
                _ => {}
            }
        }
        match rooms.poll_timeout().filter(|&due| due <= from.plus(Duration::from_secs(10))) {
            Some(due) => {
                now = now.max(due);
                rooms.handle_timeout(now);
            }
            None => return messages,
        }
    }
}

fn parts(messages: &[(MonotonicMicros, ToDriver)]) -> Vec<(&[CarInfo], bool)> {
    messages
        .iter()
        .filter_map(|(_, message)| match message {
            ToDriver::Welcome { cars, more, .. } | ToDriver::Cars { cars, more, .. } => {
                Some((cars.as_slice(), *more))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn a_long_list_comes_in_parts_that_fit_the_drivers_own_and_present_cars_first() {
    for cars in [0, 1, 570, 571, 2_000, 6_000] {
        let mut rooms = many(cars);
        rooms.handle_driver_joined(MonotonicMicros(1_000_000), ADA, name("Ada"), false);
        let messages = told(&mut rooms, MonotonicMicros(1_000_000));
        assert!(messages.iter().all(|(_, message)| message.to_json().len() <= MAX_MESSAGE_BYTES));
        let parts = parts(&messages);
        assert!(
            parts.iter().rev().skip(1).all(|(_, more)| *more)
                && parts.last().is_some_and(|(_, more)| !more)
        );
        let listed: Vec<&CarInfo> = parts.iter().flat_map(|(cars, _)| *cars).collect();
        assert_eq!(listed.len(), cars, "each car once");
        let rank =
            |car: &CarInfo| (car.owner != Some(name("Ada")), car.presence == CarPresence::Offline);
        assert!(listed.is_sorted_by_key(|car| rank(car)));
        let mut listed: Vec<CarInfo> = listed.into_iter().cloned().collect();
        listed.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(listed, rooms.cars());
    }
}

#[test]
fn changes_and_removals_reach_a_driver_who_is_still_being_told_the_list() {
    let mut rooms = many(3_000);
    let now = MonotonicMicros(1_000_000);
    rooms.handle_driver_joined(now, ADA, name("Ada"), false);
    rooms.handle_car_gone(now, CarConn(0));
    rooms.handle_car_revoked(now, &id(2_001));
    rooms.handle_enrolled_car(
        now,
        EnrolledCar { id: id(4_000), name: name("new"), owner: None, shared: Default::default() },
    );
    rooms.handle_car_revoked(now, &id(2_998));
    rooms.handle_enrolled_car(
        now,
        EnrolledCar { id: id(2_998), name: name("again"), owner: None, shared: Default::default() },
    );
    let mut known = BTreeMap::new();
    for (_, message) in told(&mut rooms, now) {
        if let ToDriver::Welcome { cars, .. } | ToDriver::Cars { cars, .. } = &message {
            known.extend(cars.iter().map(|car| (car.id.clone(), car.clone())));
        }
        if let ToDriver::Cars { gone, .. } = &message {
            gone.iter().for_each(|car| drop(known.remove(car)));
        }
    }
    assert_eq!(known.into_values().collect::<Vec<_>>(), rooms.cars());
}

#[test]
fn a_driver_who_does_not_read_is_sent_nothing_more() {
    let mut rooms = many(2_000);
    rooms.handle_driver_joined(MonotonicMicros(0), ADA, name("Ada"), false);
    while rooms.poll_effect().is_some() {}
    for step in 1..100 {
        let now = MonotonicMicros(100_000 * step);
        rooms.handle_car_joined(now, CarConn(10_000 + step), id(3), software());
        rooms.handle_car_gone(now, CarConn(10_000 + step));
        rooms.handle_timeout(now);
        while let Some(effect) = rooms.poll_effect() {
            assert!(!matches!(effect, Effect::ToDriver { .. }), "{effect:?}");
        }
    }
    rooms.handle_list_wanted(MonotonicMicros(11_000_000), ADA);
    let Some(Effect::ToDriver { message: ToDriver::Cars { cars, more, .. }, .. }) =
        rooms.poll_effect()
    else {
        panic!("no part")
    };
    assert!(
        more && cars.iter().filter(|info| info.id == id(3)).count() == 1,
        "of many changes the newest"
    );
}

#[test]
fn what_changed_is_told_and_nothing_else() {
    let mut rooms = many(2_000);
    rooms.handle_driver_joined(MonotonicMicros(0), ADA, name("Ada"), false);
    told(&mut rooms, MonotonicMicros(0));
    let now = MonotonicMicros(20_000_000);
    rooms.handle_enrolled_car(
        now,
        EnrolledCar {
            id: id(7),
            name: name("Car 7"),
            owner: Some(name("Bob")),
            shared: Default::default(),
        },
    );
    assert_eq!(told(&mut rooms, now), [], "the same as before");
    rooms.handle_car_gone(now, CarConn(5));
    rooms.handle_car_revoked(now, &id(6));
    let messages = told(&mut rooms, now);
    let [(_, ToDriver::Cars { cars, gone, more: false })] = &messages[..] else {
        panic!("{messages:?}")
    };
    assert_eq!(
        (cars.iter().map(|car| &car.id).collect::<Vec<_>>(), gone),
        (vec![&id(5)], &vec![id(6)])
    );
}

#[test]
fn row_2_a_page_that_drives_is_told_nothing_of_the_list_until_its_drive_ends() {
    let mut rooms = many(2_000);
    rooms.handle_driver_joined(MonotonicMicros(0), ADA, name("Ada"), false);
    // Drives at once, before it has got all of the list.
    let connect = FromDriver::Connect { car: id(0), trickle: true, take: false };
    rooms.handle_driver(MonotonicMicros(0), ADA, connect, 7);
    let offer = FromCar::Offer { session: SessionId::from_random(7), generation: 1, sdp: sdp() };
    rooms.handle_car(MonotonicMicros(0), CarConn(0), offer);
    rooms.handle_car_gone(MonotonicMicros(0), CarConn(5));
    let messages = told(&mut rooms, MonotonicMicros(0));
    let of_the_list = |messages: &[(MonotonicMicros, ToDriver)]| {
        messages.iter().filter(|(_, message)| matches!(message, ToDriver::Cars { .. })).count()
    };
    assert_eq!(of_the_list(&messages), 0);

    let now = MonotonicMicros(20_000_000);
    let bye = FromDriver::Bye { session: SessionId::from_random(7), reason: ByeReason::DriverLeft };
    rooms.handle_driver(now, ADA, bye, 0);
    let parts_after = told(&mut rooms, now);
    let mut known = BTreeMap::new();
    for (_, message) in messages.iter().chain(&parts_after) {
        if let ToDriver::Welcome { cars, .. } | ToDriver::Cars { cars, .. } = message {
            known.extend(cars.iter().map(|car| (car.id.clone(), car.clone())));
        }
    }
    assert_eq!(known.into_values().collect::<Vec<_>>(), rooms.cars(), "all that it has missed");
}
