//! The road as the simulated car sees it.
//!
//! The other cameras are in `rccar-media`. This one draws with `rccar-sim`, and an adapter does not
//! know a core.

use super::PoseSource;
use rccar_media::camera::{Camera, CameraError};
use rccar_media::frame::{I420Frame, PlanesMut, VideoFormat};
use rccar_media::pacer::Pacer;
use rccar_protocol::units::MonotonicMicros;
use rccar_sim::frame::{FrameShapeError, FrameViewMut, PlaneMut};
use rccar_sim::scene::Scene;
use rccar_sim::timecode::{self, TimeCode};
use rccar_sim::track::{Station, Track};
use rccar_sim::vehicle::Pose;
use std::time::{SystemTime, UNIX_EPOCH};

/// A camera that draws each frame at the time at which a sensor would take it.
///
/// Capture time is the moment before drawing begins, for which the pose is asked. It stands for the
/// end of exposure. The time for drawing stands for the sensor's readout and the image processor.
pub(super) struct Simulator {
    format: VideoFormat,
    scene: Scene,
    poses: PoseSource,
    pacer: Pacer,
    /// Number of the next frame; `None` if no time codes are painted.
    timecode: Option<u8>,
}

impl Simulator {
    pub(super) fn new(format: VideoFormat, poses: PoseSource, timecode: bool) -> Self {
        let scene = Scene::new(&Track::built_in());
        Self {
            format,
            scene,
            poses,
            pacer: Pacer::new(format.fps()),
            timecode: timecode.then_some(0),
        }
    }
}

impl Camera for Simulator {
    fn format(&self) -> VideoFormat {
        self.format
    }

    fn next_frame(&mut self, frame: &mut I420Frame) -> Result<MonotonicMicros, CameraError> {
        let captured_at = self.pacer.wait();
        // Both clocks are read about a microsecond apart; the code counts in steps of 100 µs.
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let pose = (self.poses)(captured_at);
        let mut view = view(frame).map_err(|error| CameraError::Broken {
            source_name: "the simulator".to_owned(),
            reason: error.to_string(),
        })?;
        self.scene.render(&pose, &mut view);
        if let Some(counter) = &mut self.timecode {
            timecode::paint(&mut view, TimeCode::new(since_1970, *counter));
            *counter = counter.wrapping_add(1);
        }
        Ok(captured_at)
    }
}

/// Draws the road as it is seen from a place on the course.
pub(crate) fn draw(scene: &Scene, at: &Station, frame: &mut I420Frame) {
    let pose = Pose { x_m: at.x_m, y_m: at.y_m, heading_rad: at.heading_rad, ..Pose::default() };
    // A frame of a legal format has the shape of a view.
    if let Ok(mut view) = view(frame) {
        scene.render(&pose, &mut view);
    }
}

fn view(frame: &mut I420Frame) -> Result<FrameViewMut<'_>, FrameShapeError> {
    let (width, height) = (frame.width(), frame.height());
    let PlanesMut { y, u, v } = frame.planes_mut();
    let plane = |data, stride| PlaneMut { data, stride };
    FrameViewMut::new(width, height, plane(y, width), plane(u, width / 2), plane(v, width / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn the_pose_is_the_one_at_capture_time_and_moves_the_picture() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let poses: PoseSource = {
            let asked = Arc::clone(&asked);
            Arc::new(move |at| {
                let mut asked = asked.lock().unwrap();
                asked.push(at);
                Pose { x_m: 0.3 * asked.len() as f64, ..Pose::default() }
            })
        };
        let mut camera = Simulator::new(format(), poses, false);
        let mut frames = [I420Frame::new(format()), I420Frame::new(format())];
        let captured: Vec<_> =
            frames.iter_mut().map(|frame| camera.next_frame(frame).unwrap()).collect();
        assert_eq!(*asked.lock().unwrap(), captured);
        assert!(frames[0] != frames[1]);
    }

    #[test]
    fn the_painted_time_code_is_the_time_of_day_at_capture_and_counts_frames() {
        let mut camera = Simulator::new(format(), Arc::new(|_| Pose::default()), true);
        let mut frame = I420Frame::new(format());
        let mut last = None;
        for counter in 0..3 {
            let before = TimeCode::new(SystemTime::now().duration_since(UNIX_EPOCH).unwrap(), 0);
            camera.next_frame(&mut frame).unwrap();
            let code = timecode::read(frame.y(), 640, 640, 360).unwrap();
            let after = TimeCode::new(SystemTime::now().duration_since(UNIX_EPOCH).unwrap(), 0);
            assert_eq!(code.counter, counter);
            assert!(
                (before.time_100us()..=after.time_100us()).contains(&code.time_100us()),
                "{before:?} {code:?} {after:?}"
            );
            assert!(last.is_none_or(|last| last < code.time_100us()));
            last = Some(code.time_100us());
        }
    }

    fn format() -> VideoFormat {
        VideoFormat::new(640, 360, 60).unwrap()
    }
}
