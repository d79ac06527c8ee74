//! An open camera.

use super::Settings;
use super::buffers::{self, Shot};
use super::device;
use crate::camera::modes;
use crate::camera::newest::{Newest, Trouble};
use crate::camera::throttle::Throttle;
use crate::clock;
use crate::frame::I420Frame;
use crate::raw::{Layout, RawFrame, Rotation, Shape};
use ::libcamera::camera::{ActiveCamera, Camera, CameraConfiguration, Orientation};
use ::libcamera::color_space::ColorSpace;
use ::libcamera::control::{ControlEntry, ControlList};
use ::libcamera::controls::FrameDurationLimits;
use ::libcamera::geometry::Size;
use ::libcamera::properties;
use ::libcamera::request::{Request, RequestStatus, ReuseFlag};
use ::libcamera::stream::Stream;
use ::libcamera::utils::UniquePtr;
use rccar_causes::causes;
use rccar_protocol::units::MonotonicMicros;
use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// One is being filled, one waits to be filled, one is being read. A fourth would only add to the
/// age of the picture.
const BUFFERS: u32 = 3;
/// How often the thread looks whether frames are still wanted.
const LOOK_UP: Duration = Duration::from_millis(100);
/// A camera that gives nothing for this long is opened again. Sensors take up to a second to start.
const STALLED: Duration = Duration::from_secs(3);
/// Time stamps further from now than this come from another clock.
const PLAUSIBLE: Duration = Duration::from_secs(2);

/// A report of libcamera's thread.
enum Event {
    Completed(Request),
    Disconnected,
}

/// A configured camera with its requests. The order of the fields matters: requests must be dropped
/// before their camera.
pub(super) struct Streaming {
    idle: Vec<Request>,
    events: Receiver<Event>,
    camera: ActiveCamera<'static>,
    stream: Stream,
    controls: Option<UniquePtr<ControlList>>,
    layout: Layout,
    shape: Shape,
    rotation: Rotation,
    scratch: I420Frame,
    throttle: Throttle,
    running: bool,
    last_frame: MonotonicMicros,
    summary: String,
}

impl Streaming {
    /// Takes the camera for this program and configures it.
    pub(super) fn open(camera: &Camera<'static>, settings: &Settings) -> Result<Self, Trouble> {
        let mut camera = camera
            .acquire()
            .map_err(failed("it cannot be opened (does another program use it?)"))?;
        let Configured { stream, layout, shape, rotation, summary } =
            configure(&mut camera, settings)?;
        let (idle, memory) = buffers::requests(&mut camera, &stream, layout, shape, BUFFERS)
            .map_err(failed("it has no buffers"))?;
        let (sender, events) = channel();
        let completed = sender.clone();
        // Errors do not matter: when the camera is closed, the receiver is dropped first.
        camera.on_request_completed(move |request| drop(completed.send(Event::Completed(request))));
        camera.on_disconnected(move || drop(sender.send(Event::Disconnected)));
        let summary = format!("{summary}, {} buffers ({memory})", idle.len());
        Ok(Self {
            idle,
            events,
            controls: frame_duration(&camera, settings.format.fps()),
            camera,
            stream,
            layout,
            shape,
            rotation,
            scratch: I420Frame::new(settings.format),
            throttle: Throttle::new(settings.format.fps()),
            running: false,
            last_frame: clock::now(),
            summary,
        })
    }

    pub(super) fn start(&mut self) -> Result<(), Trouble> {
        self.camera.start(self.controls.as_deref()).map_err(failed("it does not start"))?;
        self.running = true;
        self.last_frame = clock::now();
        self.throttle.restart(self.last_frame);
        self.queue()
    }

