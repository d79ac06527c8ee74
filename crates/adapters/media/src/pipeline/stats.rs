//! Counts the work of the pipeline.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters since the start of the pipeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PipelineStats {
    /// Frames taken from the camera.
    pub captured: u64,
    /// Access units handed over, keyframes among them.
    pub encoded: u64,
    pub keyframes: u64,
    /// Of all access units handed over.
    pub bytes: u64,
    /// Frames not encoded because the consumer had not taken the one before.
    pub skipped: u64,
    /// Frames not encoded because the link had no room for them.
    pub left_out: u64,
    /// Access units dropped because the consumer came too late for them, or only after a rest.
    pub dropped_late: u64,
    pub camera_errors: u64,
    pub encoder_errors: u64,
    /// Time from capture to the end of encoding, of the last frame.
    pub last_latency: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    captured: AtomicU64,
    encoded: AtomicU64,
    keyframes: AtomicU64,
    bytes: AtomicU64,
    skipped: AtomicU64,
    left_out: AtomicU64,
    dropped_late: AtomicU64,
    camera_errors: AtomicU64,
    encoder_errors: AtomicU64,
    last_latency_us: AtomicU64,
}

impl Counters {
    pub(super) fn captured(&self) {
        add(&self.captured, 1);
    }

    pub(super) fn skipped(&self) {
        add(&self.skipped, 1);
    }

    pub(super) fn left_out(&self) {
        add(&self.left_out, 1);
    }

    pub(super) fn dropped_late(&self) {
        add(&self.dropped_late, 1);
    }

    pub(super) fn camera_error(&self) {
        add(&self.camera_errors, 1);
    }

    pub(super) fn encoder_error(&self) {
        add(&self.encoder_errors, 1);
    }

    pub(super) fn encoded(&self, bytes: usize, keyframe: bool, latency: Duration) {
        add(&self.encoded, 1);
        add(&self.keyframes, keyframe.into());
        add(&self.bytes, bytes as u64);
        self.last_latency_us
            .store(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> PipelineStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PipelineStats {
            captured: read(&self.captured),
            encoded: read(&self.encoded),
            keyframes: read(&self.keyframes),
            bytes: read(&self.bytes),
            skipped: read(&self.skipped),
            left_out: read(&self.left_out),
            dropped_late: read(&self.dropped_late),
            camera_errors: read(&self.camera_errors),
            encoder_errors: read(&self.encoder_errors),
            last_latency: Duration::from_micros(read(&self.last_latency_us)),
        }
    }
}

fn add(counter: &AtomicU64, value: u64) {
    counter.fetch_add(value, Ordering::Relaxed);
}
