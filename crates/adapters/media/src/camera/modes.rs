//! Chooses among the sizes and layouts that a camera offers.

use crate::raw::Layout;

/// A layout, and the sizes (width and height) in which a camera gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Modes {
    pub(super) layout: Layout,
    pub(super) sizes: Vec<(u32, u32)>,
}

/// Layouts, cheapest first: I420 is copied, the chroma of NV12 is taken apart, YUYV has twice the
/// chroma that is kept, and RGB is computed. Grey comes last, because it has no colours.
pub(super) const LAYOUTS: [Layout; 8] = [
    Layout::I420,
    Layout::Nv12,
    Layout::Yuyv,
    Layout::Bgr,
    Layout::Rgb,
    Layout::Bgrx,
    Layout::Rgbx,
    Layout::Grey,
];

/// The modes to ask a camera for, best first: the wanted size, then larger ones; of the same size
/// the cheapest layout first.
pub(super) fn candidates(modes: &[Modes], wanted: (u32, u32)) -> Vec<(Layout, (u32, u32))> {
    let all = modes.iter().flat_map(|mode| mode.sizes.iter().map(|&size| (mode.layout, size)));
    let covering = all
        .filter(|&(_, (width, height))| width >= wanted.0 && height >= wanted.1 && width % 2 == 0);
    let rank = |layout| LAYOUTS.iter().position(|&known| known == layout);
    let mut covering: Vec<_> = covering.collect();
    covering.sort_by_key(|&(layout, (width, height))| {
        (u64::from(width) * u64::from(height), rank(layout))
    });
    covering
}

/// The sizes that a camera offers, in words.
pub(super) fn describe(modes: &[Modes]) -> String {
    let mut sizes: Vec<(u32, u32)> =
        modes.iter().flat_map(|mode| mode.sizes.iter().copied()).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let sizes: Vec<String> =
        sizes.iter().map(|(width, height)| format!("{width}x{height}")).collect();
    if sizes.is_empty() { "none that can be encoded".to_owned() } else { sizes.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_size_is_taken_in_the_cheapest_layout_that_has_it() {
        let modes =
            [mode(Layout::Yuyv, &[(640, 360), (1280, 720)]), mode(Layout::Nv12, &[(640, 360)])];
        assert_eq!(best(&modes, (640, 360)), Some((Layout::Nv12, (640, 360))));
        assert_eq!(best(&modes, (1280, 720)), Some((Layout::Yuyv, (1280, 720))));
    }

    #[test]
    fn grey_is_taken_only_where_nothing_of_the_size_has_colours() {
        let modes = [
            mode(Layout::Grey, &[(640, 400), (1280, 720)]),
            mode(Layout::Rgbx, &[(640, 400)]),
            mode(Layout::Bgr, &[(640, 400)]),
        ];
        assert_eq!(best(&modes, (640, 360)), Some((Layout::Bgr, (640, 400))));
        assert_eq!(best(&modes, (1280, 720)), Some((Layout::Grey, (1280, 720))));
    }

    #[test]
    fn without_the_wanted_size_the_smallest_that_covers_it_is_taken() {
        let modes = [
            mode(Layout::Yuyv, &[(320, 240), (640, 480), (1280, 960)]),
            mode(Layout::I420, &[(1920, 1080)]),
        ];
        assert_eq!(best(&modes, (640, 360)), Some((Layout::Yuyv, (640, 480))));
        assert_eq!(best(&modes, (1280, 720)), Some((Layout::Yuyv, (1280, 960))));
    }

    #[test]
    fn a_camera_that_is_too_small_gives_nothing_and_its_sizes_are_told() {
        let modes =
            [mode(Layout::Yuyv, &[(640, 480), (320, 240)]), mode(Layout::Nv12, &[(640, 480)])];
        assert_eq!(best(&modes, (1280, 720)), None);
        assert_eq!(describe(&modes), "320x240, 640x480");
        assert_eq!(describe(&[]), "none that can be encoded");
    }

    fn best(modes: &[Modes], wanted: (u32, u32)) -> Option<(Layout, (u32, u32))> {
        candidates(modes, wanted).first().copied()
    }

    fn mode(layout: Layout, sizes: &[(u32, u32)]) -> Modes {
        Modes { layout, sizes: sizes.to_vec() }
    }
}
