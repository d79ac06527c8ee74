//! The car on the machine's message bus: `org.rccar.Car1` for the other programs, and the host's
//! announcements and the owner's wishes for `rccar-update`.
//!
//! **Driving needs nothing of this: without a bus the car only gets no updates.**

use crate::drive::DriveLink;
use crate::video::VideoHub;
use async_trait::async_trait;
use rccar_bus::car::{self, CarService, CarState, HostAccess};
use rccar_bus::update::UpdateClient;
use rccar_bus::{Address, BusError, Connection};
use rccar_causes::causes;
use rccar_daemon::clock;
use rccar_protocol::release::{AccessToken, UpdateStatus, Version};
use rccar_protocol::signaling::FromCar;
use rccar_protocol::state::DriveState;
use serde::Deserialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{interval, sleep};

/// How often the state is compared with the one announced last. `rccar-update` must notice a driver
/// within this time.
const COMPARE_EVERY: Duration = Duration::from_millis(100);
/// Time between two attempts to get onto the bus, and between two tests whether it is still there.
const AGAIN: Duration = Duration::from_secs(10);
/// How often a wish of the owner's is passed on to a `rccar-update` that is not there: a minute.
const WISH_TRIES: u32 = 6;
/// The protocol allows one update status a second.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Time for a camera that wakes up and an encoder that starts.
const FRAME_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DbusConfig {
    pub(crate) enabled: bool,
    pub(crate) address: Address,
}

impl Default for DbusConfig {
    fn default() -> Self {
        Self { enabled: true, address: Address::System }
    }
}

/// The parts of the program whose state the bus shows.
pub(crate) struct Parts {
    /// Address of the host; empty without one.
    pub(crate) host: String,
    /// Whether the car is registered, and the queue of messages to the host; `None` without one.
    pub(crate) registered: Option<(watch::Receiver<bool>, mpsc::Sender<FromCar>)>,
    pub(crate) drive: DriveLink,
    pub(crate) video: VideoHub,
}

/// Takes what the bus is to show or to pass on. All clones share one state.
#[derive(Clone, Default)]
pub(crate) struct BusHandle {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    in_session: watch::Sender<bool>,
    access: Mutex<Option<(AccessToken, Instant)>>,
    announcements: watch::Sender<Option<Version>>,
    wishes: watch::Sender<Option<Version>>,
}

impl BusHandle {
    pub(crate) fn set_in_session(&self, in_session: bool) {
        self.shared.in_session.send_replace(in_session);
    }

    /// Whether a session runs, so that somebody may drive.
    pub(crate) fn is_in_session(&self) -> bool {
        *self.shared.in_session.borrow()
    }

    /// Follows [`is_in_session`](Self::is_in_session).
    pub(crate) fn in_session(&self) -> watch::Receiver<bool> {
        self.shared.in_session.subscribe()
    }

    /// Keeps the host's token for downloads, for the time `ttl`.
    pub(crate) fn set_access(&self, token: AccessToken, ttl: Duration) {
        *self.access() = Some((token, Instant::now() + ttl));
    }

    /// Passes on that the host may have this release.
    pub(crate) fn announce_release(&self, version: Version) {
        self.shared.announcements.send_replace(Some(version));
    }

    /// Passes on that the owner wants this version.
    pub(crate) fn wish(&self, version: Version) {
        self.shared.wishes.send_replace(Some(version));
    }

