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
