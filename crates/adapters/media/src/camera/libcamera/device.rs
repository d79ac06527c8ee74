//! Lists the connected cameras and what they offer.

use crate::camera::modes::{LAYOUTS, Modes};
use crate::camera::newest::Trouble;
use crate::camera::select::{Candidate, Selection};
use crate::raw::Layout;
use ::libcamera::camera::{Camera, CameraConfiguration};
use ::libcamera::camera_manager::CameraManager;
use ::libcamera::formats;
use ::libcamera::geometry::{Size, SizeRange};
use ::libcamera::pixel_format::PixelFormat;
use ::libcamera::properties::Model;
use ::libcamera::stream::{StreamFormatsRef, StreamRole};
use std::sync::{Mutex, MutexGuard, TryLockError};

/// libcamera ends the process when a second manager is made.
static ONLY_ONE: Mutex<()> = Mutex::new(());

/// libcamera, running.
pub(super) struct Manager {
    inner: CameraManager,
    _only_one: MutexGuard<'static, ()>,
}

impl Manager {
    pub(super) fn start() -> Result<Self, Trouble> {
        let only_one = match ONLY_ONE.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Trouble::Broken(
                    "libcamera is in use by this program already".to_owned(),
                ));
            }
        };
        let inner = CameraManager::new()
            .map_err(|error| Trouble::Broken(format!("libcamera does not start: {error}")))?;
        Ok(Self { inner, _only_one: only_one })
    }

    pub(super) fn version(&self) -> String {
        self.inner.version().to_owned()
    }

    /// All cameras. They must be dropped before the manager.
    pub(super) fn cameras(&self) -> Vec<(Candidate, Camera<'static>)> {
        let list = self.inner.cameras();
        let describe = |camera: Camera<'static>| {
            let model = camera.properties().get::<Model>().ok().map(|model| model.0);
            (Candidate { id: camera.id().to_owned(), model }, camera)
        };
        (0..list.len()).filter_map(|index| list.get(index)).map(describe).collect()
    }

    pub(super) fn choose(
        &self,
        selection: &Selection,
    ) -> Result<(Candidate, Camera<'static>), Trouble> {
        let mut cameras = self.cameras();
        let candidates: Vec<Candidate> =
            cameras.iter().map(|(candidate, _)| candidate.clone()).collect();
        let index = selection.choose(&candidates).map_err(Trouble::Missing)?;
        Ok(cameras.swap_remove(index))
    }
}

/// A configuration of one stream of video.
pub(super) fn video(camera: &Camera<'_>) -> Option<CameraConfiguration> {
    let roles = [StreamRole::VideoRecording, StreamRole::ViewFinder];
    camera.generate_first_supported_configuration(&roles).map(|(configuration, _)| configuration)
}

/// The modes of the camera that can be encoded. If the camera makes sizes to measure, the `wanted`
/// one is among them.
pub(super) fn modes(configuration: &CameraConfiguration, wanted: (u32, u32)) -> Vec<Modes> {
    let Some(stream) = configuration.get(0) else { return Vec::new() };
    let offered = stream.formats();
    let known: Vec<PixelFormat> = offered.pixel_formats().into_iter().collect();
    let modes = |layout: Layout| {
        let pixels = pixel_format(layout);
        let mut sizes: Vec<(u32, u32)> =
            offered.sizes(pixels).iter().map(|size| (size.width, size.height)).collect();
        let within = range(&offered, pixels)
            .is_some_and(|range| range.contains(Size { width: wanted.0, height: wanted.1 }));
        if within && !sizes.contains(&wanted) {
            sizes.push(wanted);
        }
        Modes { layout, sizes }
    };
    LAYOUTS.into_iter().filter(|&layout| known.contains(&pixel_format(layout))).map(modes).collect()
}

/// Everything that the camera offers for video, in words for a person.
pub(super) fn formats(camera: &Camera<'_>) -> Vec<String> {
    let Some(configuration) = video(camera) else { return Vec::new() };
    let Some(stream) = configuration.get(0) else { return Vec::new() };
    let offered = stream.formats();
    let describe = |pixels: PixelFormat| {
        if let Some(SizeRange { min, max, .. }) = range(&offered, pixels) {
            return format!(
                "{pixels}: {}x{} to {}x{}",
                min.width, min.height, max.width, max.height
            );
        }
        let sizes: Vec<String> = offered
            .sizes(pixels)
            .iter()
            .map(|size| format!("{}x{}", size.width, size.height))
            .collect();
        format!("{pixels}: {}", sizes.join(", "))
    };
    offered.pixel_formats().into_iter().map(describe).collect()
}

/// The range of sizes that the camera makes to measure, if it does. libcamera's list has only some
/// of them.
fn range(offered: &StreamFormatsRef<'_>, pixels: PixelFormat) -> Option<SizeRange> {
    // A range without steps only spans the sizes that are listed.
    let range = offered.range(pixels);
    let one_size = (range.min.width, range.min.height) == (range.max.width, range.max.height);
    (range.h_step > 0 && range.v_step > 0 && !one_size).then_some(range)
}

pub(super) fn pixel_format(layout: Layout) -> PixelFormat {
    match layout {
        Layout::I420 => formats::YUV420,
        Layout::Nv12 => formats::NV12,
        Layout::Yuyv => formats::YUYV,
        // Named from the highest byte of a word to the lowest, so backwards in memory.
        Layout::Bgr => formats::RGB888,
        Layout::Rgb => formats::BGR888,
        Layout::Bgrx => formats::XRGB8888,
        Layout::Rgbx => formats::XBGR8888,
        Layout::Grey => formats::R8,
    }
}
