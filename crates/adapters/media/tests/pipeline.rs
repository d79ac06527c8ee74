//! The thread between camera and consumer.
#![allow(clippy::unwrap_used, reason = "tests")]

use rccar_media::camera::{Camera, CameraError};
use rccar_media::encoder::{Encoded, Encoder, EncoderError};
use rccar_media::frame::{I420Frame, VideoFormat};
use rccar_media::pipeline::{
    self, AccessUnit, AccessUnits, Gate, PipelineHandle, PipelineState, QUEUE_LIMIT,
};
use rccar_protocol::units::MonotonicMicros;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test]
async fn nothing_is_captured_before_someone_watches_and_the_first_frame_then_is_a_keyframe() {
    let mut rig = Rig::new();
    rig.click(Ok(()));
    assert_eq!(*rig.handle.watch().borrow(), PipelineState::Idle);
    rig.handle.set_running(true);
    let first = rig.units.recv().await.unwrap();
    assert_eq!((first.keyframe, first.data.as_ref()), (true, [0u8].as_slice()));
    assert_eq!(*rig.handle.watch().borrow(), PipelineState::Running);
}

#[tokio::test]
async fn while_the_consumer_is_busy_frames_are_skipped_before_they_are_encoded() {
    let mut rig = Rig::running();
    for _ in 0..10 {
        rig.click(Ok(()));
    }
    rig.until_captured(10).await;
    assert_eq!((rig.handle.stats().encoded, rig.handle.stats().skipped), (1, 9));
    let first = rig.units.recv().await.unwrap();
    rig.click(Ok(()));
    let second = rig.units.recv().await.unwrap();
    // The encoder counts what it has encoded: no number is missing, so no reference is.
    assert_eq!((first.data[0], second.data[0], second.keyframe), (0, 1, false));
    assert!(second.captured_at >= first.captured_at && second.encoded_at >= second.captured_at);
}

