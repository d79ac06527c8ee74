//! Smooth noise, the same in every run.

/// Points along each side of a tile. A power of two, as [`wrap`] needs it.
const SIDE: usize = 128;

/// A tile of noise that repeats without a seam.
#[derive(Debug)]
pub(super) struct Noise {
    tile: Vec<f32>,
}

impl Noise {
    pub(super) fn new() -> Self {
        let mut random = Random::new(7);
        Self { tile: (0..SIDE * SIDE).map(|_| random.within(-1.0, 1.0)).collect() }
    }

    /// Between −1 and 1. In `x` and `y`, neighbouring points of the tile are 1 apart.
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        let (column, row) = (floor(x), floor(y));
        let (fx, fy) = (x - column as f32, y - row as f32);
        let point = |column: i32, row: i32| self.tile[wrap(row) * SIDE + wrap(column)];
        let upper = lerp(point(column, row), point(column + 1, row), fx);
        let lower = lerp(point(column, row + 1), point(column + 1, row + 1), fx);
        lerp(upper, lower, fy)
    }
}

#[expect(clippy::cast_sign_loss, reason = "only the low bits count")]
fn wrap(whole: i32) -> usize {
    whole as usize & (SIDE - 1)
}

/// The next lower whole number, clamped to ±2³⁰, which is far beyond all places. `f32::floor` would
/// be a call into libm, because programs for x86-64 are compiled without SSE 4.1.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
pub(super) fn floor(x: f32) -> i32 {
    let whole = (x as i32).clamp(-(1 << 30), 1 << 30);
    whole - i32::from(x < whole as f32)
}

pub(super) fn lerp(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}

/// SplitMix64 (Steele, Lea and Flood 2014): small, and the same everywhere.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn within(&mut self, from: f32, to: f32) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let share = ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1u32 << 24) as f32;
        lerp(from, to, share)
    }
}
