//! Starts the parts of the program and introduces them to each other.

use crate::bus::{self, BusHandle};
use crate::camera::{self, PoseSource};
use crate::claim_code::ClaimCodeFile;
use crate::computer::ComputerWatch;
use crate::config::Config;
use crate::connections::Connections;
use crate::drive::DriveLink;
use crate::encoder;
use crate::error::CarError;
use crate::host_url::HostUrl;
use crate::identity::Identity;
use crate::lan::{self};
use crate::lease::LeaseKeeper;
use crate::messages::{Incoming, Open, Outgoing, Pulse, RunningSession, Start};
use crate::modem;
use crate::pose;
use crate::sensors::Sensors;
use crate::session::{Session, SessionContext};
use crate::signaling::{self, Registrant, Signs, Trouble, Ways};
use crate::uplinks;
use crate::video::VideoHub;
use rccar_car_core::lease::{Source, Wish};
use rccar_car_core::registration::Standing;
use rccar_daemon::{notify, shutdown};
use rccar_media::encoder::choice;
use rccar_media::frame::VideoFormat;
use rccar_media::pipeline;
use rccar_peer::Recorder;
use rccar_protocol::events::Video;
use rccar_protocol::text::Software;
use std::collections::BTreeMap;
use std::num::TryFromIntError;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::Instrument;

/// Most messages that wait for the lease, or for the socket to the host.
const QUEUE: usize = 256;
/// Most messages that wait for one session. A browser sends some twenty candidates at once.
const SESSION_QUEUE: usize = 128;

/// Reads the car's key; at the first start it makes the state directory and the key.
pub(crate) fn load_identity(config: &Config) -> Result<Identity, CarError> {
    use std::os::unix::fs::DirBuilderExt;
    let directory = &config.car.state_dir;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|error| CarError::StateDir(directory.clone(), error))?;
    Ok(Identity::load_or_create(directory)?)
}

/// Runs the car until a signal to stop, or until the camera's thread dies.
pub(crate) fn run(config: Config) -> Result<(), CarError> {
    let identity = load_identity(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CarError::Runtime)?;
    runtime.block_on(Box::pin(serve(config, identity)))
}

async fn serve(config: Config, identity: Identity) -> Result<(), CarError> {
    let software = Software::new(concat!("rccar-car/", env!("CARGO_PKG_VERSION")))?;
    let drive = DriveLink::start(&config.drive.socket)
        .map_err(|error| CarError::Drive(config.drive.socket.clone(), error))?;
    let poses: PoseSource = {
        let drive = drive.clone();
        Arc::new(move |now| pose::at(&drive, now))
    };
    let camera = camera::open(&config.camera, poses)?;
    let format = camera.format();
    let order = encoder::order(format, config.camera.bitrate_kbps);
    let encoder = choice::open(config.encoder.wish(), order)?;
    let (handle, units) = pipeline::start(camera, encoder).map_err(CarError::Thread)?;
    let bus = BusHandle::default();
    let uplinks = uplinks::start(&config.uplinks, config.host.url.clone());
    let (up, host_up) = watch::channel(false);
    let modem = modem::start(&config.dbus, bus.clone(), drive.clone());
    let connections = Connections {
        uplinks: uplinks.clone(),
        modem: modem.link,
        host: config.host.url.is_some().then_some(host_up),
    };
    let computer = ComputerWatch::start(&config.computer).map_err(CarError::Thread)?;
    let recorder =
        config.car.trace.as_deref().map(|path| {
            Recorder::start(path).map_err(|error| CarError::Trace(path.to_owned(), error))
        });
    let recorder = recorder.transpose()?;
    let context = SessionContext {
        car: identity.id(),
        name: config.car.name.clone(),
        software: software.clone(),
        drive,
        video: VideoHub::new(video_words(format)?, order, handle, units, recorder),
        loopback: config.ice.loopback,
        connections,
        sensors: Sensors { computer, place: modem.place },
    };
    tracing::info!(car = %context.car, name = %context.name, "starting");

    let (incoming, queue) = mpsc::channel(QUEUE);
    let mut sources = BTreeMap::new();
    let mut readiness = Vec::new();
    let (standing, host_standing) = watch::channel(Standing::default());
    let (redirected, host_redirects) = watch::channel(None);
    if !config.lan.listen.is_empty() {
        let back = lan::start(&config, &context, (host_standing, host_redirects), incoming.clone())
            .await?;
        readiness.push(back.up.clone());
        sources.insert(Source::Lan, back);
    }
    let host = config.host.url.as_ref().map(HostUrl::origin).unwrap_or_default();
    if let Some(url) = config.host.url.clone() {
        let registrant =
            Registrant { identity, name: config.car.name, software, host: config.host };
        let claim = ClaimCodeFile::new(&config.car.runtime_dir);
        let trouble = Trouble::new(&config.car.state_dir);
        let host_time = config.car.runtime_dir.join("time");
        let signs = Signs { up, standing, redirected, pulse: Pulse::default() };
        let ways = Ways { uplinks, urgent: bus.in_session() };
        let back =
            start_signaling(url, registrant, signs, ways, (claim, trouble, host_time), incoming);
        readiness.push(back.up.clone());
        sources.insert(Source::Host, back);
    } else {
        // That of a host which the car no longer has.
        Trouble::new(&config.car.state_dir).remove();
    }
    tokio::spawn(report_readiness(readiness));
    let parts = bus::Parts {
        host,
        registered: sources
            .get(&Source::Host)
            .map(|back: &Outgoing| (back.up.clone(), back.messages.clone())),
        drive: context.drive.clone(),
        video: context.video.clone(),
    };
    bus::start(&config.dbus, &bus, parts);
    let camera_died = context.video.died();
    let stop = async {
        tokio::select! {
            () = shutdown::signal() => {}
            () = camera_died.notified() => {}
        }
    };
    let video = context.video.clone();
    let drive = context.drive.clone();
    LeaseKeeper::new(open_sessions(context), sources, drive, bus).run(queue, stop).await;
    notify::stopping();
    // An error makes the service manager start the car again: without the camera's thread there
    // would be no picture any more.
    if video.is_dead() { Err(CarError::CameraDied) } else { Ok(()) }
}

