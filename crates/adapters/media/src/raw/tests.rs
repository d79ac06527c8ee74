use super::*;
use crate::frame::VideoFormat;
use proptest::prelude::*;

#[test]
fn a_frame_of_the_wanted_size_keeps_every_sample() {
    let shape = Shape { width: 64, height: 48, stride: 64 };
    let bytes: Vec<u8> = (0..64 * 48 * 3 / 2).map(|index: usize| low_byte(index % 251)).collect();
    let (y, chroma) = bytes.split_at(64 * 48);
    let (u, v) = chroma.split_at(32 * 24);
    let mut frame = I420Frame::new(format(64, 48));
    for data in [vec![bytes.as_slice()], vec![y, u, v]] {
        frame.bytes_mut().fill(0);
        RawFrame::new(Layout::I420, shape, &data)
            .unwrap()
            .convert(Rotation::None, &mut frame)
            .unwrap();
        assert_eq!(frame.bytes(), bytes);
    }
}

#[test]
fn chroma_of_two_yuyv_rows_is_their_mean() {
    let shape = Shape { width: 64, height: 48, stride: 128 };
    let row = |u: u8, v: u8| [10, u, 20, v].repeat(32);
    let bytes = [row(100, 200), row(103, 100)].concat().repeat(24);
    let mut frame = I420Frame::new(format(64, 48));
    RawFrame::new(Layout::Yuyv, shape, &[&bytes])
        .unwrap()
        .convert(Rotation::None, &mut frame)
        .unwrap();
    assert_eq!(frame.y()[..4], [10, 20, 10, 20]);
    assert!(frame.u().iter().all(|&u| u == 102) && frame.v().iter().all(|&v| v == 150));
}

#[test]
fn a_colour_goes_to_its_own_place_in_every_order_of_rgb() {
    let shape = Shape { width: 64, height: 48, stride: 64 * 4 };
    // Red of BT.709 in limited range: ITU-R BT.709-6 gives 62.6, 102.3 and 240.
    for (layout, red) in [
        (Layout::Bgr, &[0, 0, 255][..]),
        (Layout::Rgb, &[255, 0, 0]),
        (Layout::Bgrx, &[0, 0, 255, 77]),
        (Layout::Rgbx, &[255, 0, 0, 77]),
    ] {
        let mut row = red.repeat(64);
        row.resize(shape.stride, 0xEE);
        let mut frame = I420Frame::new(format(64, 48));
        RawFrame::new(layout, shape, &[&row.repeat(48)])
            .unwrap()
            .convert(Rotation::None, &mut frame)
            .unwrap();
        assert!(frame.y().iter().all(|&y| y == 63), "{layout:?}: {}", frame.y()[0]);
        assert!(frame.u().iter().all(|&u| u == 102), "{layout:?}: {}", frame.u()[0]);
        assert!(frame.v().iter().all(|&v| v == 240), "{layout:?}: {}", frame.v()[0]);
    }
}

#[test]
fn frames_that_are_too_small_or_cut_off_are_refused_with_figures() {
    let shape = Shape { width: 64, height: 48, stride: 64 };
    let bytes = vec![0; 64 * 48 * 3 / 2];
    let raw = RawFrame::new(Layout::Nv12, shape, &[&bytes]).unwrap();
    let error = raw.convert(Rotation::None, &mut I420Frame::new(format(64, 64))).unwrap_err();
    assert_eq!(error.to_string(), "the frame has 64×48 pixels; at least 64×64 are needed");
    let error = RawFrame::new(Layout::Nv12, shape, &[&bytes[..3072], &bytes[..1000]]).unwrap_err();
    assert_eq!(error.to_string(), "plane 1 of the frame has 1000 bytes; 1536 are needed");
    let narrow = Shape { stride: 63, ..shape };
    assert!(RawFrame::new(Layout::Nv12, narrow, &[&bytes]).is_err());
    assert!(RawFrame::new(Layout::Yuyv, shape, &[]).is_err());
}

