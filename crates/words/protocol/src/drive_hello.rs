//! The hello between `rccar-car` and `rccar-drive`: each names the versions of set-point and status
//! that it speaks.
//!
//! `rccar-car` asks and `rccar-drive` answers, each with its own versions. A drive of release 0.1.0
//! refuses the question like any frame of an unknown version; then both stay with version 1.

use crate::calibration::CALIBRATION_VERSION;
use crate::frame::{FrameBytes, FrameError, Layout, Reader, Writer};
use crate::grease;

/// First byte of a hello. No frame has this version.
pub const DRIVE_HELLO_VERSION: u8 = 0;
/// Smallest size in bytes. Later releases may add bytes behind it, which are skipped.
pub const DRIVE_HELLO_SIZE: usize = 12;

/// Versions of the datagrams that the sender reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DriveHello {
    /// Versions of the set-point as a mask: bit 0 is version 1.
    pub setpoint: u32,
    /// Versions of the status as a mask: bit 0 is version 1.
    pub status: u32,
    /// Versions of the [calibration](crate::calibration) as a mask: bit 0 is version 1. Zero: none.
    pub calibration: u32,
}

impl DriveHello {
    /// All masks with all versions that this release speaks.
    #[must_use]
    pub fn ours() -> Self {
        let all = Layout::ALL.iter().fold(0, |mask, layout| mask | bit_of(*layout));
        Self { setpoint: all, status: all, calibration: 1 << (CALIBRATION_VERSION - 1) }
    }

    /// The newest version that this release and the sender speak for both datagrams: the drive
    /// answers with a status in the version of the set-point. Version 1 if there is no other.
    #[must_use]
    pub fn newest(self) -> Layout {
        let both = self.setpoint & self.status;
        Layout::ALL.into_iter().rev().find(|layout| both & bit_of(*layout) != 0).unwrap_or_default()
    }

    /// Whether the sender and this release speak the same words about calibration.
    #[must_use]
    pub fn calibrates(self) -> bool {
        self.calibration & Self::ours().calibration != 0
    }

    #[must_use]
    pub fn encode(self) -> FrameBytes {
        self.write(grease::is_on())
    }

    /// With grease it names a version that nobody has, and is longer than it need be.
    fn write(self, greased: bool) -> FrameBytes {
        let (later, more): (u32, &[u8]) = if greased { (1 << 31, &[0xff; 4]) } else { (0, &[]) };
        Writer::hello()
            .put(&[0; 3])
            .put(&(self.setpoint | later).to_be_bytes())
            .put(&(self.status | later).to_be_bytes())
            .put(&(self.calibration | later).to_be_bytes())
            .put(more)
            .finish()
    }

    /// Judges by the first byte alone.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.first() == Some(&DRIVE_HELLO_VERSION)
    }

    /// Reads a datagram for which [`Self::is_one`] is true.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::open_hello(bytes, DRIVE_HELLO_SIZE)?;
        reader.zero(3, "reserved")?;
        let (setpoint, status) = (reader.u32(), reader.u32());
        // The hello of a drive that cannot be calibrated may end before it.
        let calibration = bytes.get(DRIVE_HELLO_SIZE..).and_then(<[u8]>::first_chunk);
        let calibration = calibration.map_or(0, |mask| u32::from_be_bytes(*mask));
        Ok(Self { setpoint, status, calibration })
    }
}

fn bit_of(layout: Layout) -> u32 {
    1 << (layout.version() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_that_both_know_is_spoken() {
        let newest = |setpoint, status| DriveHello { setpoint, status, calibration: 0 }.newest();
        assert_eq!(newest(0b1, 0b1), Layout::V1);
        assert_eq!(newest(0b11, 0b1), Layout::V1);
        assert_eq!(newest(0b11, 0b11), Layout::V2);
        assert_eq!(newest(0b1110, 0b1010), Layout::V2);
        assert_eq!(newest(0b1000, 0b1000), Layout::V1);
    }

    #[test]
    fn what_grease_adds_changes_nothing() {
        let (plain, greased) = (DriveHello::ours().write(false), DriveHello::ours().write(true));
        assert!(greased.len() > plain.len() && DriveHello::is_one(&greased));
        let read = |bytes: &[u8]| DriveHello::decode(bytes).map(DriveHello::newest);
        assert_eq!(read(&greased), read(&plain));
        assert_eq!(read(&greased), Ok(Layout::V2));
    }

    #[test]
    fn what_a_later_release_adds_is_skipped() {
        let hello = DriveHello { setpoint: 7, status: 3, calibration: 1 };
        let mut bytes = hello.encode().to_vec();
        bytes[2] = 0xff;
        bytes.extend([1, 2, 3]);
        assert_eq!(DriveHello::decode(&bytes), Ok(hello));
        assert_eq!(
            DriveHello::decode(&bytes[..11]),
            Err(FrameError::Size { got: 11, expected: 12 })
        );
    }
}
