//! Parts of the list, as pages ask for them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{name, sdp, software};
use rccar_protocol::MAX_MESSAGE_BYTES;
use rccar_protocol::release::UpdateStatus;
use rccar_protocol::signaling::{
    ByeReason, CarInfo, FromCar, FromDriver, Json, LISTS, ListShow, ListSort, ListWish, ToDriver,
};
use rccar_protocol::text::{CarId, Note, SessionId};
use rccar_protocol::units::MonotonicMicros;
use rccar_rooms::{CarConn, DriverConn, Effect, EnrolledCar, Options, Rooms};
use std::time::Duration;

const ADA: DriverConn = DriverConn(1);

fn id(number: usize) -> CarId {
    let digits = format!("{number:05}")
        .bytes()
        .map(|digit| char::from(digit - b'0' + b'a'))
        .collect::<String>();
    CarId::new(format!("{digits:z<26}")).unwrap()
}

/// Every hundredth car is Ada's, the others are Bob's; every fifth is online.
fn fleet(cars: usize) -> Rooms {
    let mut rooms = Rooms::new(Options::new(software()));
    let known = |number| EnrolledCar {
        id: id(number),
        name: name(&format!("Car {number}")),
        owner: Some(name(if number % 100 == 99 { "Ada" } else { "Bob" })),
        shared: Default::default(),
    };
    rooms.handle_enrolled_cars(MonotonicMicros(0), (0..cars).map(known).collect());
    for number in (0..cars).step_by(5) {
        rooms.handle_car_joined(MonotonicMicros(0), CarConn(number as u64), id(number), software());
    }
    rooms.handle_timeout(MonotonicMicros(0));
    while rooms.poll_effect().is_some() {}
    rooms
}

fn wish(number: u32) -> ListWish {
    ListWish {
        id: number,
        search: None,
        show: ListShow::All,
        sort: ListSort::Ready,
        car: None,
        from: 0,
        count: 50,
    }
}

fn ask(rooms: &mut Rooms, now: MonotonicMicros, wish: ListWish) {
    rooms.handle_driver(now, ADA, FromDriver::List(wish), 0);
}

/// What pages that read at once are told in this time.
fn told(rooms: &mut Rooms, from: MonotonicMicros, time: Duration) -> Vec<(DriverConn, ToDriver)> {
    let (mut messages, mut now) = (vec![], from);
    loop {
        while let Some(effect) = rooms.poll_effect() {
            match effect {
                Effect::ListWaits { to } => rooms.handle_list_wanted(now, to),
                Effect::ToDriver { to, message } => {
                    assert!(message.to_json().len() <= MAX_MESSAGE_BYTES);
                    messages.push((to, message));
                }
                _ => {}
            }
        }
        match rooms.poll_timeout().filter(|&due| due <= from.plus(time)) {
            Some(due) => {
                now = now.max(due);
                rooms.handle_timeout(now);
                assert!(rooms.poll_timeout().is_none_or(|next| next > now), "handled is over");
            }
            None => return messages,
        }
    }
}

#[derive(Debug)]
struct Part {
    counts: [u32; 4],
    order: Option<Vec<CarId>>,
    cars: Vec<CarInfo>,
}

/// The parts among the messages; nothing else may tell of the list.
fn parts(messages: Vec<(DriverConn, ToDriver)>) -> Vec<Part> {
    let part = |(_, message)| match message {
        ToDriver::List { known, total, ready, from, order, cars, .. } => {
            Some(Part { counts: [known, total, ready, from], order, cars })
        }
        ToDriver::Cars { .. } => panic!("the whole list"),
        _ => None,
    };
    messages.into_iter().filter_map(part).collect()
}

fn asked(rooms: &mut Rooms, now: MonotonicMicros, wish: ListWish) -> Part {
    ask(rooms, now, wish);
    let mut parts = parts(told(rooms, now, Duration::from_secs(3)));
    assert_eq!(parts.len(), 1, "{parts:?}");
    parts.pop().unwrap()
}

const SECOND: u64 = 1_000_000;

