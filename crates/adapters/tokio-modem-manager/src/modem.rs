//! One modem.

use crate::manager::{ModemManager, serde_like};
use crate::properties::{Location, ModemState};
use crate::tree::Snapshot;
use crate::{
    ConnectProperties, Error, Inhibition, LocationSources, PacketServiceState, PowerState, State,
    StateChangeReason, names,
};
use futures_util::{Stream, stream};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use zbus::zvariant::{DynamicDeserialize, ObjectPath, OwnedObjectPath, OwnedValue};

/// Selects a modem. Not by object path: that changes whenever ModemManager detects the modem again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Selector {
    /// The first modem.
    #[default]
    Any,
    /// The modem in this place: [`ModemState::device`].
    Device(String),
    /// The modem with this IMEI: [`ModemState::equipment_identifier`].
    Equipment(String),
}

impl Selector {
    /// Whether it selects this modem.
    #[must_use]
    pub fn fits(&self, modem: &ModemState) -> bool {
        match self {
            Self::Any => true,
            Self::Device(device) => modem.device == *device,
            Self::Equipment(identifier) => modem.equipment_identifier.as_ref() == Some(identifier),
        }
    }
}

/// `StateChanged`: a modem went from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateChange {
    /// State before.
    pub old: State,
    /// State after.
    pub new: State,
    /// Why, as far as ModemManager reports it.
    pub reason: StateChangeReason,
}

/// A handle to the modem that fits a [`Selector`]. It outlives the modem's object: a call goes to
/// the object that fits at that moment.
///
/// Every call can fail with any [`Error`]; with [`Error::NoSuchModem`] if no modem fits.
#[derive(Debug, Clone)]
pub struct Modem {
    manager: ModemManager,
    selector: Selector,
}

impl Modem {
    pub(crate) fn new(manager: ModemManager, selector: Selector) -> Self {
        Self { manager, selector }
    }

    /// The daemon that the modem belongs to.
    #[must_use]
    pub fn manager(&self) -> &ModemManager {
        &self.manager
    }

    /// The present state; `None` if the modem is not there.
    #[must_use]
    pub fn state(&self) -> Option<Arc<ModemState>> {
        find(&self.manager.snapshot(), &self.selector)
    }

    /// Yields the modem's state: the present one at once, then whenever something has changed;
    /// `None` while the modem is not there.
    pub fn states(&self) -> impl Stream<Item = Option<Arc<ModemState>>> + Send + Unpin + use<> {
        self.follow(|modem| modem.cloned())
    }

    /// Yields a part of the modem's state: the present value at once, then each value that differs
    /// from the one before.
    ///
    /// ```no_run
    /// # async fn example(modem: tokio_modem_manager::Modem) {
    /// use futures_util::StreamExt;
    /// let mut quality = modem.follow(|modem| modem.map(|modem| modem.signal_quality.percent));
    /// while let Some(percent) = quality.next().await {
    ///     println!("{percent:?}");
    /// }
    /// # }
    /// ```
    pub fn follow<T, F>(&self, part: F) -> impl Stream<Item = T> + Send + Unpin + use<T, F>
    where
        T: Clone + PartialEq + Send + 'static,
        F: Fn(Option<&Arc<ModemState>>) -> T + Send + 'static,
    {
        let selector = self.selector.clone();
        self.manager.follow(move |snapshot| part(find(snapshot, &selector).as_ref()))
    }

    /// Yields every change of the overall state, also short ones that [`states`](Self::states)
    /// skips. Begins with the next change. A listener that falls far behind loses the oldest.
    pub fn state_changes(&self) -> impl Stream<Item = StateChange> + Send + Unpin + use<> {
        let receiver = self.manager.changes();
        Box::pin(stream::unfold((receiver, self.clone()), |(mut receiver, modem)| async move {
            loop {
                match receiver.recv().await {
                    Ok((path, change)) if modem.state().is_some_and(|modem| modem.path == path) => {
                        return Some((change, (receiver, modem)));
                    }
                    Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return None,
                }
            }
        }))
    }

    /// `Simple.Connect`: unlocks, enables, registers and connects, as far as needed, and returns
    /// the bearer's path. [`ModemState::bearers`] has the bearer as soon as the daemon has reported
    /// it; [`bearer`](Self::bearer) asks for it.
    ///
    /// This can take minutes. If the future is dropped or times out, ModemManager goes on trying;
    /// [`disconnect`](Self::disconnect) ends that.
    pub async fn connect(&self, properties: &ConnectProperties) -> Result<OwnedObjectPath, Error> {
        self.call(
            "connect",
            names::SIMPLE,
            "Connect",
            &properties.to_dict(),
            self.manager.timeouts().connect,
        )
        .await
    }

