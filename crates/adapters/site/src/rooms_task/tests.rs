use super::*;
use crate::Exchange;
use crate::ice::NoIceServers;
use crate::outbox::outbox;
use crate::token::Token;
use std::net::Ipv4Addr;

/// Cars in a round: many enough to be measured, few enough for their queues.
const ROUND: usize = 100;

fn known(number: usize) -> EnrolledCar {
    let digits: String =
        number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
    let name = Name::new(format!("Car {number}")).unwrap();
    EnrolledCar {
        id: CarId::new(format!("{digits:z<26}")).unwrap(),
        name,
        owner: None,
        shared: Default::default(),
    }
}

async fn host(cars: usize) -> Exchange {
    let options = Options::new(Software::new("test/1").unwrap());
    let exchange =
        Exchange::start_with_access(options, Arc::new(NoIceServers), Token::generate().unwrap());
    exchange.set_cars((0..cars).map(known).collect()).await;
    exchange.sign_ins().await;
    exchange
}

/// Time for a round of cars to register.
async fn round(exchange: &Exchange) -> Duration {
    let begun = Instant::now();
    let (mut conns, mut sockets) = (Vec::new(), Vec::new());
    for number in 0..ROUND {
        let (outbox, socket) = outbox();
        sockets.push(socket);
        let conn = exchange.next_car();
        conns.push(conn);
        let software = Software::new("car/1").unwrap();
        exchange
            .join_car_as(conn, known(number), (software, true), Ipv4Addr::LOCALHOST.into(), outbox)
            .await;
    }
    // Answered when the task has done everything that was sent before.
    exchange.sign_ins().await;
    let time = begun.elapsed();
    for conn in conns {
        exchange.car_gone(conn).await;
    }
    exchange.sign_ins().await;
    time
}

#[tokio::test]
#[allow(clippy::print_stdout, reason = "the figure")]
async fn row_3_a_registration_costs_as_much_with_twenty_thousand_known_cars_as_with_two_hundred() {
    let (few, many) = (host(200).await, host(20_000).await);
    let (mut least_few, mut least_many) = (Duration::MAX, Duration::MAX);
    // In turn, and the least of many rounds: other work of this machine only adds time.
    for _ in 0..40 {
        least_few = least_few.min(round(&few).await);
        least_many = least_many.min(round(&many).await);
    }
    println!(
        "{ROUND} registrations: {least_few:?} with 200 known cars, {least_many:?} with 20,000"
    );
    assert!(
        least_many.as_secs_f64() <= 2.0 * least_few.as_secs_f64(),
        "{least_many:?} against {least_few:?}"
    );
}

#[tokio::test]
async fn row_10_the_drive_of_a_page_that_is_away_ends_with_its_sign_in() {
    let exchange = host(1).await;
    let software = Software::new("car/1").unwrap();
    let (_from_car, mut to_car) = exchange.attach_local_car(known(0), software).await;
    let (outbox, _socket) = outbox();
    let (user, sign_in) = (Name::new("Ada").unwrap(), TokenHash::of("cookie"));
    let page = exchange.join_driver(user, sign_in, Ipv4Addr::LOCALHOST.into(), outbox, true).await;
    let connect = FromDriver::Connect { car: known(0).id, trickle: true, take: false };
    exchange.driver_says(page, connect).await;
    exchange.driver_gone(page).await;
    assert_eq!(exchange.sign_ins().await, [sign_in], "the program still asks about it");
    exchange.revoke(sign_in).await;
    assert!(exchange.sign_ins().await.is_empty());
    let mut last = None;
    while let Ok(message) = to_car.try_recv() {
        last = Some(message);
    }
    assert!(
        matches!(last, Some(ToCar::Bye { reason: ByeReason::Revoked, .. })),
        "the car ends the drive: {last:?}"
    );
}
