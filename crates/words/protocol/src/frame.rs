//! Reading and writing binary frames.
//!
//! ```text
//!   version 1   │ fields at fixed places │
//!   version 2   │ head: fields at fixed places │ group │ group │ …
//!                                                kind · length · bytes
//! ```
//!
//! Version 1 is closed: its size is fixed, a bit without a meaning is zero, no word is added.
//! Version 2 grows: a receiver skips bits and groups that it does not know, and keeps unknown words
//! as `Other`. Kinds of groups ascend, and each kind comes once at most.

use crate::grease;

/// Largest frame in bytes that a receiver takes. It limits what reading one can cost.
pub const MAX_FRAME_BYTES: usize = 512;
/// Bytes before a group: its kind and the length of what follows.
const GROUP_HEAD: usize = 2;

/// How a frame is laid out: the version in its first byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layout {
    /// Every program reads it. Closed: nothing can be added to it.
    #[default]
    V1,
    /// A head, and groups that a receiver may skip.
    V2,
}

impl Layout {
    /// Oldest first.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// The version in the first byte.
    #[must_use]
    pub fn version(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// The layout that the first byte of a frame names; `None` if it is not known here.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| bytes.first() == Some(&layout.version()))
    }

    /// The numbers of all layouts, as the messages `hello` carry them.
    #[must_use]
    pub fn versions() -> Vec<u8> {
        Self::ALL.iter().map(|layout| layout.version()).collect()
    }

    /// The newest layout that this program knows and that is in `versions`, those of the other end.
    /// [`Self::V1`] if there is none.
    #[must_use]
    pub fn newest_in(versions: &[u8]) -> Self {
        Self::ALL
            .into_iter()
            .rev()
            .find(|layout| versions.contains(&layout.version()))
            .unwrap_or_default()
    }
}

/// Why a binary frame was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame has another size than its version prescribes, or ends within a group.
    #[error("frame has {got} bytes, expected {expected}")]
    Size {
        got: usize,
        /// Bytes that the version prescribes. If it prescribes no number, the largest allowed.
        expected: usize,
    },
    /// The first byte names a version that this program does not speak.
    #[error("frame version {got} is not supported, newest is {newest}")]
    Version {
        got: u8,
        /// Newest version spoken here.
        newest: u8,
    },
    /// A bit or byte is set that must be zero, because it has no meaning yet or because a flag says
    /// that its field is absent.
    #[error("field {field} holds bits that must be zero")]
    Reserved {
        /// Name of the field in `PROTOCOL.md`.
        field: &'static str,
    },
    /// A number lies outside its field's range.
    #[error("field {field} holds {value}, which is out of range")]
    Range {
        /// Name of the field in `PROTOCOL.md`.
        field: &'static str,
        value: i64,
    },
}

/// A frame as it goes over the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct FrameBytes {
    bytes: [u8; MAX_FRAME_BYTES],
    length: usize,
}

impl FrameBytes {
    /// Adds a group behind the others. Does nothing if there is no room, or if `bytes` are more
    /// than 255. The caller makes sure that the frame is of version 2 and that its groups have
    /// lower kinds: neither is checked.
    pub fn push_group(&mut self, kind: u8, bytes: &[u8]) {
        if let (Ok(length), Some(slot)) =
            (u8::try_from(bytes.len()), self.bytes.get_mut(self.length..))
            && let Some((head, rest)) = slot.split_first_chunk_mut::<GROUP_HEAD>()
            && let Some(slot) = rest.get_mut(..bytes.len())
        {
            *head = [kind, length];
            slot.copy_from_slice(bytes);
            self.length += GROUP_HEAD + bytes.len();
        }
    }

    pub(crate) fn set_bit(&mut self, at: usize, mask: u8) {
        if let Some(byte) = self.bytes.get_mut(at) {
            *byte |= mask;
        }
    }
}

impl std::ops::Deref for FrameBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl std::fmt::Debug for FrameBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Sizes of a frame in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// The whole frame of version 1.
    pub(crate) v1: usize,
    pub(crate) v2_head: usize,
}