    /// `Simple.Disconnect`: disconnects one bearer, or all with `None`.
    pub async fn disconnect(&self, bearer: Option<&OwnedObjectPath>) -> Result<(), Error> {
        let none = ObjectPath::from_static_str_unchecked(names::NO_OBJECT);
        let path = bearer.map_or(none, |path| path.as_ref());
        self.call("disconnect", names::SIMPLE, "Disconnect", &path, self.manager.timeouts().control)
            .await
    }

    /// `Simple.GetStatus`: ModemManager's own summary, as it sends it.
    pub async fn status(&self) -> Result<HashMap<String, OwnedValue>, Error> {
        self.call("get the status", names::SIMPLE, "GetStatus", &(), self.manager.timeouts().call)
            .await
    }

    /// Asks the daemon for the properties of a bearer.
    pub async fn bearer(&self, path: &OwnedObjectPath) -> Result<crate::Bearer, Error> {
        let limit = self.manager.timeouts().call;
        let what = "read a bearer";
        let answer: HashMap<String, OwnedValue> = self
            .manager
            .call(what, path.as_str(), names::PROPERTIES, "GetAll", &names::BEARER, limit)
            .await?;
        Ok(crate::Bearer::from_properties(path.clone(), &crate::dict::Dict::new(answer)))
    }

    /// `Enable`: powers the modem up and lets it register, or disables it.
    pub async fn enable(&self, enable: bool) -> Result<(), Error> {
        let what = if enable { "enable" } else { "disable" };
        self.call(what, names::MODEM, "Enable", &enable, self.manager.timeouts().control).await
    }

    /// `SetPowerState`. For [`PowerState::Low`] the modem must be disabled. After
    /// [`PowerState::Off`] many modems come back only when power is cut.
    pub async fn set_power_state(&self, state: PowerState) -> Result<(), Error> {
        self.call(
            "set the power state",
            names::MODEM,
            "SetPowerState",
            &u32::from(state),
            self.manager.timeouts().control,
        )
        .await
    }

    /// `Reset`: restarts the modem. Some modems cannot:
    /// [`CoreError::Unsupported`](crate::CoreError::Unsupported). Then [`inhibit`](Self::inhibit)
    /// is the next best.
    pub async fn reset(&self) -> Result<(), Error> {
        self.call("reset", names::MODEM, "Reset", &(), self.manager.timeouts().control).await
    }

    /// [`ModemManager::inhibit_device`] for this modem.
    pub async fn inhibit(&self) -> Result<Inhibition, Error> {
        let modem = self.state().ok_or(Error::NoSuchModem { what: "inhibit a device" })?;
        self.manager.inhibit_device(&modem.device).await
    }

    /// Tests the control channel with `ProfileManager.List`, the cheapest call that reaches the
    /// modem, and returns the number of profiles. If the modem hangs, ModemManager answers with
    /// [`CoreError::Timeout`](crate::CoreError::Timeout) after 10 s.
    pub async fn probe(&self) -> Result<usize, Error> {
        let limit = self.manager.timeouts().probe;
        let profiles: Vec<HashMap<String, OwnedValue>> =
            self.call("probe", names::PROFILE_MANAGER, "List", &(), limit).await?;
        Ok(profiles.len())
    }

    /// `Modem.Time.GetNetworkTime`: the time of the network, ISO 8601.
    pub async fn network_time(&self) -> Result<String, Error> {
        let limit = self.manager.timeouts().call;
        self.call("get the network's time", names::TIME, "GetNetworkTime", &(), limit).await
    }

    /// `Modem3gpp.SetInitialEpsBearerSettings`: what the modem attaches to an LTE network with. Of
    /// the properties only access point, IP families and authentication count. The modem keeps
    /// them, and may attach again.
    pub async fn set_initial_eps_bearer(
        &self,
        properties: &ConnectProperties,
    ) -> Result<(), Error> {
        self.call(
            "set the initial EPS bearer",
            names::MODEM_3GPP,
            "SetInitialEpsBearerSettings",
            &properties.to_dict(),
            self.manager.timeouts().control,
        )
        .await
    }

    /// `Modem3gpp.Register`: registers with one network (MCC and MNC), or with any for `None`.
    pub async fn register(&self, operator_id: Option<&str>) -> Result<(), Error> {
        self.call(
            "register",
            names::MODEM_3GPP,
            "Register",
            &operator_id.unwrap_or(""),
            self.manager.timeouts().scan,
        )
        .await
    }

