//! The waiting room: cars that are not enrolled yet, each with a code by which somebody may claim
//! it.
//!
//! ```text
//!   handle_car ──► WAITING ── take (the right code) ──► the claimer's
//!                     │
//!                     ├── handle_gone (its connection broke) ──► forgotten
//!                     ├── the same car again ──► the newer one waits
//!                     └── LIFETIME over: its code is worth nothing
//! ```
//!
//! It holds only hashes of the codes, so a guesser learns nothing from the time of a look-up.

use crate::words::CarConn;
use rccar_protocol::text::CarId;
use rccar_protocol::units::MonotonicMicros;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// How long a code is valid: a day is enough to switch a car on and get round to claiming it.
pub const CODE_LIFETIME: Duration = Duration::from_secs(24 * 3_600);
/// Most cars that may wait. With 2⁴⁰ codes, a guess then hits with a probability of 2⁻³².
const MAX_WAITING: usize = 256;
/// Most cars that may wait at one address: enough for a workshop full of new cars, but one address
/// cannot fill the room.
const MAX_PER_SUBSCRIBER: usize = 8;

/// SHA-256 of a claim code.
pub type CodeHash = [u8; 32];

/// Why a car cannot wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    #[error("too many cars wait to be claimed on this host")]
    Full,
    #[error("too many cars wait to be claimed at this address")]
    TooManyFromAddress,
    #[error("another car waits with this claim code; make another code")]
    CodeTaken,
}

/// Cars that wait, each with what the shell needs to let it in.
#[derive(Debug)]
pub struct WaitingRoom<T> {
    cars: BTreeMap<CarConn, Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    car: CarId,
    code: CodeHash,
    subscriber: IpAddr,
    since: MonotonicMicros,
    with: T,
}

impl<T> Default for WaitingRoom<T> {
    fn default() -> Self {
        Self { cars: BTreeMap::new() }
    }
}

impl<T> WaitingRoom<T> {
    /// A car that is not enrolled has proved its key. `subscriber` is its address, or the network
    /// that stands for it. An older connection of the same car stops waiting; its `with` is
    /// returned.
    pub fn handle_car(
        &mut self,
        now: MonotonicMicros,
        conn: CarConn,
        car: CarId,
        code: CodeHash,
        subscriber: IpAddr,
        with: T,
    ) -> Result<Option<T>, WaitError> {
        // Taken out first: the car's own older connection must not count against the limits.
        let older = self.cars.iter().find(|(_, waiting)| waiting.car == car).map(|(&conn, _)| conn);
        let older = older.and_then(|conn| self.take(conn));
        if self.cars.values().any(|waiting| waiting.code == code) {
            return Err(WaitError::CodeTaken);
        }
        if self.cars.len() >= MAX_WAITING {
            return Err(WaitError::Full);
        }
        if self.cars.values().filter(|waiting| waiting.subscriber == subscriber).count()
            >= MAX_PER_SUBSCRIBER
        {
            return Err(WaitError::TooManyFromAddress);
        }
        self.cars.insert(conn, Waiting { car, code, subscriber, since: now, with });
        Ok(older)
    }

    pub fn handle_gone(&mut self, conn: CarConn) {
        self.cars.remove(&conn);
    }

    #[must_use]
    pub fn is_waiting(&self, conn: CarConn) -> bool {
        self.cars.contains_key(&conn)
    }

    /// The car with this code. It goes on waiting.
    #[must_use]
    pub fn find(&self, now: MonotonicMicros, code: &CodeHash) -> Option<(CarConn, &T)> {
        let fits =
            |waiting: &Waiting<T>| waiting.code == *code && now < waiting.since.plus(CODE_LIFETIME);
        self.cars
            .iter()
            .find(|(_, waiting)| fits(waiting))
            .map(|(&conn, waiting)| (conn, &waiting.with))
    }

    /// Ends the wait of a car that was claimed, or has waited long enough.
    pub fn take(&mut self, conn: CarConn) -> Option<T> {
        self.cars.remove(&conn).map(|waiting| waiting.with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: MonotonicMicros = MonotonicMicros(7_000_000);

    fn id(n: u32) -> CarId {
        CarId::new(format!("{n:026}").replace(['0', '1', '8', '9'], "a")).unwrap()
    }

    fn hash(n: u8) -> CodeHash {
        [n; 32]
    }

    fn address(n: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, n])
    }