#[test]
fn row_2_a_page_gets_the_part_that_it_asks_for_and_not_the_list() {
    let mut rooms = fleet(5_000);
    rooms.handle_driver_joined(MonotonicMicros(0), ADA, name("Ada"), true);
    let messages = told(&mut rooms, MonotonicMicros(0), Duration::from_secs(3));
    let [(ADA, ToDriver::Welcome { cars, more: false, lists, .. })] = &messages[..] else {
        panic!("{messages:?}")
    };
    assert_eq!((cars.len(), &lists[..]), (0, &[LISTS][..]));

    let part = asked(&mut rooms, MonotonicMicros(10 * SECOND), wish(1));
    assert_eq!(part.counts, [5_000, 5_000, 1_000, 0]);
    let order = part.order.unwrap();
    // Ada's fifty, which are offline, by number.
    assert_eq!(order, (0..50).map(|n| id(n * 100 + 99)).collect::<Vec<_>>());
    assert_eq!(
        part.cars.iter().map(|car| &car.id).collect::<Vec<_>>(),
        order.iter().collect::<Vec<_>>()
    );

    let next = ListWish { from: 50, ..wish(2) };
    let part = asked(&mut rooms, MonotonicMicros(20 * SECOND), next);
    assert_eq!(part.order.unwrap(), (0..50).map(|n| id(n * 5)).collect::<Vec<_>>());
    let last = ListWish { from: 4_990, ..wish(3) };
    let part = asked(&mut rooms, MonotonicMicros(30 * SECOND), last);
    assert_eq!((part.counts[3], part.cars.len()), (4_990, 10));
    let beyond = ListWish { from: u32::MAX, ..wish(4) };
    let part = asked(&mut rooms, MonotonicMicros(40 * SECOND), beyond);
    assert_eq!((part.counts, part.order), ([5_000, 5_000, 1_000, 5_000], Some(vec![])));
}

#[test]
fn row_2_cars_are_found_by_name_owner_identifier_and_state_and_sorted_as_people_count() {
    let mut rooms = fleet(1_000);
    rooms.handle_driver_joined(MonotonicMicros(0), ADA, name("Ada"), true);
    told(&mut rooms, MonotonicMicros(0), Duration::from_secs(3));
    let mut now = 10 * SECOND;
    let mut total = |change: &dyn Fn(&mut ListWish)| {
        let mut wish = wish(u32::try_from(now / SECOND).unwrap());
        change(&mut wish);
        let part = asked(&mut rooms, MonotonicMicros(now), wish);
        now += 10 * SECOND;
        (part.counts[1], part.order.unwrap())
    };
    let search = |text: &str| Some(Note::new(text).unwrap());
    let (found, order) = total(&|wish| {
        (wish.search, wish.sort) = (search(" CAR 9"), ListSort::Name);
    });
    let expected = [9].into_iter().chain(90..100).chain(900..1_000);
    assert_eq!((found, order), (111, expected.map(id).take(50).collect()));
    assert_eq!(total(&|wish| wish.search = search("ada")).0, 10);
    assert_eq!(total(&|wish| wish.search = search(id(123).as_str())), (1, vec![id(123)]));
    assert_eq!(total(&|wish| wish.show = ListShow::Own).0, 10);
    assert_eq!(total(&|wish| wish.show = ListShow::Ready).0, 200);
    assert_eq!(total(&|wish| wish.car = Some(id(7))), (1, vec![id(7)]));
    let later = |text: &str| text.parse().unwrap();
    assert_eq!(total(&|wish| wish.show = later("charging")).0, 1_000);
    assert_eq!(total(&|wish| wish.count = 255).1.len(), 100);
}

