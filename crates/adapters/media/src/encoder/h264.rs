//! Reads what a stream of H.264 says of itself (ITU-T H.264 chapter 7).

/// `nal_unit_type` of slices: the first, and that of a keyframe.
const SLICE: u8 = 1;
const IDR: u8 = 5;
const SEQUENCE_PARAMETERS: u8 = 7;

/// Whether decoding can begin with this access unit.
pub(super) fn is_keyframe(data: &[u8]) -> bool {
    units(data).iter().any(|unit| unit.kind == IDR)
}

/// `profile_idc`, the constraint flags and `level_idc` of its sequence parameter set, if it has
/// one.
pub(super) fn profile(data: &[u8]) -> Option<[u8; 3]> {
    let parameters = units(data).into_iter().find(|unit| unit.kind == SEQUENCE_PARAMETERS)?;
    parameters.data.get(1..4)?.try_into().ok()
}

/// All that stands before its first slice: the parameter sets of a keyframe.
pub(super) fn head(data: &[u8]) -> &[u8] {
    let slice = units(data).into_iter().find(|unit| (SLICE..=IDR).contains(&unit.kind));
    let end = slice.map_or(data.len(), |slice| slice.start);
    // The zero before a start code belongs to the code.
    let end = if end > 0 && data[end - 1] == 0 { end - 1 } else { end };
    &data[..end]
}

struct Unit<'a> {
    /// Where its start code is.
    start: usize,
    kind: u8,
    /// With its header.
    data: &'a [u8],
}

/// The parts of an access unit with start codes (annex B).
fn units(data: &[u8]) -> Vec<Unit<'_>> {
    let is_code = |at: &usize| data[*at..*at + 3] == [0, 0, 1];
    let starts: Vec<usize> = (0..data.len().saturating_sub(3)).filter(is_code).collect();
    let ends = starts.iter().skip(1).copied().chain([data.len()]);
    let unit = |(&start, end): (&usize, usize)| {
        let data = &data[start + 3..end];
        Unit { start, kind: data.first().map_or(0, |header| header & 0x1F), data }
    };
    starts.iter().zip(ends).map(unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEYFRAME: [u8; 20] =
        [0, 0, 0, 1, 0x67, 66, 0xC0, 31, 0, 0, 0, 1, 0x68, 9, 0, 0, 1, 0x65, 8, 8];

    #[test]
    fn a_keyframe_is_read() {
        assert!(is_keyframe(&KEYFRAME));
        assert_eq!(profile(&KEYFRAME), Some([66, 0xC0, 31]));
        assert_eq!(head(&KEYFRAME), &KEYFRAME[..14]);
    }

    #[test]
    fn another_frame_is_none_and_has_no_parameters() {
        let other = [0, 0, 0, 1, 0x41, 9, 9];
        assert!(!is_keyframe(&other));
        assert_eq!((profile(&other), head(&other)), (None, &[][..]));
    }

    proptest! {
        #[test]
        fn nothing_that_a_device_gives_is_too_odd(
            data in proptest::collection::vec(prop_oneof![Just(0u8), Just(1u8), any::<u8>()], 0..40),
        ) {
            is_keyframe(&data);
            profile(&data);
            prop_assert!(data.starts_with(head(&data)));
        }
    }
}
