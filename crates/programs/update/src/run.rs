//! Puts the parts of the program together.

use crate::bus::Service;
use crate::config::Config;
use crate::error::UpdateError;
use crate::http::HostClient;
use crate::shell::{self, Shell, World};
use crate::state::StateFile;
use crate::status::{Details, for_bus};
use crate::system::{self};
use crate::watch;
use rccar_bus::car::CarClient;
use rccar_bus::{Connection, update};
use rccar_causes::causes;
use rccar_daemon::{clock, notify, shutdown};
use rccar_rauc::{Rauc, RaucError};
use rccar_update_core::{Boot, Machine, State, Status, Version};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch as channel};
use tokio::time::{Instant, sleep};

/// Most messages that wait for the loop.
const QUEUE: usize = 64;
/// Time between two attempts to reach the bus or RAUC.
const AGAIN: Duration = Duration::from_secs(2);
/// How long to wait for the end of an installation that an earlier process began. Its source ended
/// with that process.
const DONE_WITHIN: Duration = Duration::from_secs(5 * 60);
/// Time between two looks at that installation.
const LOOK: Duration = Duration::from_millis(500);
/// How long RAUC may take to come up. After that the slot is the one that the boot script names.
const RAUC_WITHIN: Duration = Duration::from_secs(60);

/// Runs until the program is asked to stop, or the bus is lost.
pub(crate) async fn run(config: Config) -> Result<(), UpdateError> {
    let running = system::running_version(&config.paths.os_release)?;
    let state = StateFile::in_directory(&config.paths.state_dir);
    let saved = state.load()?;
    shell::warn_of_settings(&config);
    let stop = shutdown::signal();
    tokio::pin!(stop);
    let started = tokio::select! {
        () = &mut stop => return Ok(()),
        started = start(&config, &running) => started?,
    };
    let Started { connection, world, commands, boot } = started;
    tracing::info!(version = %running, slot = boot.slot, "running");

    let (inputs, queue) = mpsc::channel(QUEUE);
    let machine =
        Machine::new(clock::now(), shell::dice(), system::month(), config.settings(), saved, boot);
    let lost = watch::car(CarClient::new(connection), inputs.clone());
    let ended = async {
        tokio::select! {
            () = &mut stop => None,
            error = lost => Some(error),
        }
    };
    notify::ready();
    let shell = Shell::new(machine, world, state, config, running, inputs);
    let ended = Box::pin(shell.run(queue, commands, ended)).await;
    notify::stopping();
    // If the bus was lost, the service manager starts the program again, with another connection.
    ended.map_or(Ok(()), |error| Err(error.into()))
}

struct Started {
    connection: Connection,
    world: World,
    commands: mpsc::Receiver<crate::bus::Command>,
    boot: Boot,
}

async fn start(config: &Config, running: &Version) -> Result<Started, UpdateError> {
    let connection = connect(config).await;
    let rauc = Rauc::new(connection.clone());
    let car = CarClient::new(connection.clone());
    let host = HostClient::new(Arc::new(car.clone()))?;
    let (wishes, commands) = mpsc::channel(QUEUE);
    let idle = Status {
        state: State::Idle,
        running: running.clone(),
        version: None,
        percent: None,
        size: None,
        reason: None,
        on_request: false,
    };
    let properties = Arc::new(Mutex::new(for_bus(&idle, &Details::default())));
    let service = Service::new(Arc::clone(&properties), wishes, rauc.clone());
    let served = update::serve(&connection, Arc::new(service)).await?;
    let (reports, told) = channel::channel((None, 0));
    tokio::spawn(watch::report(car.clone(), told));
    let boot = booted(&rauc, running).await?;
    Ok(Started {
        connection,
        world: World { rauc, host, car, served, properties, reports },
        commands,
        boot,
    })
}

/// Waits for the bus, which comes up with the system.
async fn connect(config: &Config) -> Connection {
    let mut told = false;
    loop {
        match config.bus.address.connect().await {
            Ok(connection) => return connection,
            Err(error) if told => tracing::debug!(error = %causes(&error)),
            Err(error) => {
                tracing::warn!(error = %causes(&error), "waiting for the message bus");
                told = true;
            }
        }
        sleep(AGAIN).await;
    }
}

async fn booted(rauc: &Rauc, running: &Version) -> Result<Boot, RaucError> {
    // The process before this one may have ended during an installation. RAUC goes on with the
    // bytes that it has read, and only after that is it certain which slot comes next. An earlier
    // look would take the update for interrupted, and it would later start without a trial.
    let deadline = Instant::now() + DONE_WITHIN;
    while rauc.is_busy().await.unwrap_or(false) && Instant::now() < deadline {
        sleep(LOOK).await;
    }
    let deadline = Instant::now() + RAUC_WITHIN;
    loop {
        match system::boot(rauc, running.clone()).await {
            Ok(boot) if boot.primary.is_some() || Instant::now() >= deadline => return Ok(boot),
            Err(error) if Instant::now() >= deadline => return Err(error),
            // RAUC is not there yet, or does not know the next slot yet.
            Ok(_) | Err(_) => sleep(AGAIN).await,
        }
    }
}
