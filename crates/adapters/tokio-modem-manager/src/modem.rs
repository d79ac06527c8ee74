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

/// Which modem. Never by object path: that changes whenever ModemManager makes the modem anew.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Selector {
    /// The first one.
    #[default]
    Any,
    /// The one in this place: [`ModemState::device`].
    Device(String),
    /// The one with this IMEI: [`ModemState::equipment_identifier`].
    Equipment(String),
}

impl Selector {
    /// Whether it means this modem.
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
    /// Before.
    pub old: State,
    /// After.
    pub new: State,
    /// Why, as far as ModemManager tells.
    pub reason: StateChangeReason,
}

/// A handle to the modem that fits a [`Selector`]. It outlives the modem's object: calls go to the
/// object that fits at that moment.
///
/// Every call can fail with any [`Error`]; [`Error::NoSuchModem`] if none fits.
#[derive(Debug, Clone)]
pub struct Modem {
    manager: ModemManager,
    selector: Selector,
}

impl Modem {
    pub(crate) fn new(manager: ModemManager, selector: Selector) -> Self {
        Self { manager, selector }
    }

    /// The daemon that it belongs to.
    #[must_use]
    pub fn manager(&self) -> &ModemManager {
        &self.manager
    }

    /// What is known of it now; `None` if it is not there.
    #[must_use]
    pub fn state(&self) -> Option<Arc<ModemState>> {
        find(&self.manager.snapshot(), &self.selector)
    }

    /// The modem: as it is now at once, then whenever something has changed; `None` while it is not
    /// there.
    pub fn states(&self) -> impl Stream<Item = Option<Arc<ModemState>>> + Send + Unpin + use<> {
        self.follow(|modem| modem.cloned())
    }

    /// A part of the modem: the present value at once, then every other one.
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

    /// Every change of the overall state, also those that [`states`](Self::states) skips because
    /// they were short. Begins with the next change. A listener that falls far behind loses the
    /// oldest.
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

    /// `Simple.Connect`: unlocks, enables, registers and connects, whatever of it is needed, and
    /// returns the bearer's path. Its configuration is in [`ModemState::bearers`] as soon as the
    /// daemon has told it; [`bearer`](Self::bearer) asks.
    ///
    /// Takes up to minutes. When it is dropped or times out, ModemManager goes on trying;
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

    /// `Simple.Disconnect`: one bearer, or all with `None`.
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

    /// Properties of a bearer, asked of the daemon now.
    pub async fn bearer(&self, path: &OwnedObjectPath) -> Result<crate::Bearer, Error> {
        let limit = self.manager.timeouts().call;
        let what = "read a bearer";
        let answer: HashMap<String, OwnedValue> = self
            .manager
            .call(what, path.as_str(), names::PROPERTIES, "GetAll", &names::BEARER, limit)
            .await?;
        Ok(crate::Bearer::from_properties(path.clone(), &crate::dict::Dict::new(answer)))
    }

    /// `Enable`: powers the modem up and lets it register, or shuts it down.
    pub async fn enable(&self, enable: bool) -> Result<(), Error> {
        let what = if enable { "enable" } else { "disable" };
        self.call(what, names::MODEM, "Enable", &enable, self.manager.timeouts().control).await
    }

    /// `SetPowerState`. The modem must be disabled for [`PowerState::Low`]. After
    /// [`PowerState::Off`] many come back only when power is cut.
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

    /// `Reset`: restarts the modem. [`CoreError::Unsupported`](crate::CoreError::Unsupported) where
    /// it cannot; [`inhibit`](Self::inhibit) is the next best.
    pub async fn reset(&self) -> Result<(), Error> {
        self.call("reset", names::MODEM, "Reset", &(), self.manager.timeouts().control).await
    }

    /// [`ModemManager::inhibit_device`] for this modem.
    pub async fn inhibit(&self) -> Result<Inhibition, Error> {
        let modem = self.state().ok_or(Error::NoSuchModem { what: "inhibit a device" })?;
        self.manager.inhibit_device(&modem.device).await
    }

    /// Whether the control channel works: asks for `ProfileManager.List`, the cheapest call that
    /// reaches the modem. A modem that hangs answers with
    /// [`CoreError::Timeout`](crate::CoreError::Timeout) after 10 s. Returns the number of
    /// profiles.
    pub async fn probe(&self) -> Result<usize, Error> {
        let limit = self.manager.timeouts().probe;
        let profiles: Vec<HashMap<String, OwnedValue>> =
            self.call("probe", names::PROFILE_MANAGER, "List", &(), limit).await?;
        Ok(profiles.len())
    }

    /// `Modem3gpp.Register`: with a network (MCC and MNC), or with any.
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

    /// `Modem3gpp.Scan`: the networks around, as ModemManager sends them. Interrupts data on many
    /// modems.
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

    /// `Signal.Setup`: measures [`Signal`](crate::Signal) every `rate` (whole seconds); zero ends
    /// it.
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

    /// `Location.Setup`: switches sources on, all others off. `signal` puts positions into signals,
    /// for every program on the bus to see.
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

    /// `Sim.EnablePin`: whether the SIM asks for its PIN at all.
    pub async fn enable_pin(&self, pin: &str, enabled: bool) -> Result<(), Error> {
        self.call_sim("switch the PIN", "EnablePin", &(pin, enabled)).await
    }

    /// `Sim.ChangePin`.
    pub async fn change_pin(&self, old: &str, new: &str) -> Result<(), Error> {
        self.call_sim("change the PIN", "ChangePin", &(old, new)).await
    }

    /// `Modem.Command`: an AT command. Only daemons that were built or started for it take it.
    pub async fn command(&self, command: &str, limit: Duration) -> Result<String, Error> {
        let seconds = u32::try_from(limit.as_secs()).unwrap_or(u32::MAX);
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