#[tokio::test]
async fn an_access_unit_that_waited_too_long_is_dropped_and_the_next_is_a_keyframe() {
    let mut rig = Rig::running();
    rig.click(Ok(()));
    rig.until_captured(1).await;
    // The only thing to await here is age itself.
    tokio::time::sleep(QUEUE_LIMIT + Duration::from_millis(5)).await;
    let clicks = rig.clicks.clone();
    let clicking = tokio::spawn(async move {
        while clicks.send(Ok(())).is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let unit = rig.units.recv().await.unwrap();
    clicking.abort();
    assert!(unit.keyframe && unit.data[0] > 0);
    assert!(rig.handle.stats().dropped_late >= 1);
}

#[tokio::test]
async fn a_requested_keyframe_comes_and_a_storm_of_requests_yields_few() {
    let mut rig = Rig::running();
    let mut keyframes = Vec::new();
    for _ in 0..50 {
        rig.handle.request_keyframe();
        let unit = rig.next().await;
        if unit.keyframe {
            keyframes.push(unit.captured_at);
        }
    }
    assert!(!keyframes.is_empty());
    assert!(
        keyframes.windows(2).all(|pair| pair[1].since(pair[0]) >= Duration::from_millis(200)),
        "{keyframes:?}"
    );
}

#[tokio::test]
async fn a_camera_that_fails_is_tried_again_and_the_reason_is_told() {
    let mut rig = Rig::running();
    let mut state = rig.handle.watch();
    rig.click(Err("the cable is loose"));
    let failed = |state: &PipelineState| match state {
        PipelineState::Failed(reason) => reason.contains("the cable is loose"),
        _ => false,
    };
    state.wait_for(failed).await.unwrap();
    rig.next().await;
    state.wait_for(|state| *state == PipelineState::Running).await.unwrap();
    assert_eq!(rig.handle.stats().camera_errors, 1);
}

#[tokio::test]
async fn an_encoder_that_fails_begins_again_with_a_keyframe() {
    let mut rig = Rig::running();
    rig.next().await;
    rig.fail_encoder.send(()).unwrap();
    rig.click(Ok(()));
    let next = rig.next().await;
    assert!(next.keyframe);
    assert_eq!(rig.handle.stats().encoder_errors, 1);
}

/// A gate that a test opens and closes.
#[derive(Debug)]
struct Turnstile(Mutex<(bool, VideoFormat, u32)>, Mutex<Vec<usize>>);

impl Turnstile {
    fn new(open: bool, width: u32, rate: u32) -> Arc<Self> {
        let state = (open, VideoFormat::new(128, 96, 30).unwrap(), rate);
        let gate = Self(Mutex::new(state), Mutex::default());
        gate.set(open, width, rate);
        Arc::new(gate)
    }

    fn set(&self, open: bool, width: u32, rate: u32) {
        let format = VideoFormat::new(width, width * 3 / 4, 30).unwrap();
        *self.0.lock().unwrap() = (open, format, rate);
    }
}

impl Gate for Turnstile {
    fn format(&self) -> VideoFormat {
        self.0.lock().unwrap().1
    }

    fn admit(&self, _: bool) -> bool {
        self.0.lock().unwrap().0
    }

    fn rate(&self) -> u32 {
        self.0.lock().unwrap().2
    }

    fn handle_encoded(&self, bytes: usize, _: bool) {
        self.1.lock().unwrap().push(bytes);
    }
}

#[tokio::test]
async fn what_the_link_has_no_room_for_is_not_encoded_and_no_reference_is_missing() {
    let mut rig = Rig::running();
    assert_eq!(rig.next().await.data[0], 0);
    let gate = Turnstile::new(false, 128, 1_000_000);
    let as_gate: Arc<dyn Gate> = Arc::clone(&gate) as _;
    rig.handle.set_gate(Arc::clone(&as_gate));
    for _ in 0..5 {
        rig.click(Ok(()));
    }
    rig.until_captured(6).await;
    assert_eq!((rig.handle.stats().left_out, rig.handle.stats().encoded), (5, 1));
    gate.set(true, 128, 1_000_000);
    let next = rig.next().await;
    assert_eq!((next.data[0], next.keyframe), (1, false));
    assert_eq!(*gate.1.lock().unwrap(), [next.data.len()], "it is told what a frame took");
    // Another session's gate stays when this one goes.
    let other: Arc<dyn Gate> = Turnstile::new(false, 128, 1_000_000);
    rig.handle.set_gate(Arc::clone(&other));
    rig.handle.remove_gate(&as_gate);
    rig.click(Ok(()));
    rig.until_captured(8).await;
    assert_eq!(rig.handle.stats().left_out, 6);
    rig.handle.remove_gate(&other);
    rig.next().await;
}

#[tokio::test]
async fn size_and_rate_follow_the_link_and_another_size_begins_with_a_keyframe() {
    let mut rig = Rig::running();
    rig.next().await;
    let gate = Turnstile::new(true, 128, 1_000_000);
    rig.handle.set_gate(Arc::clone(&gate) as _);
    assert!(!rig.next().await.keyframe);
    gate.set(true, 128, 1_020_000);
    assert!(!rig.next().await.keyframe, "too little to tell");
    gate.set(true, 64, 300_000);
    assert!(rig.next().await.keyframe);
    assert!(!rig.next().await.keyframe);
    gate.set(true, 128, 300_000);
    assert!(rig.next().await.keyframe);
    let told = rig.told.lock().unwrap().join(", ");
    assert_eq!(
        told,
        "frame 128×96, 1000 kbit/s, frame 128×96, frame 128×96, 64×48, 300 kbit/s, frame 64×48, \
         frame 64×48, 128×96, 300 kbit/s, frame 128×96"
    );
}

#[tokio::test]
async fn whoever_watches_after_a_rest_gets_a_keyframe_first_and_nothing_from_before() {
    let mut rig = Rig::running();
    for _ in 0..20 {
        let last = rig.next().await.captured_at;
        // When the rest begins, one access unit waits; when it ends, the thread waits for the
        // camera.
        rig.click(Ok(()));
        rig.handle.set_running(false);
        rig.handle.set_running(true);
        let unit = loop {
            rig.clicks.send(Ok(())).unwrap();
            if let Ok(unit) =
                tokio::time::timeout(Duration::from_millis(50), rig.units.recv()).await
            {
                break unit.unwrap();
            }
        };
        assert!(unit.keyframe && unit.captured_at > last);
    }
}

#[tokio::test]
async fn while_nobody_watches_the_camera_is_told_to_rest() {
    let mut rig = Rig::running();
    rig.next().await;
    assert!(!rig.resting.load(Ordering::Relaxed));
    let mut state = rig.handle.watch();
    rig.handle.set_running(false);
    // The thread may wait for a frame already.
    rig.click(Ok(()));
    state.wait_for(|state| *state == PipelineState::Idle).await.unwrap();
    assert!(rig.resting.load(Ordering::Relaxed));
}

#[tokio::test]
async fn dropping_the_consumer_ends_the_thread() {
    let rig = Rig::running();
    drop(rig.units);
    rig.clicks.send(Ok(())).ok();
    let mut state = rig.handle.watch();
    drop(rig.handle);
    // The sender of the state goes with the thread.
    assert!(state.wait_for(|_| false).await.is_err());
}

/// A pipeline with a camera that captures at each click.
struct Rig {
    clicks: Sender<Click>,
    fail_encoder: Sender<()>,
    resting: Arc<AtomicBool>,
    handle: PipelineHandle,
    units: AccessUnits,
    told: Told,
}

type Click = Result<(), &'static str>;

impl Rig {
    fn new() -> Self {
        let (clicks, clicked) = channel();
        let (fail_encoder, failures) = channel();
        let resting = Arc::new(AtomicBool::new(false));
        let camera = ClickCamera { clicked, resting: Arc::clone(&resting) };
        let told = Told::default();
        let encoder =
            CountingEncoder { encoded: 0, started: false, failures, told: Arc::clone(&told) };
        let (handle, units) = pipeline::start(Box::new(camera), Box::new(encoder)).unwrap();
        Self { clicks, fail_encoder, resting, handle, units, told }
    }

    fn running() -> Self {
        let rig = Self::new();
        rig.handle.set_running(true);
        rig
    }

    fn click(&self, result: Click) {
        self.clicks.send(result).unwrap();
    }

    async fn next(&mut self) -> AccessUnit {
        self.click(Ok(()));
        self.units.recv().await.unwrap()
    }

    async fn until_captured(&self, count: u64) {
        let captured = async {
            while self.handle.stats().captured < count {
                tokio::task::yield_now().await;
            }
            let done = |it: pipeline::PipelineStats| it.encoded + it.skipped + it.left_out;
            while done(self.handle.stats()) < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), captured).await.unwrap();
    }
}

struct ClickCamera {
    clicked: Receiver<Click>,
    resting: Arc<AtomicBool>,
}

impl Camera for ClickCamera {
    fn format(&self) -> VideoFormat {
        VideoFormat::new(128, 96, 30).unwrap()
    }

    fn next_frame(&mut self, _: &mut I420Frame) -> Result<MonotonicMicros, CameraError> {
        self.resting.store(false, Ordering::Relaxed);
        let broken = |reason: &str| CameraError::Broken {
            source_name: "test".to_owned(),
            reason: reason.to_owned(),
        };
        match self.clicked.recv_timeout(rccar_media::camera::LONGEST_WAIT) {
            Ok(Ok(())) => Ok(rccar_media::clock::now()),
            Ok(Err(reason)) => Err(broken(reason)),
            Err(RecvTimeoutError::Timeout) => Err(broken("nobody clicks")),
            Err(RecvTimeoutError::Disconnected) => Err(broken("the test has ended")),
        }
    }

    fn pause(&mut self) {
        self.resting.store(true, Ordering::Relaxed);
    }
}

/// Encodes frames as their number.
struct CountingEncoder {
    encoded: u8,
    started: bool,
    failures: Receiver<()>,
    /// Sizes and rates that it was told, and the size of each frame.
    told: Told,
}

type Told = Arc<Mutex<Vec<String>>>;

impl Encoder for CountingEncoder {
    fn encode(
        &mut self,
        frame: &I420Frame,
        force_keyframe: bool,
    ) -> Result<Option<Encoded>, EncoderError> {
        self.told.lock().unwrap().push(format!("frame {}×{}", frame.width(), frame.height()));
        if self.failures.try_recv().is_ok() {
            return Err(EncoderError { encoder: "test", reason: "told to".to_owned() });
        }
        let keyframe = force_keyframe || !self.started;
        self.started = true;
        let data = vec![self.encoded];
        self.encoded += 1;
        Ok(Some(Encoded { data, keyframe }))
    }

    fn set_bitrate(&mut self, bitrate_kbps: u32) -> Result<u32, EncoderError> {
        self.told.lock().unwrap().push(format!("{bitrate_kbps} kbit/s"));
        Ok(bitrate_kbps)
    }

    fn set_format(&mut self, format: VideoFormat) -> Result<(), EncoderError> {
        self.told.lock().unwrap().push(format!("{}×{}", format.width(), format.height()));
        Ok(())
    }

    fn name(&self) -> String {
        "a test".to_owned()
    }
}
