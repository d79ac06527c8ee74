//! The thread that owns libcamera.

use super::Settings;
use super::device::Manager;
use super::streaming::Streaming;
use crate::camera::newest::{Newest, Trouble};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Between two attempts to open a camera: the first, and the longest. Looking for cameras takes
/// some 10 ms.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));
/// How often the thread looks at a camera that rests: it may be unplugged.
const REST_LOOK: Duration = Duration::from_millis(500);

/// Starts a thread that puts every frame into `newest` until that is stopped.
pub(super) fn start(settings: Settings, newest: Arc<Newest>) -> io::Result<()> {
    thread::Builder::new().name("camera".to_owned()).spawn(move || {
        let mut backoff = BACKOFF.0;
        let mut told = None;
        while !newest.is_stopped() {
            let mut opened = false;
            let Err(trouble) = capture(&settings, &newest, &mut opened) else { return };
            if opened {
                backoff = BACKOFF.0;
                told = None;
            }
            if told.as_ref() != Some(&trouble) {
                tell(&settings, &trouble);
                told = Some(trouble.clone());
            }
            newest.set_trouble(trouble);
            newest.pause(backoff);
            backoff = (backoff * 2).min(BACKOFF.1);
        }
    })?;
    Ok(())
}

/// Opens the camera and captures until `newest` is stopped.
fn capture(settings: &Settings, newest: &Newest, opened: &mut bool) -> Result<(), Trouble> {
    let manager = Manager::start()?;
    let (candidate, camera) = manager.choose(&settings.selection)?;
    let mut streaming = Streaming::open(&camera, settings)?;
    tracing::info!(
        camera = %candidate, libcamera = manager.version(),
        "camera opened: {streaming}"
    );
    newest.set_trouble(Trouble::Silent("it is starting".to_owned()));
    while !newest.is_stopped() {
        if newest.is_wanted() {
            streaming.start()?;
            while newest.is_wanted() {
                // Only a frame counts: a camera that opens and then fails at once does not work.
                *opened |= streaming.step(newest)?;
            }
            streaming.stop()?;
        } else {
            newest.wait_until_wanted(REST_LOOK);
            streaming.look()?;
        }
    }
    Ok(())
}

fn tell(settings: &Settings, trouble: &Trouble) {
    let camera = &settings.selection;
    match trouble {
        Trouble::Missing(reason) => {
            tracing::warn!(%camera, "no camera: {reason}; it will be looked for again and again")
        }
        Trouble::Broken(reason) | Trouble::Silent(reason) => {
            tracing::warn!(
                %camera,
                "the camera does not work: {reason}; it will be tried again and again"
            );
        }
    }
}
