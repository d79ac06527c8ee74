//! The thread: captures, encodes, waits.

use super::gate::worth_setting;
use super::scaler::Scaler;
use super::{AccessUnit, PipelineState, Queued, Shared};
use crate::camera::Camera;
use crate::clock;
use crate::encoder::{Encoder, EncoderError};
use crate::frame::{I420Frame, VideoFormat};
use bytes::Bytes;
use nix::sys::prctl;
use rccar_causes::{Causes, causes};
use rccar_protocol::units::MonotonicMicros;
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// How late the kernel may wake this thread, in nanoseconds. The default is 50 µs, so that the
/// kernel can join wake-ups.
const TIMER_SLACK_NS: u64 = 1_000;
/// Between two attempts after a failure: the first, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// Least time between two keyframes that were asked for. A browser repeats its request until it
/// sees one, about every 200 ms.
const KEYFRAME_SPACING: Duration = Duration::from_millis(200);

pub(super) struct Worker {
    camera: Box<dyn Camera>,
    encoder: Box<dyn Encoder>,
    units: mpsc::Sender<Queued>,
    shared: Arc<Shared>,
    frame: I420Frame,
    /// In which the encoder takes frames.
    format: VideoFormat,
    scaler: Scaler,
    epoch: u64,
    last_keyframe: Option<MonotonicMicros>,
    /// The rate at which the encoder was told to aim; `None`: as it was made.
    rate_kbps: Option<u32>,
    backoff: Duration,
}

impl Worker {
    pub(super) fn new(
        camera: Box<dyn Camera>,
        encoder: Box<dyn Encoder>,
        units: mpsc::Sender<Queued>,
        shared: Arc<Shared>,
    ) -> Self {
        let format = camera.format();
        Self {
            camera,
            encoder,
            units,
            shared,
            frame: I420Frame::new(format),
            format,
            scaler: Scaler::default(),
            epoch: 0,
            last_keyframe: None,
            rate_kbps: None,
            backoff: BACKOFF.0,
        }
    }

    pub(super) fn run(mut self) {
        if let Err(error) = prctl::set_timerslack(TIMER_SLACK_NS) {
            tracing::debug!(error = %causes(&error), "the kernel keeps its timer slack");
        }
        while self.wait_until_running().is_continue() {
            let tried_at = clock::now();
            match self.camera.next_frame(&mut self.frame) {
                Ok(captured_at) => {
                    self.shared.counters.captured();
                    self.handle_frame(captured_at, tried_at);
                }
                Err(error) => {
                    self.shared.counters.camera_error();
                    self.handle_failure(&error, tried_at);
                }
            }
        }
    }

    /// Returns at once while running; rests otherwise.
    fn wait_until_running(&mut self) -> ControlFlow<()> {
        let mut command = self.shared.command();
        if !command.running && !command.stopped {
            self.camera.pause();
            self.shared.set_state(PipelineState::Idle);
            let waiting = self
                .shared
                .changed
                .wait_while(command, |command| !command.running && !command.stopped);
            command = waiting.unwrap_or_else(PoisonError::into_inner);
        }
        if command.stopped {
            return ControlFlow::Break(());
        }
        // Not only after the wait above: a whole rest may have passed inside `next_frame`.
        if command.epoch != self.epoch {
            self.epoch = command.epoch;
            self.backoff = BACKOFF.0;
            // A driver who starts to watch needs a keyframe now, whatever the spacing.
            self.last_keyframe = None;
            self.shared.keyframe_wanted.store(true, Ordering::Relaxed);
            self.shared.set_state(PipelineState::Running);
        }
        ControlFlow::Continue(())
    }

