//! Decides whether a decoder could show a frame. Nothing is decoded here, but a frame that refers
//! to lost ones does not count.

/// More lost packets in a row than retransmission repairs in time: some 200 ms of video.
const BEYOND_REPAIR: u16 = 30;

/// Follows one stream.
#[derive(Debug, Default)]
pub(super) struct Decodable {
    newest: Option<u16>,
    waits_for_keyframe: bool,
}

impl Decodable {
    /// Takes a packet. True: its frame can be shown.
    pub(super) fn note(&mut self, sequence: u16, payload: &[u8]) -> bool {
        let ahead = self.newest.map_or(1, |newest| sequence.wrapping_sub(newest));
        // A number from the other half of the circle is an old packet, sent once more.
        if ahead < 1 << 15 {
            self.newest = Some(sequence);
            self.waits_for_keyframe |= ahead > BEYOND_REPAIR;
        }
        self.waits_for_keyframe &= !begins_keyframe(payload);
        !self.waits_for_keyframe
    }
}

/// Whether an H.264 payload (RFC 6184) begins a keyframe. IDR, SPS: types of NAL units; STAP-A: a
/// packet of several units; FU-A: a part of one, whose first has the bit 0x80.
fn begins_keyframe(payload: &[u8]) -> bool {
    const IDR: u8 = 5;
    const SPS: u8 = 7;
    const STAP_A: u8 = 24;
    const FU_A: u8 = 28;
    match payload {
        [first, ..] if [IDR, SPS].contains(&(first & 31)) => true,
        [first, _, _, inner, ..] if first & 31 == STAP_A => [IDR, SPS].contains(&(inner & 31)),
        [first, header, ..] if first & 31 == FU_A => header & 31 == IDR && header & 0x80 != 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELTA: &[u8] = &[0x61, 1];
    const KEY: &[u8] = &[28, 0x85];

    #[test]
    fn after_a_long_loss_only_a_keyframe_is_a_picture() {
        let mut picture = Decodable::default();
        assert!(picture.note(65_530, KEY) && picture.note(65_531, DELTA));
        assert!(picture.note(10, DELTA), "retransmission repairs that");
        assert!(!picture.note(200, DELTA) && !picture.note(201, DELTA));
        assert!(picture.note(202, KEY) && picture.note(203, DELTA));
    }
}
