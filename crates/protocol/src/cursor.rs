//! Reading and writing fixed-size binary frames.

/// Why a binary frame was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame has another size than its version prescribes.
    #[error("frame has {got} bytes, expected {expected}")]
    Size {
        /// Bytes received.
        got: usize,
        /// Bytes the version prescribes.
        expected: usize,
    },
    /// The first byte names a version that this program does not speak.
    #[error("frame version {got} is not supported, expected {expected}")]
    Version {
        /// Version received.
        got: u8,
        /// Version spoken here.
        expected: u8,
    },
    /// A bit or byte that must be zero is not: it has no meaning yet, or a flag says that its field is absent.
    #[error("field {field} holds bits that must be zero")]
    Reserved {
        /// Field of `PROTOCOL.md`.
        field: &'static str,
    },
    /// A number lies outside its field's range.
    #[error("field {field} holds {value}, which is out of range")]
    Range {
        /// Field of `PROTOCOL.md`.
        field: &'static str,
        /// Value received.
        value: i64,
    },
}

/// Reads big-endian fields from a frame whose size was checked.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Checks size and version; the version byte is consumed.
    pub(crate) fn open(bytes: &'a [u8], size: usize, version: u8) -> Result<Self, FrameError> {
        match bytes.split_first() {
            Some((&got, _)) if got != version => Err(FrameError::Version { got, expected: version }),
            Some((_, rest)) if bytes.len() == size => Ok(Self { bytes: rest }),
            _ => Err(FrameError::Size { got: bytes.len(), expected: size }),
        }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.bytes.split_first_chunk::<N>() {
            Some((head, rest)) => {
                self.bytes = rest;
                *head
            }
            // `open` checked the size and each frame reads its own layout, so this is never reached; zero is the inert value.
            None => [0; N],
        }
    }

    pub(crate) fn u8(&mut self) -> u8 {
        u8::from_be_bytes(self.take())
    }
    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.take())
    }
    pub(crate) fn i16(&mut self) -> i16 {
        i16::from_be_bytes(self.take())
    }
    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.take())
    }
    pub(crate) fn i32(&mut self) -> i32 {
        i32::from_be_bytes(self.take())
    }
    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.take())
    }

    pub(crate) fn flags(&mut self, known: u8, field: &'static str) -> Result<u8, FrameError> {
        let flags = self.u8();
        if flags & !known == 0 { Ok(flags) } else { Err(FrameError::Reserved { field }) }
    }

    /// Fields of `size` bytes in all that are there if `present`, and zero if not.
    pub(crate) fn optional<T>(
        &mut self,
        present: bool,
        size: usize,
        field: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, FrameError>,
    ) -> Result<Option<T>, FrameError> {
        if present { read(self).map(Some) } else { self.zero(size, field).map(|()| None) }
    }

    /// Bytes that must be zero.
    pub(crate) fn zero(&mut self, bytes: usize, field: &'static str) -> Result<(), FrameError> {
        (0..bytes).try_for_each(|_| if self.u8() == 0 { Ok(()) } else { Err(FrameError::Reserved { field }) })
    }
}

/// Writes big-endian fields into a frame of `N` bytes.
pub(crate) struct Writer<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Writer<N> {
    pub(crate) fn new() -> Self {
        Self { bytes: [0; N], at: 0 }
    }

    pub(crate) fn put(&mut self, field: &[u8]) -> &mut Self {
        debug_assert!(self.at + field.len() <= N, "layout exceeds the frame");
        if let Some(slot) = self.bytes.get_mut(self.at..self.at + field.len()) {
            slot.copy_from_slice(field);
        }
        self.at += field.len();
        self
    }

    pub(crate) fn finish(&self) -> [u8; N] {
        debug_assert_eq!(self.at, N, "layout leaves a gap");
        self.bytes
    }
}

/// One bit of a flags byte.
pub(crate) fn bit(set: bool, mask: u8) -> u8 {
    if set { mask } else { 0 }
}