    /// Encodes the frame if the consumer has taken the last one, and if the gate lets it through.
    fn handle_frame(&mut self, captured_at: MonotonicMicros, tried_at: MonotonicMicros) {
        // Before encoding: an encoded frame that finds no place would break those after it.
        let units = self.units.clone();
        let place = match units.try_reserve() {
            Ok(place) => place,
            Err(TrySendError::Full(())) => return self.shared.counters.skipped(),
            // `AccessUnits` is being dropped and will stop the thread.
            Err(TrySendError::Closed(())) => return,
        };
        let gate = self.shared.gate();
        let format = gate.as_ref().map_or(self.format, |gate| gate.format());
        let wanted = self.shared.keyframe_wanted.load(Ordering::Relaxed)
            && self.last_keyframe.is_none_or(|last| captured_at.since(last) >= KEYFRAME_SPACING);
        let force_keyframe = wanted || format != self.format;
        if let Some(gate) = &gate {
            if !gate.admit(force_keyframe) {
                return self.shared.counters.left_out();
            }
            if let Err(error) = self.follow(format, gate.rate() / 1_000) {
                drop(place);
                return self.handle_encoder_failure(&error, tried_at);
            }
        }
        if force_keyframe {
            // Before encoding: a request that comes meanwhile stays for the next frame.
            self.shared.keyframe_wanted.store(false, Ordering::Relaxed);
        }
        let encoded = self
            .scaler
            .scale(&self.frame, self.format)
            .map_err(|reason| EncoderError { encoder: "scaler", reason })
            .and_then(|frame| self.encoder.encode(frame, force_keyframe));
        match encoded {
            Ok(Some(encoded)) => {
                let encoded_at = clock::now();
                self.shared.counters.encoded(
                    encoded.data.len(),
                    encoded.keyframe,
                    encoded_at.since(captured_at),
                );
                if let Some(gate) = &gate {
                    gate.handle_encoded(encoded.data.len(), encoded.keyframe);
                }
                if encoded.keyframe {
                    self.last_keyframe = Some(captured_at);
                }
                let unit = AccessUnit {
                    data: Bytes::from(encoded.data),
                    captured_at,
                    encoded_at,
                    keyframe: encoded.keyframe,
                };
                self.backoff = BACKOFF.0;
                self.shared.set_state(PipelineState::Running);
                place.send(Queued { unit, epoch: self.epoch });
            }
            Ok(None) => {
                if force_keyframe {
                    self.shared.keyframe_wanted.store(true, Ordering::Relaxed);
                }
            }
            Err(error) => {
                drop(place);
                self.handle_encoder_failure(&error, tried_at);
            }
        }
    }

    /// Tells the encoder size and rate, where they are others than before.
    fn follow(&mut self, format: VideoFormat, rate_kbps: u32) -> Result<(), EncoderError> {
        if format != self.format {
            self.encoder.set_format(format)?;
            (self.format, self.rate_kbps) = (format, None);
        }
        if let Some(rate) = worth_setting(self.rate_kbps, rate_kbps) {
            self.encoder.set_bitrate(rate)?;
            self.rate_kbps = Some(rate);
        }
        Ok(())
    }

    fn handle_encoder_failure(&mut self, error: &EncoderError, tried_at: MonotonicMicros) {
        self.last_keyframe = None;
        self.rate_kbps = None;
        self.shared.keyframe_wanted.store(true, Ordering::Relaxed);
        self.shared.counters.encoder_error();
        self.handle_failure(error, tried_at);
    }

    /// Reports the failure, then waits so long that attempts are `backoff` apart.
    fn handle_failure(&mut self, error: &(dyn Error + 'static), tried_at: MonotonicMicros) {
        if self.shared.set_state(PipelineState::Failed(Causes::of(error).to_string())) {
            tracing::warn!(error = %Causes::of(error), "no picture");
        }
        let pause = self.backoff.saturating_sub(clock::now().since(tried_at));
        self.backoff = (self.backoff * 2).min(BACKOFF.1);
        let command = self.shared.command();
        // The caller looks at what has changed.
        drop(
            self.shared
                .changed
                .wait_timeout_while(command, pause, |command| command.running && !command.stopped),
        );
    }
}