#[test]
fn row_2_only_what_changes_in_the_part_is_told_and_once_a_second() {
    let mut rooms = fleet(1_000);
    rooms.handle_driver_joined(MonotonicMicros(0), ADA, name("Ada"), true);
    asked(&mut rooms, MonotonicMicros(10 * SECOND), wish(1));
    let mut told_in = |from: u64, change: &mut dyn FnMut(&mut Rooms, MonotonicMicros)| {
        let mut all = vec![];
        for step in 0..20 {
            let now = MonotonicMicros(from + step * 100_000);
            change(&mut rooms, now);
            all.extend(parts(told(&mut rooms, now, Duration::from_millis(99))));
        }
        all
    };
    assert!(told_in(20 * SECOND, &mut |_, _| {}).is_empty());
    // Far behind the part, and of the same state: nothing that the page shows.
    let same = told_in(30 * SECOND, &mut |rooms, now| {
        let number = now.0 / 100_000;
        let json = format!(r#"{{"state":"downloading","running":"1.0.0","bytes":{number}}}"#);
        let status: UpdateStatus = serde_json::from_str(&json).unwrap();
        rooms.handle_update_status(now, &id(998), status);
    });
    assert!(same.is_empty(), "{same:?}");
    let mut conn = 5_000;
    let busy = told_in(40 * SECOND, &mut |rooms, now| {
        conn += 1;
        rooms.handle_car_joined(now, CarConn(conn), id(99), software());
        rooms.handle_car_gone(now, CarConn(conn));
    });
    assert!(busy.len() <= 3, "{} messages in 2 s", busy.len());
    assert!(busy.iter().all(|part| part.cars.len() == 1 && part.order.is_none()), "{busy:?}");
    let gone = told_in(50 * SECOND, &mut |rooms, now| rooms.handle_car_revoked(now, &id(99)));
    assert_eq!((gone.len(), gone[0].order.as_ref().unwrap().len()), (1, 50));
    assert_eq!(gone[0].cars.len(), 1, "the one that has moved into the part");
}

#[test]
fn row_2_a_page_with_a_part_that_drives_is_told_nothing_until_its_drive_ends() {
    let mut rooms = fleet(1_000);
    rooms.handle_driver_joined(MonotonicMicros(0), ADA, name("Ada"), true);
    asked(&mut rooms, MonotonicMicros(10 * SECOND), ListWish { car: Some(id(0)), ..wish(1) });
    let now = MonotonicMicros(20 * SECOND);
    rooms.handle_driver(
        now,
        ADA,
        FromDriver::Connect { car: id(0), trickle: true, take: false },
        7,
    );
    let session = SessionId::from_random(7);
    rooms.handle_car(now, CarConn(0), FromCar::Offer { session, generation: 1, sdp: sdp() });
    assert!(parts(told(&mut rooms, now, Duration::from_secs(5))).is_empty());
    let now = MonotonicMicros(30 * SECOND);
    rooms.handle_car(now, CarConn(0), FromCar::Bye { session, reason: ByeReason::CarLeft });
    rooms.handle_car_gone(now, CarConn(0));
    let after = parts(told(&mut rooms, now, Duration::from_secs(5)));
    assert_eq!(after.last().unwrap().cars[0].id, id(0));
}

/// Thirty pages and 1,353 cars that all report once a second: 230 MB in 8 s when each page got the
/// whole list.
#[test]
#[allow(clippy::print_stdout, reason = "the figure")]
fn row_2_thirty_pages_of_a_busy_fleet_are_told_little() {
    let mut rooms = fleet(1_353);
    for page in 1..=30 {
        rooms.handle_driver_joined(MonotonicMicros(0), DriverConn(page), name("Bob"), true);
        rooms.handle_driver(MonotonicMicros(0), DriverConn(page), FromDriver::List(wish(1)), 0);
    }
    let (mut bytes, mut most_at_once) = (0, 0);
    for step in 0..80 {
        let now = MonotonicMicros(SECOND + step * 100_000);
        for number in (0..1_353_u32).filter(|number| u64::from(*number) % 10 == step % 10) {
            let json = format!(r#"{{"state":"downloading","running":"1.0.0","bytes":{step}}}"#);
            let status: UpdateStatus = serde_json::from_str(&json).unwrap();
            rooms.handle_update_status(now, &id(number as usize), status);
        }
        rooms.handle_timeout(now);
        let mut at_once = 0;
        while let Some(effect) = rooms.poll_effect() {
            match effect {
                Effect::ListWaits { to } => {
                    at_once += 1;
                    rooms.handle_list_wanted(now, to);
                }
                Effect::ToDriver { message, .. } => bytes += message.to_json().len(),
                _ => {}
            }
        }
        most_at_once = most_at_once.max(at_once);
    }
    println!("{:.1} MB in 8 s", bytes as f64 / 1e6);
    assert!(bytes < 5_000_000, "{bytes} bytes");
    assert!(most_at_once <= 8, "{most_at_once} walks at once");
}
