//! The picture that the car's camera sees.
//!
//! **It depends only on the pose and the size of the frame.**
//!
//! A frame is drawn from far to near: sky and hills, the ground row by row, things that stand on
//! the ground, and the car's own front. Each row of the ground lies at one distance from the
//! camera, so the place that a pixel shows moves in equal steps along a row. The road is not a
//! texture: a coarse grid holds distances to the centre line, which interpolate well, and a table
//! turns a distance into a colour. Lines stay sharp at any distance, and the world needs 2 MB.

mod chassis;
mod colour;
mod field;
mod ground;
mod noise;
mod shapes;
mod sky;
mod surface;
mod things;
mod view;

use crate::frame::FrameViewMut;
use crate::track::Track;
use crate::vehicle::Pose;

/// A road course with everything around it.
#[derive(Debug)]
pub struct Scene {
    ground: ground::Ground,
    panorama: sky::Panorama,
    things: Vec<things::Thing>,
    noise: noise::Noise,
}

impl Scene {
    /// Prepares the world around `track`. Takes some 20 ms.
    #[must_use]
    pub fn new(track: &Track) -> Self {
        Self {
            ground: ground::Ground::new(track),
            panorama: sky::Panorama::new(),
            things: things::around(track),
            noise: noise::Noise::new(),
        }
    }

    /// Draws the whole frame as a car at `pose` sees it.
    pub fn render(&self, pose: &Pose, frame: &mut FrameViewMut<'_>) {
        let view = view::View::new(pose, frame.width(), frame.height());
        self.panorama.draw(&view, &self.noise, frame);
        self.ground.draw(&view, &self.noise, frame);
        things::draw(&self.things, &view, frame);
        chassis::draw(pose, &view, frame);
    }
}

#[cfg(test)]
mod tests;
