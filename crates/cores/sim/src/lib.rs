//! The simulated world: a car, a road, and the picture that the car's camera sees.
//!
//! **Nothing here reads a clock, a file or a random number: the same calls give the same bytes.**
//!
//! ```
//! use rccar_sim::frame::{FrameViewMut, PlaneMut};
//! use rccar_sim::scene::Scene;
//! use rccar_sim::track::Track;
//! use rccar_sim::vehicle::Pose;
//!
//! let scene = Scene::new(&Track::built_in());
//! let (mut y, mut u, mut v) = (vec![0; 320 * 180], vec![0; 160 * 90], vec![0; 160 * 90]);
//! let mut frame = FrameViewMut::new(
//!     320,
//!     180,
//!     PlaneMut { data: &mut y, stride: 320 },
//!     PlaneMut { data: &mut u, stride: 160 },
//!     PlaneMut { data: &mut v, stride: 160 },
//! )?;
//! scene.render(&Pose::default(), &mut frame);
//! # Ok::<(), rccar_sim::frame::FrameShapeError>(())
//! ```
//!
//! # Design decisions
//!
//! * The picture is drawn straight into I420, the encoder's format, so that no frame is converted.
//! * Flat colours and clear outlines rather than photographs: a keyframe stays small, and motion is
//!   still visible.
//! * The time code ([`timecode`]) does not depend on the scene: it also measures real cameras and
//!   pipes.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod frame;
pub mod scene;
pub mod timecode;
pub mod track;
pub mod vehicle;