    fn access(&self) -> MutexGuard<'_, Option<(AccessToken, Instant)>> {
        // A panic elsewhere leaves no half token: it is replaced as a whole.
        self.shared.access.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins to serve `handle` as soon as there is a bus.
pub(crate) fn start(config: &DbusConfig, handle: &BusHandle, parts: Parts) {
    if config.enabled {
        let (reports, reported) = watch::channel(None);
        if let Some((up, messages)) = parts.registered.clone() {
            tokio::spawn(report(reported, up, messages));
        }
        let service = Arc::new(Service { parts, handle: handle.clone(), reports });
        tokio::spawn(keep_serving(config.address.clone(), service));
    }
}

async fn keep_serving(address: Address, service: Arc<Service>) {
    let mut told = false;
    // Kept while the bus is away: what comes in the meantime is passed on when it is back.
    let mut announcements = service.handle.shared.announcements.subscribe();
    let mut wishes = service.handle.shared.wishes.subscribe();
    loop {
        let serving = serve(&address, &service, &mut announcements, &mut wishes);
        let error = match serving.await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        // Most machines that are no car do not give the name to everybody: one line at INFO is
        // enough.
        if told {
            tracing::debug!(error = %causes(&error), "not on the message bus");
        } else {
            tracing::info!(
                error = %causes(&error),
                "not on the message bus: no updates through it"
            );
            told = true;
        }
        sleep(AGAIN).await;
    }
}

async fn serve(
    address: &Address,
    service: &Arc<Service>,
    announcements: &mut watch::Receiver<Option<Version>>,
    wishes: &mut watch::Receiver<Option<Version>>,
) -> Result<std::convert::Infallible, BusError> {
    let connection = address.connect().await?;
    let served = car::serve(&connection, Arc::clone(service) as Arc<dyn CarService>).await?;
    tracing::info!("on the message bus");
    let mut ticks = interval(COMPARE_EVERY);
    let mut before = CarState::default();
    let lost = lost(connection.clone());
    tokio::pin!(lost);
    loop {
        tokio::select! {
            error = &mut lost => return Err(error),
            _ = ticks.tick() => {
                let now = service.state();
                served.announce(&before, &now).await;
                before = now;
            }
            Ok(()) = announcements.changed() => {
                announce_release(&connection, announcements.borrow_and_update().clone());
            }
            Ok(()) = wishes.changed() => wish(&connection, wishes.borrow_and_update().clone()),
        }
    }
}

/// Resolves when the connection is gone. It finds that out by calls to the car's own service.
async fn lost(connection: Connection) -> BusError {
    loop {
        sleep(AGAIN).await;
        match car::CarClient::new(connection.clone()).state().await {
            Err(error) if error.is_lost() => return error,
            _ => {}
        }
    }
}

fn announce_release(connection: &Connection, version: Option<Version>) {
    let Some(version) = version else { return };
    let client = UpdateClient::new(connection.clone());
    tokio::spawn(async move {
        match client.check().await {
            Ok(()) => tracing::debug!(%version, "rccar-update asks the host"),
            Err(error) => {
                tracing::debug!(
                    error = %causes(&error),
                    %version,
                    "rccar-update was not told of a release"
                )
            }
        }
    });
}

/// Asks `rccar-update` to install this version. It decides; its next status says what it does.
fn wish(connection: &Connection, version: Option<Version>) {
    let Some(version) = version else { return };
    let client = UpdateClient::new(connection.clone());
    tokio::spawn(async move {
        match install(&client, &version).await {
            Ok(()) => tracing::info!(%version, "the owner wants this version"),
            Err(error) => {
                tracing::warn!(
                    error = %causes(&error),
                    %version,
                    "the owner wants this version, and rccar-update refuses"
                )
            }
        }
    });
}

/// `rccar-update` may not be there yet, when the bus has just come back: then it is asked again.
async fn install(client: &UpdateClient, version: &Version) -> Result<(), BusError> {
    let mut tries = 1;
    loop {
        match client.install(&version.to_string()).await {
            Err(BusError::Absent(_)) if tries < WISH_TRIES => tries += 1,
            outcome => return outcome,
        }
        sleep(AGAIN).await;
    }
}

/// Passes the newest status of the update on to the host: when it changes, and after each
/// registration.
async fn report(
    mut reports: watch::Receiver<Option<UpdateStatus>>,
    mut up: watch::Receiver<bool>,
    messages: mpsc::Sender<FromCar>,
) {
    loop {
        tokio::select! {
            Ok(()) = reports.changed() => {}
            Ok(()) = up.changed() => {}
            else => return,
        }
        let status = reports.borrow_and_update().clone();
        if *up.borrow_and_update()
            && let Some(status) = status
        {
            // The queue is full only when the connection is about to end; the report goes out again
            // after the next registration.
            let _ = messages.try_send(FromCar::Update { status });
            sleep(REPORT_EVERY).await;
        }
    }
}

struct Service {
    parts: Parts,
    handle: BusHandle,
    reports: watch::Sender<Option<UpdateStatus>>,
}

#[async_trait]
impl CarService for Service {
    fn state(&self) -> CarState {
        let now = clock::now();
        let drive = self.parts.drive.status(now);
        CarState {
            registered: self.parts.registered.as_ref().is_some_and(|(up, _)| *up.borrow()),
            host: self.parts.host.clone(),
            frames_encoded: self.parts.video.encoded(),
            drive_alive: self.parts.drive.is_alive(now),
            armed: drive.state.may_move() || drive.state == DriveState::Arming,
            battery_millivolts: drive.battery_mv.unwrap_or(0).into(),
            in_session: *self.handle.shared.in_session.borrow(),
        }
    }

    fn host_access(&self) -> Option<HostAccess> {
        // A token counts until its time is over, even if the connection that brought it is gone.
        let (token, until) = self.handle.access().clone()?;
        (Instant::now() < until).then(|| HostAccess { url: self.parts.host.clone(), token })
    }

    fn report_update(&self, status: UpdateStatus) {
        self.reports.send_replace(Some(status));
    }

    async fn test_camera(&self) -> bool {
        self.parts.video.test(FRAME_WITHIN).await
    }
}