fn video_words(format: VideoFormat) -> Result<Video, TryFromIntError> {
    Ok(Video {
        width: format.width().try_into()?,
        height: format.height().try_into()?,
        fps: format.fps().try_into()?,
    })
}

/// Returns the function by which the lease opens sessions, so that it need not know their parts.
fn open_sessions(context: SessionContext) -> Open {
    Box::new(move |wish, back, start| {
        let Wish { source, session, driver: _, trickle, take: _, ice_servers } = wish;
        let (inputs, queue) = mpsc::channel(SESSION_QUEUE);
        let run = Session::new(context.clone(), session, trickle, ice_servers, back, source);
        let reachable = run.reachable();
        let (begin, begun) = match start {
            Start::Now => (None, None),
            Start::Later => {
                let (begin, begun) = oneshot::channel();
                (Some(begin), Some(begun))
            }
        };
        let span = tracing::info_span!("session", id = %session);
        RunningSession {
            inputs,
            reachable,
            task: tokio::spawn(Box::pin(run.run(queue, begun).instrument(span))),
            begin,
        }
    })
}

fn start_signaling(
    url: HostUrl,
    registrant: Registrant,
    signs: Signs,
    ways: Ways,
    (claim, trouble, host_time): (ClaimCodeFile, Trouble, PathBuf),
    incoming: mpsc::Sender<Incoming>,
) -> Outgoing {
    let (messages, outgoing) = mpsc::channel(QUEUE);
    let back = Outgoing { messages, up: signs.up.subscribe(), pulse: Some(signs.pulse.clone()) };
    tokio::spawn(async move {
        let span = tracing::info_span!("host", name = url.authority());
        Box::pin(signaling::keep_registered(
            url,
            registrant,
            incoming,
            outgoing,
            signs,
            (claim, trouble, host_time),
            ways,
        ))
        .instrument(span)
        .await;
    });
    back
}

/// Reports readiness to the service manager as soon as a driver can reach the car, through its host
/// or its own page.
async fn report_readiness(sources: Vec<watch::Receiver<bool>>) {
    let waits = sources
        .into_iter()
        .map(|mut up| Box::pin(async move { up.wait_for(|up| *up).await.is_ok() }));
    if futures_util::future::select_all(waits).await.0 {
        notify::ready();
    }
}