/// Reads big-endian fields from a frame whose size was checked.
pub(crate) struct Reader<'a> {
    pub(crate) layout: Layout,
    bytes: &'a [u8],
    groups: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Checks the version, the size, and the order and sizes of groups. The next field is the one
    /// after the version byte.
    pub(crate) fn open(bytes: &'a [u8], sizes: Sizes) -> Result<Self, FrameError> {
        let wrong_size = |expected| FrameError::Size { got: bytes.len(), expected };
        let Some(&version) = bytes.first() else { return Err(wrong_size(sizes.v1)) };
        let Some(layout) = Layout::of(bytes) else {
            return Err(FrameError::Version { got: version, newest: Layout::V2.version() });
        };
        let (head, groups) = match layout {
            Layout::V1 if bytes.len() == sizes.v1 => (bytes, &bytes[..0]),
            Layout::V1 => return Err(wrong_size(sizes.v1)),
            Layout::V2 if bytes.len() > MAX_FRAME_BYTES => return Err(wrong_size(MAX_FRAME_BYTES)),
            Layout::V2 => {
                bytes.split_at_checked(sizes.v2_head).ok_or_else(|| wrong_size(sizes.v2_head))?
            }
        };
        check_groups(groups, bytes.len())?;
        Ok(Self { layout, bytes: head.get(1..).unwrap_or_default(), groups })
    }

    /// A hello, whose first byte the caller knows; what follows its first `size` bytes is for later
    /// versions.
    pub(crate) fn open_hello(bytes: &'a [u8], size: usize) -> Result<Self, FrameError> {
        let head =
            bytes.get(..size).ok_or(FrameError::Size { got: bytes.len(), expected: size })?;
        Ok(Self { layout: Layout::V2, bytes: head.get(1..).unwrap_or_default(), groups: &[] })
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.bytes.split_first_chunk::<N>() {
            Some((head, rest)) => {
                self.bytes = rest;
                *head
            }
            // Never reached: `open` checked the size, and each frame reads no more than its layout
            // has. Zero is the value that does the least.
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

    /// Reads a byte of flags and returns those in `known`. Others are an error in version 1 and are
    /// dropped in version 2.
    pub(crate) fn flags(&mut self, known: u8, field: &'static str) -> Result<u8, FrameError> {
        let flags = self.u8();
        if self.layout == Layout::V1 && flags & !known != 0 {
            Err(FrameError::Reserved { field })
        } else {
            Ok(flags & known)
        }
    }

    /// Reads fields that take `size` bytes together. If they are not `present`, their bytes must be
    /// zero.
    pub(crate) fn optional<T>(
        &mut self,
        present: bool,
        size: usize,
        field: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, FrameError>,
    ) -> Result<Option<T>, FrameError> {
        if present { read(self).map(Some) } else { self.zero(size, field).map(|()| None) }
    }

    /// Skips bytes without a meaning. Version 1 refuses any that are not zero.
    pub(crate) fn zero(&mut self, bytes: usize, field: &'static str) -> Result<(), FrameError> {
        (0..bytes).try_for_each(|_| match self.u8() {
            0 => Ok(()),
            _ if self.layout != Layout::V1 => Ok(()),
            _ => Err(FrameError::Reserved { field }),
        })
    }

    /// Reads the group of this kind; `None` if the frame has none. This release knows its first
    /// `size` bytes; what a later one has added behind them is skipped.
    pub(crate) fn group<T>(
        &self,
        kind: u8,
        size: usize,
        read: impl FnOnce(&mut Self) -> Result<T, FrameError>,
    ) -> Result<Option<T>, FrameError> {
        let Some(bytes) =
            Groups(self.groups).find(|group| group.kind == kind).map(|group| group.bytes)
        else {
            return Ok(None);
        };
        if bytes.len() < size {
            return Err(FrameError::Size { got: bytes.len(), expected: size });
        }
        read(&mut Self { layout: self.layout, bytes, groups: &[] }).map(Some)
    }
}

struct Group<'a> {
    kind: u8,
    bytes: &'a [u8],
}

/// Ends before the first group that is cut short, whose bytes are then left.
struct Groups<'a>(&'a [u8]);

impl<'a> Iterator for Groups<'a> {
    type Item = Group<'a>;

    fn next(&mut self) -> Option<Group<'a>> {
        let (&[kind, length], rest) = self.0.split_first_chunk::<GROUP_HEAD>()?;
        let (bytes, rest) = rest.split_at_checked(length.into())?;
        self.0 = rest;
        Some(Group { kind, bytes })
    }
}

fn check_groups(groups: &[u8], frame_bytes: usize) -> Result<(), FrameError> {
    let mut rest = Groups(groups);
    let mut last = None;
    for Group { kind, .. } in rest.by_ref() {
        // Strictly ascending, so that no kind comes twice.
        if last.is_some_and(|last| kind <= last) {
            return Err(FrameError::Range { field: "group", value: kind.into() });
        }
        last = Some(kind);
    }
    if rest.0.is_empty() {
        Ok(())
    } else {
        Err(FrameError::Size { got: frame_bytes, expected: MAX_FRAME_BYTES })
    }
}

/// Writes big-endian fields, one after the other.
pub(crate) struct Writer(FrameBytes);

impl Writer {
    /// A frame, with its version as the first byte.
    pub(crate) fn new(layout: Layout) -> Self {
        let mut writer = Self(FrameBytes { bytes: [0; MAX_FRAME_BYTES], length: 0 });
        writer.put(&[layout.version()]);
        writer
    }

    /// A hello: its first byte is zero, which is no version.
    pub(crate) fn hello() -> Self {
        Self(FrameBytes { bytes: [0; MAX_FRAME_BYTES], length: 1 })
    }

    pub(crate) fn put(&mut self, field: &[u8]) -> &mut Self {
        let end = self.0.length + field.len();
        debug_assert!(end <= MAX_FRAME_BYTES, "a frame exceeds its limit");
        if let Some(slot) = self.0.bytes.get_mut(self.0.length..end) {
            slot.copy_from_slice(field);
            self.0.length = end;
        }
        self
    }

    /// A group, if there is something to say. Groups are written in ascending order of their kinds.
    pub(crate) fn group<const N: usize>(&mut self, kind: u8, bytes: Option<[u8; N]>) -> &mut Self {
        if let Some(bytes) = bytes {
            let length = u8::try_from(N).unwrap_or(u8::MAX);
            debug_assert_eq!(usize::from(length), N, "a group exceeds its limit");
            self.put(&[kind, length]).put(&bytes);
        }
        self
    }

    pub(crate) fn finish(&self) -> FrameBytes {
        let mut bytes = self.0.clone();
        if Layout::of(&bytes) == Some(Layout::V2) {
            grease::frame(&mut bytes);
        }
        bytes
    }
}

/// One bit of a flags byte.
pub(crate) fn bit(set: bool, mask: u8) -> u8 {
    if set { mask } else { 0 }
}