    #[test]
    fn a_code_finds_its_car_until_somebody_takes_it() {
        let mut room = WaitingRoom::default();
        room.handle_car(NOW, CarConn(1), id(2), hash(1), address(1), "red").unwrap();
        room.handle_car(NOW, CarConn(2), id(3), hash(2), address(1), "blue").unwrap();
        assert_eq!(room.find(NOW, &hash(2)), Some((CarConn(2), &"blue")));
        assert_eq!(room.find(NOW, &hash(3)), None);
        assert_eq!(room.take(CarConn(2)), Some("blue"));
        assert_eq!(room.find(NOW, &hash(2)), None);
        assert_eq!(room.take(CarConn(2)), None);
    }

    #[test]
    fn a_code_is_worth_nothing_after_a_day() {
        let mut room = WaitingRoom::default();
        room.handle_car(NOW, CarConn(1), id(2), hash(1), address(1), ()).unwrap();
        assert!(room.find(NOW.plus(CODE_LIFETIME - Duration::from_millis(1)), &hash(1)).is_some());
        assert!(room.find(NOW.plus(CODE_LIFETIME), &hash(1)).is_none());
    }

    #[test]
    fn the_newer_connection_of_a_car_waits_and_the_older_one_leaves_it_alone() {
        let mut room = WaitingRoom::default();
        room.handle_car(NOW, CarConn(1), id(2), hash(1), address(1), ()).unwrap();
        assert!(
            room.handle_car(NOW, CarConn(2), id(2), hash(2), address(1), ()).unwrap().is_some()
        );
        room.handle_gone(CarConn(1));
        assert!(room.find(NOW, &hash(1)).is_none() && room.find(NOW, &hash(2)).is_some());
    }

    #[test]
    fn a_second_car_with_the_same_code_is_refused() {
        let mut room = WaitingRoom::default();
        room.handle_car(NOW, CarConn(1), id(2), hash(1), address(1), "first").unwrap();
        let second = room.handle_car(NOW, CarConn(2), id(3), hash(1), address(2), "second");
        assert_eq!(second, Err(WaitError::CodeTaken));
        assert_eq!(room.find(NOW, &hash(1)), Some((CarConn(1), &"first")));
    }

    #[test]
    fn one_address_does_not_fill_the_room_and_the_room_has_an_end() {
        let mut room = WaitingRoom::default();
        let mut enter = |n: u32, address| {
            let code = [[n.to_be_bytes(), [0; 4]].concat(), vec![0; 24]].concat();
            room.handle_car(
                NOW,
                CarConn(n.into()),
                CarId::new(base(n)).unwrap(),
                code.try_into().unwrap(),
                address,
                (),
            )
        };
        assert!((0..8).all(|n| enter(n, address(0)).is_ok()));
        assert_eq!(enter(8, address(0)), Err(WaitError::TooManyFromAddress));
        assert!((8..256).all(|n| enter(n, address(u8::try_from(n / 8).unwrap())).is_ok()));
        assert_eq!(enter(256, address(99)), Err(WaitError::Full));
    }

    fn base(n: u32) -> String {
        (0..26).map(|at| if n >> at & 1 == 1 { 'b' } else { 'a' }).collect()
    }

    proptest! {
        #[test]
        fn a_code_never_finds_two_cars_and_gone_ones_are_not_found(
            steps in prop::collection::vec((0u8..3, 0u8..12, 0u8..12), 0..200),
        ) {
            let mut room = WaitingRoom::default();
            for (number, (step, car, code)) in steps.into_iter().enumerate() {
                let conn = CarConn(number as u64);
                match step {
                    0 => {
                        let id = CarId::new(base(car.into())).unwrap();
                        if room.handle_car(NOW, conn, id, hash(code), address(car), car).is_ok() {
                            prop_assert_eq!(room.find(NOW, &hash(code)), Some((conn, &car)));
                        }
                    }
                    1 => {
                        if let Some((conn, _)) = room.find(NOW, &hash(code)) {
                            room.handle_gone(conn);
                            prop_assert_eq!(room.find(NOW, &hash(code)), None);
                        }
                    }
                    _ => {
                        let found = room.find(NOW, &hash(code)).map(|(conn, _)| conn);
                        let taken = found.and_then(|conn| room.take(conn));
                        prop_assert_eq!(taken.is_some(), found.is_some());
                    }
                }
                let codes: std::collections::BTreeSet<_> =
                    room.cars.values().map(|waiting| waiting.code).collect();
                prop_assert_eq!(codes.len(), room.cars.len());
            }
        }
    }
}
