//! Copies one row at a time, in loops that the compiler turns into vector instructions.

/// The luma of `Y U Y V`.
pub(super) fn yuyv_luma(packed: &[u8], luma: &mut [u8]) {
    for (pair, luma) in packed.as_chunks::<2>().0.iter().zip(luma) {
        *luma = pair[0];
    }
}

/// The chroma of two rows of `Y U Y V`: their mean.
pub(super) fn yuyv_chroma(upper: &[u8], lower: &[u8], u: &mut [u8], v: &mut [u8]) {
    let rows = upper.as_chunks::<4>().0.iter().zip(lower.as_chunks::<4>().0);
    for ((upper, lower), (u, v)) in rows.zip(u.iter_mut().zip(v)) {
        *u = mean(upper[1], lower[1]);
        *v = mean(upper[3], lower[3]);
    }
}

/// The luma of pixels of `PIXEL` bytes, of which red is number `RED` and blue the other end.
///
/// BT.709 from full to limited range, in 256ths: the error is below one step, and black and white
/// come out exactly.
pub(super) fn rgb_luma<const PIXEL: usize, const RED: usize>(pixels: &[u8], luma: &mut [u8]) {
    for (pixel, luma) in pixels.as_chunks::<PIXEL>().0.iter().zip(luma) {
        let [r, g, b] = [pixel[RED], pixel[1], pixel[2 - RED]].map(u16::from);
        *luma = high(47 * r + 157 * g + 16 * b + 128) + 16;
    }
}

/// The chroma of two rows of such pixels: that of the mean colour of two by two.
pub(super) fn rgb_chroma<const PIXEL: usize, const RED: usize>(
    upper: &[u8],
    lower: &[u8],
    u: &mut [u8],
    v: &mut [u8],
) {
    let pairs = |row| <[u8]>::as_chunks::<PIXEL>(row).0.as_chunks::<2>().0.iter();
    for ((upper, lower), (u, v)) in pairs(upper).zip(pairs(lower)).zip(u.iter_mut().zip(v)) {
        let sum = |byte: usize| {
            [upper[0][byte], upper[1][byte], lower[0][byte], lower[1][byte]]
                .into_iter()
                .map(u16::from)
                .sum::<u16>()
        };
        let [r, g, b] = [sum(RED), sum(1), sum(2 - RED)].map(|sum| (sum + 2) / 4);
        // Each row of factors sums up to nothing, so that grey has no colour. The other summand
        // keeps it above zero: 128 in 256ths, and the half to round.
        let middle = 32_768 + 128;
        *u = high(middle + 112 * b - 26 * r - 86 * g);
        *v = high(middle + 112 * r - 102 * g - 10 * b);
    }
}

/// Luma from full to limited range.
pub(super) fn grey_luma(grey: &[u8], luma: &mut [u8]) {
    for (grey, luma) in grey.iter().zip(luma) {
        *luma = high(220 * u16::from(*grey) + 128) + 16;
    }
}

/// U and V of what has no colour.
pub(super) const NO_COLOUR: u8 = 128;

/// The upper byte.
fn high(value: u16) -> u8 {
    value.to_be_bytes()[0]
}

/// `U V U V` into U and V.
pub(super) fn split(pairs: &[u8], u: &mut [u8], v: &mut [u8]) {
    for (pair, (u, v)) in pairs.as_chunks::<2>().0.iter().zip(u.iter_mut().zip(v)) {
        *u = pair[0];
        *v = pair[1];
    }
}

/// Rounds up, as the averaging instructions of x86 and ARM do. The sum `a + b` would not fit into
/// eight bits; this form does.
fn mean(a: u8, b: u8) -> u8 {
    (a | b) - ((a ^ b) >> 1)
}
