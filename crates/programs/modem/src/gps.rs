//! Where the car is, by the satellite receiver in the modem: only if the configuration asks for it.
//!
//! A task of its own, so that a modem that is slow to answer delays neither the ladder nor the
//! link. [`Receiver`] decides.

use rccar_bus::modem::PositionReport;
use rccar_causes::causes;
use rccar_daemon::clock;
use rccar_modem_core::Car;
use rccar_modem_core::receiver::{ASK_EVERY, Fix, Receiver, Step};
use rccar_protocol::units::MonotonicMicros;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_modem_manager::{LocationSources, Modem, State};

/// A place and its moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    latitude: f64,
    longitude: f64,
    at: MonotonicMicros,
}

impl Place {
    pub(crate) fn report(&self, now: MonotonicMicros) -> PositionReport {
        let age = now.since(self.at).as_millis();
        let age_ms = u64::try_from(age).unwrap_or(u64::MAX);
        PositionReport { latitude: self.latitude, longitude: self.longitude, age_ms }
    }
}

/// Asks the receiver as long as the program runs.
pub(crate) fn start(modem: Modem, car: watch::Receiver<Car>) -> watch::Receiver<Option<Place>> {
    let (publish, place) = watch::channel(None);
    tokio::spawn(async move {
        let mut receiver = Receiver::default();
        let mut refusals = 0_u64;
        let mut ticks = interval(ASK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let driven = car.borrow().in_session;
            turn(&modem, &mut receiver, &mut refusals, driven).await;
            let now = clock::now();
            publish.send_replace(receiver.place(now).map(|(fix, at)| Place {
                latitude: fix.latitude,
                longitude: fix.longitude,
                at,
            }));
        }
    });
    place
}

async fn turn(modem: &Modem, receiver: &mut Receiver, refusals: &mut u64, driven: bool) {
    let state = modem.state();
    // In ModemManager's order everything from here on has the modem on.
    let is_on = |state: State| i32::from(state) >= i32::from(State::Enabled);
    let able = state.as_ref().filter(|state| state.has_location && is_on(state.state));
    let name = able.map(|state| state.path.as_str().to_owned());
    match receiver.step(clock::now(), name.as_deref(), driven) {
        Step::Nothing => {}
        Step::SwitchOn => {
            // Without signals: else every program on the bus would see where the car is.
            let switched = modem.setup_location(LocationSources::GPS_RAW, false).await;
            receiver.handle_switched(clock::now(), switched.is_ok());
            match switched {
                Ok(()) => {
                    *refusals = 0;
                    tracing::info!("the modem's satellite receiver is on");
                }
                Err(error) => {
                    *refusals += 1;
                    // One line for each doubling: most modems have no receiver.
                    if refusals.is_power_of_two() {
                        let error = causes(&error).to_string();
                        tracing::warn!(error, "the modem gives no position");
                    }
                }
            }
        }
        Step::Ask => match modem.location().await {
            Ok(location) => {
                let fix = location.fix.map(|fix| Fix {
                    latitude: fix.latitude,
                    longitude: fix.longitude,
                    time: fix.utc_time,
                });
                receiver.handle_fix(clock::now(), fix);
            }
            Err(error) => {
                tracing::debug!(error = %causes(&error), "the receiver does not answer");
                receiver.handle_failure(clock::now());
            }
        },
    }
}