proptest! {
    #[test]
    fn rgb_and_grey_become_bt709_in_limited_range_whatever_order_padding_middle_and_rotation(
        layout in prop_oneof![
            Just(Layout::Bgr), Just(Layout::Rgb), Just(Layout::Bgrx), Just(Layout::Rgbx),
            Just(Layout::Grey),
        ],
        half_size in (32usize..40, 24usize..30),
        larger in (0usize..6, 0usize..6),
        padding in 0usize..9,
        upside_down: bool,
        bytes in prop::collection::vec(any::<u8>(), 997),
    ) {
        let (width, height) = (half_size.0 * 2, half_size.1 * 2);
        let (from_width, from_height) = (width + larger.0 * 2, height + larger.1 * 2);
        // Red, green, blue, and the byte without meaning, as they lie in memory.
        let order: &[usize] = match layout {
            Layout::Bgr => &[2, 1, 0],
            Layout::Rgb => &[0, 1, 2],
            Layout::Bgrx => &[2, 1, 0, 3],
            Layout::Rgbx => &[0, 1, 2, 3],
            _ => &[1],
        };
        let stride = from_width * order.len() + padding;
        let colour = |x: usize, y: usize, part: usize| {
            let part = if layout == Layout::Grey { 1 } else { part };
            bytes[((y * from_width + x) * 4 + part) % bytes.len()]
        };
        let mut data = vec![0xEE; stride * from_height];
        for (y, row) in data.chunks_exact_mut(stride).enumerate() {
            for (x, pixel) in row.chunks_exact_mut(order.len()).take(from_width).enumerate() {
                for (byte, &part) in pixel.iter_mut().zip(order) {
                    *byte = colour(x, y, part);
                }
            }
        }
        let shape = Shape { width: from_width, height: from_height, stride };
        let mut frame = I420Frame::new(format(width, height));
        let rotation = if upside_down { Rotation::Half } else { Rotation::None };
        RawFrame::new(layout, shape, &[&data]).unwrap().convert(rotation, &mut frame).unwrap();

        let (left, top) = (larger.0 & !1, larger.1 & !1);
        let at = |x: usize, y: usize| {
            let (x, y) = if upside_down { (width - 1 - x, height - 1 - y) } else { (x, y) };
            [0, 1, 2].map(|part| f64::from(colour(left + x, top + y, part)))
        };
        for y in 0..height {
            for x in 0..width {
                let (is, wanted) = (frame.y()[y * width + x], bt709(at(x, y))[0]);
                prop_assert!((f64::from(is) - wanted).abs() < 1.0, "{x},{y}: {is}, not {wanted}");
            }
        }
        for y in 0..height / 2 {
            for x in 0..width / 2 {
                let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| at(2 * x + dx, 2 * y + dy));
                let mean = [0, 1, 2].map(|part| four.iter().map(|rgb| rgb[part]).sum::<f64>() / 4.0);
                let [_, u, v] = bt709(mean);
                for (is, wanted) in
                    [frame.u(), frame.v()].map(|plane| plane[y * width / 2 + x]).into_iter().zip([u, v])
                {
                    // The mean is rounded, too.
                    prop_assert!((f64::from(is) - wanted).abs() < 2.0, "{x},{y}: {is}, not {wanted}");
                }
            }
        }
    }

    #[test]
    fn what_is_grey_in_rgb_has_no_colour_and_stays_between_black_and_white(value: u8) {
        let shape = Shape { width: 64, height: 48, stride: 64 * 4 };
        let mut frame = I420Frame::new(format(64, 48));
        for layout in [Layout::Bgr, Layout::Rgb, Layout::Bgrx, Layout::Rgbx, Layout::Grey] {
            RawFrame::new(layout, shape, &[&vec![value; 64 * 48 * 4]])
                .unwrap()
                .convert(Rotation::None, &mut frame)
                .unwrap();
            prop_assert!(frame.u().iter().chain(frame.v()).all(|&chroma| chroma == 128));
            prop_assert!(frame.y().iter().all(|luma| (16..=235).contains(luma)));
            if value == 0 || value == 255 {
                prop_assert_eq!(frame.y()[0], if value == 0 { 16 } else { 235 });
            }
        }
    }

    #[test]
    fn whatever_layout_padding_middle_and_rotation_each_pixel_has_its_own_colour(
        layout in prop_oneof![Just(Layout::I420), Just(Layout::Nv12), Just(Layout::Yuyv)],
        half_size in (32usize..50, 24usize..40),
        larger in (0usize..10, 0usize..10),
        padding in 0usize..9,
        contiguous: bool,
        upside_down: bool,
    ) {
        let (width, height) = (half_size.0 * 2, half_size.1 * 2);
        let (from_width, from_height) = (width + larger.0 * 2, height + larger.1 * 2);
        let row = if layout == Layout::Yuyv { from_width * 2 } else { from_width };
        let shape = Shape { width: from_width, height: from_height, stride: row + padding * 2 };
        let planes = paint(layout, shape);
        let joined = planes.concat();
        let data: Vec<&[u8]> =
            if contiguous { vec![&joined] } else { planes.iter().map(Vec::as_slice).collect() };
        let mut frame = I420Frame::new(format(width, height));
        let rotation = if upside_down { Rotation::Half } else { Rotation::None };
        RawFrame::new(layout, shape, &data).unwrap().convert(rotation, &mut frame).unwrap();

        let (left, top) = (larger.0 & !1, larger.1 & !1);
        for y in 0..height {
            for x in 0..width {
                let turned = (width - 1 - x, height - 1 - y);
                let (sx, sy) = if upside_down { turned } else { (x, y) };
                let (sx, sy) = (left + sx, top + sy);
                prop_assert_eq!(frame.y()[y * width + x], luma(sx, sy));
                let chroma = (y / 2) * (width / 2) + x / 2;
                prop_assert_eq!(frame.u()[chroma], blue(sx / 2, sy / 2));
                prop_assert_eq!(frame.v()[chroma], red(sx / 2, sy / 2));
            }
        }
    }
}

