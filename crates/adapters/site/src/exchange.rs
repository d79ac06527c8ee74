//! The handle on the task that owns the rooms.

use crate::access::Access;
use crate::ice::IceServers;
use crate::outbox::Outbox;
use crate::rooms_task::{CarLink, Command, DriverLink, run};
use crate::token::{Token, TokenHash};
use rccar_protocol::release::{UpdateStatus, Version};
use rccar_protocol::signaling::{FromCar, FromDriver, ToCar};
use rccar_protocol::text::{CarId, Name, Software};
use rccar_rooms::{CarConn, DriverConn, EnrolledCar, InstallRefusal, Options};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// Commands that may wait for the task. When the queue is full, senders wait: that slows down their
/// own clients and nobody else.
const COMMANDS: usize = 1_024;
/// Messages that may wait between the task and a car in the same process: as for a socket.
const LOCAL_MESSAGES: usize = 256;
/// Reports of cars that may wait to be read: one from each car of a large fleet.
const UPDATES: usize = 1_024;

/// Where drivers and cars meet. Clones are handles on the same task, which lives until
/// [`Exchange::shutdown`] or until all are gone.
#[derive(Clone)]
pub struct Exchange {
    commands: mpsc::Sender<Command>,
    next_connection: Arc<AtomicU64>,
    access: Arc<Access>,
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

impl Exchange {
    /// Starts the task. Must be called within a Tokio runtime.
    #[must_use]
    pub fn start(options: Options, ice: Arc<dyn IceServers>) -> Self {
        Self::start_with(options, ice, Access::new(None))
    }

    /// The same for a host with releases. Cars fetch them with tokens that are made with this
    /// secret.
    #[must_use]
    pub fn start_with_access(options: Options, ice: Arc<dyn IceServers>, secret: Token) -> Self {
        Self::start_with(options, ice, Access::new(Some(secret)))
    }

    fn start_with(options: Options, ice: Arc<dyn IceServers>, access: Access) -> Self {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let access = Arc::new(access);
        tokio::spawn(run(options, ice, Arc::clone(&access), receiver));
        Self { commands, next_connection: Arc::new(AtomicU64::new(1)), access }
    }

    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    /// Takes over what cars said about their updates in an earlier run. It holds until a car
    /// reports again.
    pub async fn remember_updates(&self, updates: Vec<(CarId, UpdateStatus)>) {
        self.command(Command::RememberUpdates(updates)).await;
    }

    /// Receives what cars say about their updates from now on. A receiver that is not read misses
    /// some. A second call replaces the first.
    pub async fn watch_updates(&self) -> mpsc::Receiver<(CarId, UpdateStatus)> {
        let (sender, receiver) = mpsc::channel(UPDATES);
        self.command(Command::WatchUpdates(sender)).await;
        receiver
    }

    /// The connected cars, each with its last report about its update.
    pub async fn connected_cars(&self) -> Vec<(CarId, Option<UpdateStatus>)> {
        let (answer, cars) = oneshot::channel();
        self.command(Command::ConnectedCars(answer)).await;
        cars.await.unwrap_or_default()
    }

    /// Tells a car that there may be a release for it. A car that is not connected finds it at its
    /// next check.
    pub async fn announce_release(&self, car: CarId, version: Version) {
        self.command(Command::AnnounceRelease { car, version }).await;
    }

    /// Asks a car, on behalf of its owner, to install a version that waits for this. `None`: the
    /// exchange has ended.
    pub(crate) async fn install(
        &self,
        user: Name,
        car: CarId,
        version: Version,
    ) -> Option<Result<(), InstallRefusal>> {
        let (answer, answered) = oneshot::channel();
        self.command(Command::Install { user, car, version, answer }).await;
        answered.await.ok()
    }

    /// Replaces the list of enrolled cars. A connected car that is no longer listed is sent away.
    pub async fn set_cars(&self, cars: Vec<EnrolledCar>) {
        self.command(Command::EnrolledCars(cars)).await;
    }

    /// An enrolled car has another owner, or is shared with others. Drives of people who have lost
    /// their right to it end at once.
    pub async fn update_car(&self, car: EnrolledCar) {
        self.command(Command::UpdateCar(car)).await;
    }

    /// Who counts as the owner of every car.
    pub async fn set_admins(&self, admins: BTreeSet<Name>) {
        self.command(Command::Admins(admins)).await;
    }

