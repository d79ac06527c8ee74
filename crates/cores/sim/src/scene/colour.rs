//! Colours as the frame holds them.

/// BT.709, limited range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour {
    pub(super) y: u8,
    pub(super) u: u8,
    pub(super) v: u8,
}

impl Colour {
    /// From sRGB, 0…255 each (ITU-R BT.709-6 section 3, scaled by 65536).
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the result lies within 16…240"
    )]
    pub(super) const fn rgb(r: i32, g: i32, b: i32) -> Self {
        Self {
            y: ((11_966 * r + 40_254 * g + 4_064 * b + (16 << 16) + 32_768) >> 16) as u8,
            u: ((-6_596 * r - 22_189 * g + 28_784 * b + (128 << 16) + 32_768) >> 16) as u8,
            v: ((28_784 * r - 26_145 * g - 2_639 * b + (128 << 16) + 32_768) >> 16) as u8,
        }
    }

    /// From `self` (`share` 0) to `other` (256).
    pub(super) fn mix(self, other: Self, share: i32) -> Self {
        Self {
            y: mix(self.y, other.y, share),
            u: mix(self.u, other.u, share),
            v: mix(self.v, other.v, share),
        }
    }
}

/// From `a` (`share` 0) to `b` (256).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the result lies between two bytes"
)]
pub(super) fn mix(a: u8, b: u8, share: i32) -> u8 {
    (i32::from(a) + (((i32::from(b) - i32::from(a)) * share) >> 8)) as u8
}

/// Colour of the air at the horizon.
pub(super) const HAZE: Colour = Colour::rgb(214, 226, 234);