    /// Waits for an event, for [`LOOK_UP`] at most. Returns whether there was a frame.
    pub(super) fn step(&mut self, newest: &Newest) -> Result<bool, Trouble> {
        let now = clock::now();
        // With every request under way, there is nothing to ask for before an event.
        let wait =
            if self.idle.is_empty() { None } else { self.throttle.due().map(|due| due.since(now)) };
        let seen = match self.events.recv_timeout(wait.unwrap_or(LOOK_UP).min(LOOK_UP)) {
            Ok(Event::Completed(request)) => self.complete(request, newest)?,
            Ok(Event::Disconnected) | Err(RecvTimeoutError::Disconnected) => {
                return Err(unplugged());
            }
            Err(RecvTimeoutError::Timeout) => false,
        };
        if clock::now().since(self.last_frame) > STALLED {
            return Err(Trouble::Broken(format!("it gave no frame for {} s", STALLED.as_secs())));
        }
        self.queue()?;
        Ok(seen)
    }

    /// Ends capturing; [`Self::start`] may begin again.
    pub(super) fn stop(&mut self) -> Result<(), Trouble> {
        self.running = false;
        self.camera.stop().map_err(failed("it does not stop"))?;
        self.look()
    }

    /// Takes back requests that were cancelled; an error if the camera is gone.
    pub(super) fn look(&mut self) -> Result<(), Trouble> {
        while let Ok(event) = self.events.try_recv() {
            match event {
                Event::Completed(request) => self.recycle(request),
                Event::Disconnected => return Err(unplugged()),
            }
        }
        Ok(())
    }

    fn complete(&mut self, request: Request, newest: &Newest) -> Result<bool, Trouble> {
        if request.status() == RequestStatus::Cancelled {
            // The camera was not stopped, so its device has failed, and would fail again at once.
            self.recycle(request);
            return Err(broken("it gave a frame up"));
        }
        // Damaged frames are left out.
        let shot = Shot::of(&request, &self.stream).filter(|shot| shot.good);
        let seen = shot.is_some();
        if let Some(shot) = shot {
            let captured_at = capture_time(shot.timestamp_ns);
            let convert = |planes: &[&[u8]]| {
                RawFrame::new(self.layout, self.shape, planes)?
                    .convert(self.rotation, &mut self.scratch)
            };
            shot.read(convert)
                .map_err(failed("its memory cannot be read"))?
                .map_err(|error| Trouble::Broken(error.to_string()))?;
            newest.put(captured_at, |frame| std::mem::swap(frame, &mut self.scratch));
            self.throttle.captured(captured_at);
            self.last_frame = clock::now();
        }
        self.recycle(request);
        Ok(seen)
    }

    fn recycle(&mut self, mut request: Request) {
        request.reuse(ReuseFlag::REUSE_BUFFERS);
        self.idle.push(request);
    }

    /// Asks for as many frames as there are buffers, or as the throttle allows.
    fn queue(&mut self) -> Result<(), Trouble> {
        loop {
            let now = clock::now();
            if self.throttle.due().is_some_and(|due| due > now) {
                return Ok(());
            }
            let Some(request) = self.idle.pop() else { return Ok(()) };
            if let Err((request, error)) = self.camera.queue_request(request) {
                self.idle.push(request);
                return Err(failed("it takes no request")(error));
            }
            self.throttle.asked(now);
        }
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        // All requests must come back before their memory is freed. An error is no harm: a camera
        // that is gone has nothing to stop.
        if self.running
            && let Err(error) = self.camera.stop()
        {
            tracing::debug!(error = %causes(&error), "the camera did not stop");
        }
    }
}

impl fmt::Display for Streaming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)
    }
}

struct Configured {
    stream: Stream,
    layout: Layout,
    shape: Shape,
    /// The turn that is left for the copy to make.
    rotation: Rotation,
    summary: String,
}