    /// `Modem3gpp.Scan`: the networks in reach, as ModemManager sends them. On many modems a scan
    /// interrupts data.
    pub async fn scan(&self) -> Result<Vec<HashMap<String, OwnedValue>>, Error> {
        self.call("scan for networks", names::MODEM_3GPP, "Scan", &(), self.manager.timeouts().scan)
            .await
    }

    /// `Modem3gpp.SetPacketServiceState`.
    pub async fn set_packet_service_state(&self, state: PacketServiceState) -> Result<(), Error> {
        let limit = self.manager.timeouts().control;
        self.call(
            "set the packet service",
            names::MODEM_3GPP,
            "SetPacketServiceState",
            &u32::from(state),
            limit,
        )
        .await
    }

    /// `Signal.Setup`: measures [`Signal`](crate::Signal) every `rate`, in whole seconds; zero ends
    /// the measurements.
    pub async fn setup_signal(&self, rate: Duration) -> Result<(), Error> {
        let seconds = u32::try_from(rate.as_secs()).unwrap_or(u32::MAX);
        self.call(
            "set up signal measurements",
            names::SIGNAL,
            "Setup",
            &seconds,
            self.manager.timeouts().call,
        )
        .await
    }

    /// `Location.Setup`: switches these sources on and all others off. With `signal`, every program
    /// on the bus sees the positions in signals.
    pub async fn setup_location(
        &self,
        sources: LocationSources,
        signal: bool,
    ) -> Result<(), Error> {
        let limit = self.manager.timeouts().control;
        self.call("set up location", names::LOCATION, "Setup", &(sources.bits(), signal), limit)
            .await
    }

    /// `Location.GetLocation`.
    pub async fn location(&self) -> Result<Location, Error> {
        let limit = self.manager.timeouts().call;
        Ok(Location::from_sources(
            self.call("get the location", names::LOCATION, "GetLocation", &(), limit).await?,
        ))
    }

    /// `Sim.SendPin`. **Never repeat a refused PIN**: the third wrong one locks the SIM. See
    /// [`ModemState::retries`].
    pub async fn send_pin(&self, pin: &str) -> Result<(), Error> {
        self.call_sim("send the PIN", "SendPin", &pin).await
    }

    /// `Sim.SendPuk`: unblocks the SIM and sets a new PIN.
    pub async fn send_puk(&self, puk: &str, new_pin: &str) -> Result<(), Error> {
        self.call_sim("send the PUK", "SendPuk", &(puk, new_pin)).await
    }

    /// `Sim.EnablePin`: sets whether the SIM asks for its PIN at all.
    pub async fn enable_pin(&self, pin: &str, enabled: bool) -> Result<(), Error> {
        self.call_sim("switch the PIN", "EnablePin", &(pin, enabled)).await
    }

    /// `Sim.ChangePin`.
    pub async fn change_pin(&self, old: &str, new: &str) -> Result<(), Error> {
        self.call_sim("change the PIN", "ChangePin", &(old, new)).await
    }

    /// `Modem.Command`: sends an AT command. Only daemons that were built or started for that
    /// accept it.
    pub async fn command(&self, command: &str, limit: Duration) -> Result<String, Error> {
        let seconds = u32::try_from(limit.as_secs()).unwrap_or(u32::MAX);
        // Longer than the daemon's own limit, so that the daemon's error comes first.
        let own = limit.saturating_add(self.manager.timeouts().call);
        self.call("send a command", names::MODEM, "Command", &(command, seconds), own).await
    }

    async fn call_sim<B: serde_like::Body>(
        &self,
        what: &'static str,
        method: &str,
        body: &B,
    ) -> Result<(), Error> {
        let modem = self.state().ok_or(Error::NoSuchModem { what })?;
        let sim = modem.sim.as_ref().ok_or(Error::Gone { what })?;
        self.manager
            .call(
                what,
                sim.path.as_str(),
                names::SIM,
                method,
                body,
                self.manager.timeouts().control,
            )
            .await
    }

    async fn call<R, B>(
        &self,
        what: &'static str,
        interface: &str,
        method: &str,
        body: &B,
        limit: Duration,
    ) -> Result<R, Error>
    where
        R: for<'d> DynamicDeserialize<'d>,
        B: serde_like::Body,
    {
        let modem = self.state().ok_or(Error::NoSuchModem { what })?;
        self.manager.call(what, modem.path.as_str(), interface, method, body, limit).await
    }
}

fn find(snapshot: &Snapshot, selector: &Selector) -> Option<Arc<ModemState>> {
    snapshot.modems.iter().find(|modem| selector.fits(modem)).cloned()
}
