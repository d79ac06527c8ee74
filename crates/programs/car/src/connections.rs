//! Reports the car's connections (host, uplink, modem) to the driver.

use crate::uplinks::{self, UplinksHandle};
use rccar_protocol::events::{CarEvent, HostLink, ModemLink};
use rccar_protocol::text::Note;
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;
use tokio::sync::watch;

/// The protocol allows two of these events a second.
const SPACING: Duration = Duration::from_millis(500);

/// Sources of the event; all sessions share them.
#[derive(Clone)]
pub(crate) struct Connections {
    pub(crate) uplinks: UplinksHandle,
    pub(crate) modem: watch::Receiver<Option<ModemLink>>,
    /// Whether the car is registered; `None` without a host.
    pub(crate) host: Option<watch::Receiver<bool>>,
}

impl Connections {
    fn event(&self) -> CarEvent {
        let situation = self.uplinks.now();
        let others = situation.order.len().saturating_sub(usize::from(situation.in_use.is_some()));
        CarEvent::Link {
            host: match &self.host {
                Some(up) if *up.borrow() => HostLink::Up,
                Some(_) => HostLink::Down,
                None => HostLink::None,
            },
            uplink: situation.in_use.as_ref().map(|uplink| uplinks::word(uplink.kind)),
            interface: situation
                .in_use
                .as_ref()
                .and_then(|uplink| Note::new(uplink.name.clone()).ok()),
            standby: u8::try_from(others).unwrap_or(u8::MAX),
            modem: self.modem.borrow().clone(),
        }
    }
}

/// The event that one session's driver has got last, and when.
#[derive(Default)]
pub(crate) struct ConnectionsNews {
    told: Option<(CarEvent, MonotonicMicros)>,
}

impl ConnectionsNews {
    /// The event to send now; `None` if nothing changed, or if the last one is too recent.
    pub(crate) fn next(
        &mut self,
        connections: &Connections,
        now: MonotonicMicros,
    ) -> Option<CarEvent> {
        if self.told.as_ref().is_some_and(|(_, at)| now.since(*at) < SPACING) {
            return None;
        }
        let event = connections.event();
        if self.told.as_ref().is_some_and(|(told, _)| *told == event) {
            return None;
        }
        self.told = Some((event.clone(), now));
        Some(event)
    }
}