    /// Makes the calling process a car, without socket and registration. Dropping the sender is
    /// like losing the connection. A receiver that lets 256 messages wait loses it as well. The car
    /// must speak prepared sessions.
    pub async fn attach_local_car(
        &self,
        car: EnrolledCar,
        software: Software,
    ) -> (mpsc::Sender<FromCar>, mpsc::Receiver<ToCar>) {
        let conn = CarConn(self.number());
        let (to_car, receiver) = mpsc::channel(LOCAL_MESSAGES);
        let (sender, mut from_car) = mpsc::channel(LOCAL_MESSAGES);
        let link = CarLink::Local(to_car);
        self.command(Command::CarJoined { conn, car, software, prepares: true, link }).await;
        let exchange = self.clone();
        tokio::spawn(async move {
            while let Some(message) = from_car.recv().await {
                exchange.command(Command::Car { conn, message }).await;
            }
            exchange.command(Command::CarGone { conn }).await;
        });
        (sender, receiver)
    }

    /// A car was revoked: its session ends and its connection is closed.
    pub async fn revoke_car(&self, car: CarId) {
        self.command(Command::RevokeCar(car)).await;
    }

    /// The sign-ins of all connected drivers and of all sessions, so that the program can check
    /// whether they still hold.
    pub async fn sign_ins(&self) -> Vec<TokenHash> {
        let (answer, sign_ins) = oneshot::channel();
        self.command(Command::SignIns(answer)).await;
        sign_ins.await.unwrap_or_default()
    }

    /// A sign-in has ended: its connections are closed, its sessions end.
    pub async fn revoke(&self, sign_in: TokenHash) {
        self.command(Command::Revoke(sign_in)).await;
    }

    /// Everybody who is connected or has a session, even while the connection is away, so that the
    /// program can check whether they still have an account.
    pub async fn users(&self) -> BTreeSet<Name> {
        let (answer, users) = oneshot::channel();
        self.command(Command::Users(answer)).await;
        users.await.unwrap_or_default()
    }

    /// An account is gone: all connections of this user are closed, all sessions end.
    pub async fn revoke_user(&self, user: Name) {
        self.command(Command::RevokeUser(user)).await;
    }

    /// Ends or forgets all sessions ([`rccar_rooms::Options::drives_go_on`]) and closes all
    /// connections; returns when they are closed, after 2 s at most. A client that connects later
    /// is not served.
    pub async fn shutdown(&self) {
        let (done, wait) = oneshot::channel();
        self.command(Command::Shutdown(done)).await;
        // An error means that the task has ended: that is what was asked for.
        let _ = wait.await;
    }

    /// `parts`: the page asks for the parts of the list that it shows.
    pub(crate) async fn join_driver(
        &self,
        user: Name,
        sign_in: TokenHash,
        reached: IpAddr,
        outbox: Outbox,
        parts: bool,
    ) -> DriverConn {
        let conn = DriverConn(self.number());
        let link = DriverLink { user, sign_in, reached, outbox };
        self.command(Command::DriverJoined { conn, link, parts }).await;
        conn
    }

    pub(crate) fn driver_says(
        &self,
        conn: DriverConn,
        message: FromDriver,
    ) -> impl Future<Output = ()> + use<> {
        self.command(Command::Driver { conn, message })
    }

    pub(crate) fn driver_gone(&self, conn: DriverConn) -> impl Future<Output = ()> + use<> {
        self.command(Command::DriverGone { conn })
    }

    /// A number for a connection before it joins: a car that waits to be claimed needs one, too.
    pub(crate) fn next_car(&self) -> CarConn {
        CarConn(self.number())
    }

    pub(crate) async fn join_car_as(
        &self,
        conn: CarConn,
        car: EnrolledCar,
        (software, prepares): (Software, bool),
        reached: IpAddr,
        outbox: Outbox,
    ) {
        let link = CarLink::Socket { outbox, reached };
        self.command(Command::CarJoined { conn, car, software, prepares, link }).await;
    }

    pub(crate) fn car_says(
        &self,
        conn: CarConn,
        message: FromCar,
    ) -> impl Future<Output = ()> + use<> {
        self.command(Command::Car { conn, message })
    }

    pub(crate) fn car_gone(&self, conn: CarConn) -> impl Future<Output = ()> + use<> {
        self.command(Command::CarGone { conn })
    }

    fn number(&self) -> u64 {
        self.next_connection.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends at once; the future waits only while the queue is full. So the future of each socket
    /// has no room for a command, which is as large as the largest message.
    fn command(&self, command: Command) -> impl Future<Output = ()> + use<> {
        let full = match self.commands.try_send(command) {
            Err(TrySendError::Full(command)) => Some(command),
            // Closed: after shutdown nothing is left to serve the command.
            Ok(()) | Err(TrySendError::Closed(_)) => None,
        };
        let sending = full.map(|command| {
            let commands = self.commands.clone();
            Box::pin(async move {
                // Fails only after shutdown, too.
                let _ = commands.send(command).await;
            })
        });
        async move {
            if let Some(sending) = sending {
                sending.await;
            }
        }
    }
}