/// Luma, U and V in limited range of full-range red, green and blue (ITU-R BT.709-6, item 3).
fn bt709([r, g, b]: [f64; 3]) -> [f64; 3] {
    let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let chroma = |part: f64, divisor: f64| 128.0 + 224.0 * (part - luma) / divisor / 255.0;
    [16.0 + 219.0 * luma / 255.0, chroma(b, 1.8556), chroma(r, 1.5748)]
}

fn luma(x: usize, y: usize) -> u8 {
    low_byte(x * 7 + y * 13)
}

fn blue(x: usize, y: usize) -> u8 {
    low_byte(x * 5 + y * 3 + 1)
}

fn red(x: usize, y: usize) -> u8 {
    low_byte(x * 11 + y * 17 + 2)
}

fn low_byte(value: usize) -> u8 {
    value.to_le_bytes()[0]
}

/// The planes of a frame with these colours, pixel by pixel.
fn paint(layout: Layout, shape: Shape) -> Vec<Vec<u8>> {
    let sizes = layout.plane_sizes(shape);
    let mut planes: Vec<Vec<u8>> = sizes.into_iter().map(|size| vec![0xEE; size]).collect();
    let Shape { width, height, stride } = shape;
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (blue(x / 2, y / 2), red(x / 2, y / 2));
            match layout {
                Layout::I420 => {
                    planes[0][y * stride + x] = luma(x, y);
                    planes[1][y / 2 * (stride / 2) + x / 2] = u;
                    planes[2][y / 2 * (stride / 2) + x / 2] = v;
                }
                Layout::Nv12 => {
                    planes[0][y * stride + x] = luma(x, y);
                    planes[1][y / 2 * stride + (x & !1)] = u;
                    planes[1][y / 2 * stride + (x | 1)] = v;
                }
                Layout::Yuyv => {
                    planes[0][y * stride + x * 2] = luma(x, y);
                    planes[0][y * stride + x * 2 + 1] = if x % 2 == 0 { u } else { v };
                }
                rgb => panic!("{rgb:?} has no luma of its own"),
            }
        }
    }
    planes
}

fn format(width: usize, height: usize) -> VideoFormat {
    VideoFormat::new(width.try_into().unwrap(), height.try_into().unwrap(), 30).unwrap()
}