fn configure(
    camera: &mut ActiveCamera<'static>,
    settings: &Settings,
) -> Result<Configured, Trouble> {
    let wanted = (settings.format.width(), settings.format.height());
    // Sensors have this property. libcamera's virtual camera does not have it: it says that it
    // turns the picture, and does not.
    let turns = camera.properties().get::<properties::Rotation>().is_ok();
    let upright = if turns && settings.rotation == Rotation::Half {
        Orientation::Rotate180
    } else {
        Orientation::Rotate0
    };
    let mut configuration = device::video(camera).ok_or_else(|| broken("it offers no video"))?;
    let modes = device::modes(&configuration, wanted);
    // Some drivers name a range of sizes but make only some of them.
    let found = modes::candidates(&modes, wanted)
        .into_iter()
        .find(|&(layout, size)| ask(&mut configuration, layout, size, upright));
    let Some((layout, (width, height))) = found else {
        let offered = modes::describe(&modes);
        return Err(Trouble::Broken(format!(
            "no size of at least {}x{}; it offers {offered}",
            wanted.0, wanted.1
        )));
    };
    let rotation =
        if turns { left_to_turn(upright, configuration.orientation()) } else { settings.rotation };
    camera.configure(&mut configuration).map_err(failed("it cannot be configured"))?;
    let adjusted = configuration.get(0).ok_or_else(|| broken("it offers no stream"))?;
    let stream = adjusted.stream().ok_or_else(|| broken("it has no stream"))?;
    let colours = adjusted
        .get_color_space()
        .map_or_else(|| "unknown colours".to_owned(), |space| space.to_repr());
    let turned = if rotation == Rotation::Half { ", turned while copying" } else { "" };
    let summary = format!("{width}x{height} {}, {colours}{turned}", adjusted.get_pixel_format());
    let shape = Shape {
        width: width as usize,
        height: height as usize,
        stride: adjusted.get_stride() as usize,
    };
    Ok(Configured { stream, layout, shape, rotation, summary })
}

/// Puts the wishes into the configuration. `false` if libcamera changes size or layout.
fn ask(
    configuration: &mut CameraConfiguration,
    layout: Layout,
    (width, height): (u32, u32),
    upright: Orientation,
) -> bool {
    let pixels = device::pixel_format(layout);
    configuration.set_orientation(upright);
    let Some(mut stream) = configuration.get_mut(0) else { return false };
    stream.set_pixel_format(pixels);
    stream.set_size(Size { width, height });
    stream.set_buffer_count(BUFFERS);
    // As the encoder declares in its stream; a USB camera keeps its own.
    stream.set_color_space(Some(ColorSpace::rec709()));
    if configuration.validate().is_invalid() {
        return false;
    }
    let Some(given) = configuration.get(0) else { return false };
    let (given_size, given_pixels) = (given.get_size(), given.get_pixel_format());
    given_pixels == pixels && (given_size.width, given_size.height) == (width, height)
}

fn left_to_turn(wanted: Orientation, given: Orientation) -> Rotation {
    match (wanted, given) {
        (Orientation::Rotate0, Orientation::Rotate180)
        | (Orientation::Rotate180, Orientation::Rotate0) => Rotation::Half,
        (wanted, given) => {
            if wanted != given {
                tracing::warn!(?wanted, ?given, "the picture cannot be turned upright");
            }
            Rotation::None
        }
    }
}

/// The control that sets the frame rate, if the camera has it.
fn frame_duration(camera: &Camera<'_>, fps: u32) -> Option<UniquePtr<ControlList>> {
    camera.controls().find(FrameDurationLimits::ID).ok()?;
    let micros = i64::from(1_000_000 / fps.max(1));
    let mut controls = ControlList::new();
    let set = controls.set(FrameDurationLimits([micros, micros]));
    set.inspect_err(
        |error| tracing::debug!(error = %causes(error), "the camera keeps its own rate"),
    )
    .ok()?;
    Some(controls)
}

/// The time stamp, or now if it comes from another clock.
fn capture_time(timestamp_ns: u64) -> MonotonicMicros {
    let (now, stamped) = (clock::now(), MonotonicMicros(timestamp_ns / 1_000));
    let plausible = now.since(stamped) < PLAUSIBLE && stamped.since(now) == Duration::ZERO;
    if plausible { stamped } else { now }
}

fn broken(what: &str) -> Trouble {
    Trouble::Broken(what.to_owned())
}

fn failed(what: &'static str) -> impl Fn(io::Error) -> Trouble {
    move |error| Trouble::Broken(format!("{what}: {error}"))
}

fn unplugged() -> Trouble {
    Trouble::Missing("it was unplugged".to_owned())
}
