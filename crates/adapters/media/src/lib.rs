//! Cameras, encoders, and the thread that takes frames from one to the other.
//!
//! **The newest frame wins: nothing waits behind an older frame, and an encoded frame is never
//! dropped without a keyframe after it.**
//!
//! 1. A [`Camera`](camera::Camera) hands out its newest frame and the time at which it was
//!    captured.
//! 2. [`pipeline`] encodes it, if the consumer has taken the last one; else the frame is skipped
//!    *before* it is encoded.
//! 3. [`AccessUnits::recv`](pipeline::AccessUnits::recv) hands the encoded frame to the consumer
//!    with its capture time.
//!
//! ```
//! use rccar_media::camera::{Camera, CameraError};
//! use rccar_media::encoder::openh264::OpenH264;
//! use rccar_media::frame::{I420Frame, VideoFormat};
//! use rccar_media::pipeline;
//! use rccar_protocol::units::MonotonicMicros;
//!
//! struct Grey(VideoFormat);
//!
//! impl Camera for Grey {
//!     fn format(&self) -> VideoFormat {
//!         self.0
//!     }
//!     fn next_frame(&mut self, frame: &mut I420Frame) -> Result<MonotonicMicros, CameraError> {
//!         frame.bytes_mut().fill(128);
//!         Ok(rccar_media::clock::now())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let format = VideoFormat::new(320, 180, 30)?;
//! let encoder = OpenH264::new(format, 300)?;
//! let (pipeline, mut units) = pipeline::start(Box::new(Grey(format)), Box::new(encoder))?;
//! pipeline.set_running(true);
//! let first = units.recv().await.ok_or("the pipeline has ended")?;
//! assert!(first.keyframe && first.data.starts_with(&[0, 0, 0, 1]));
//! # Ok(())
//! # }
//! ```
//!
//! # Design decisions
//!
//! * One thread captures and encodes: a second one would add a hand-over of some 20 µs and, on a
//!   car's CPU, fight for the same cores.
//! * Nobody changes the bit rate yet; that will come with congestion control. OpenH264 needs a new
//!   encoder for it, and so a keyframe: its crate changes the rate only through an unsafe call.
//! * I420 without padding is the only format, because the encoder takes it. A frame in another
//!   layout is converted once ([`raw`]), in the one copy that is made between the camera's buffer
//!   and the encoder.
//! * `libcamera` is a feature, off by default: it needs libcamera 0.4 to 0.7 at build time and
//!   binds the program to that version.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod camera;
pub mod clock;
pub mod encoder;
pub mod frame;
pub mod pacer;
pub mod pipeline;
pub mod raw;
