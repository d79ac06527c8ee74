//! The way to `rccar-modem`: this says to it whether somebody drives, and takes the modem's state.
//!
//! **Driving needs nothing of this:** without `rccar-modem` the driver's page only shows no modem.

use crate::bus::{BusHandle, DbusConfig};
use crate::drive::DriveLink;
use crate::sensors::Place;
use futures_util::StreamExt;
use rccar_bus::modem::{ModemClient, ModemReport};
use rccar_bus::{Address, BusError};
use rccar_causes::causes;
use rccar_daemon::clock;
use rccar_protocol::events::ModemLink;
use rccar_protocol::release::Percent;
use rccar_protocol::state::DriveState;
use rccar_protocol::text::Note;
use rccar_protocol::units::MonotonicMicros;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{interval, sleep};

/// Time between two looks at the car's state and, while somebody drives, at the modem's report.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Without a driver only every tenth look asks for the report. That look also sends the car's state
/// once more, because `rccar-modem` may have started again.
const IDLE_LOOKS: u32 = 10;
/// Time between two attempts to get onto the bus.
const AGAIN: Duration = Duration::from_secs(10);

/// What the modem says. Both are `None` while `rccar-modem` does not answer.
pub(crate) struct Modem {
    pub(crate) link: watch::Receiver<Option<ModemLink>>,
    /// Where the car is, if its owner has asked for it.
    pub(crate) place: watch::Receiver<Option<Place>>,
}

/// The other ends of [`Modem`].
struct Publish {
    link: watch::Sender<Option<ModemLink>>,
    place: watch::Sender<Option<Place>>,
}

/// Follows the modem.
pub(crate) fn start(config: &DbusConfig, bus: BusHandle, drive: DriveLink) -> Modem {
    let ((link_sender, link), (place_sender, place)) = (watch::channel(None), watch::channel(None));
    let publish = Publish { link: link_sender, place: place_sender };
    if config.enabled {
        let address = config.address.clone();
        tokio::spawn(async move {
            loop {
                let Err(error) = follow(&address, &bus, &drive, &publish).await;
                tracing::debug!(error = %causes(&error), "no way to the modem's supervisor");
                publish.report(None);
                sleep(AGAIN).await;
            }
        });
    }
    Modem { link, place }
}

async fn follow(
    address: &Address,
    bus: &BusHandle,
    drive: &DriveLink,
    publish: &Publish,
) -> Result<Infallible, BusError> {
    let client = ModemClient::new(address.connect().await?);
    let mut changes = client.changes().await?;
    let mut looks = interval(LOOK_EVERY);
    let mut told = None;
    let mut count = 0u32;
    loop {
        tokio::select! {
            _ = looks.tick() => count = count.wrapping_add(1),
            // Makes the report due at once.
            Some(()) = changes.next() => count = 0,
        }
        let in_session = bus.is_in_session();
        let state = drive.status(clock::now()).state;
        let parked = !in_session && !state.may_move() && state != DriveState::Arming;
        let due = count.is_multiple_of(IDLE_LOOKS);
        if told != Some((in_session, parked)) || due {
            told = absent_is_none(client.set_car(in_session, parked).await)?
                .map(|()| (in_session, parked));
        }
        if in_session || due {
            publish.report(absent_is_none(client.report().await)?.as_ref());
        }
    }
}

/// Makes an error `None` if `rccar-modem` is absent or refuses: that is no reason to leave the bus.
fn absent_is_none<T>(result: Result<T, BusError>) -> Result<Option<T>, BusError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_lost() => Err(error),
        Err(error) => {
            tracing::trace!(error = %causes(&error), "the modem's supervisor");
            Ok(None)
        }
    }
}

impl Publish {
    fn report(&self, report: Option<&ModemReport>) {
        let link = report.and_then(words);
        self.link.send_if_modified(|present| {
            let news = *present != link;
            *present = link;
            news
        });
        self.place.send_replace(report.and_then(|report| place(report, clock::now())));
    }
}

fn place(report: &ModemReport, now: MonotonicMicros) -> Option<Place> {
    let position = report.position.as_ref()?;
    let at = now.minus(Duration::from_millis(position.age_ms));
    Some(Place { latitude: position.latitude, longitude: position.longitude, at })
}

/// The report in the protocol's words; `None` if its state cannot be a word.
fn words(report: &ModemReport) -> Option<ModemLink> {
    Some(ModemLink {
        state: report.state.parse().ok()?,
        rung: report.rung.as_deref().and_then(|rung| rung.parse().ok()),
        operator: report.operator.as_deref().and_then(|text| Note::new(text).ok()),
        signal: report
            .signal_percent
            .and_then(|percent| Percent::try_from(u8::try_from(percent).ok()?).ok()),
        fault: report.fault.as_deref().filter(|text| !text.is_empty()).map(Note::lossy),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_bus::modem::PositionReport;
    use rccar_protocol::events::{ModemRung, ModemState};

    #[test]
    fn a_report_becomes_words_and_what_is_none_is_left_out() {
        let report = ModemReport {
            state: "acting".into(),
            rung: Some("cycle-radio".into()),
            signal_percent: Some(63),
            operator: Some(String::new()),
            ..ModemReport::default()
        };
        let link = words(&report).unwrap();
        assert_eq!((link.state, link.rung), (ModemState::Acting, Some(ModemRung::CycleRadio)));
        assert_eq!(
            (link.signal.map(Percent::value), link.operator, link.fault),
            (Some(63), None, None)
        );
        assert_eq!(words(&ModemReport { state: "It dances!".into(), ..report.clone() }), None);
        assert_eq!(words(&ModemReport { rung: Some(String::new()), ..report }).unwrap().rung, None);
    }

    #[test]
    fn a_position_is_as_old_as_the_supervisor_says() {
        let now = MonotonicMicros(9_000_000);
        assert_eq!(place(&ModemReport::default(), now), None);
        let position = PositionReport { latitude: 52.5, longitude: 13.4, age_ms: 1_500 };
        let report = ModemReport { position: Some(position), ..ModemReport::default() };
        let at = MonotonicMicros(7_500_000);
        assert_eq!(place(&report, now), Some(Place { latitude: 52.5, longitude: 13.4, at }));
    }

    #[test]
    fn words_of_a_later_supervisor_are_passed_on() {
        let report = ModemReport {
            state: "asleep".into(),
            rung: Some("cycle-moon".into()),
            ..ModemReport::default()
        };
        let link = words(&report).unwrap();
        assert_eq!((link.state.as_str(), link.rung.unwrap().as_str()), ("asleep", "cycle-moon"));
    }
}
