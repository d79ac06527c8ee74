//! Messages of the MBIM control channel ("Mobile Broadband Interface Model", revision 1.0, chapters
//! 9 and 10). They are little endian, with strings in UTF-16. Variable parts come after the fixed
//! ones, which hold their offset and length.

use std::net::{Ipv4Addr, Ipv6Addr};

/// `MBIM_OPEN_MSG`.
pub(super) const OPEN: u32 = 1;
/// `MBIM_CLOSE_MSG`.
pub(super) const CLOSE: u32 = 2;
/// `MBIM_COMMAND_MSG`.
pub(super) const COMMAND: u32 = 3;
/// The bit that makes the type of a question the type of its answer.
const DONE: u32 = 0x8000_0000;
/// `MBIM_INDICATE_STATUS_MSG`.
const INDICATE_STATUS: u32 = 0x8000_0007;
/// Type, length, transaction.
pub(super) const HEADER: usize = 12;
/// Longest frame. Longer ones are not from libmbim.
pub(super) const LONGEST: usize = 1 << 16;

/// A service's UUID.
pub(super) type Service = [u8; 16];
/// Basic connectivity.
pub(super) const BASIC_CONNECT: Service = [
    0xa2, 0x89, 0xcc, 0x33, 0xbc, 0xbb, 0x8b, 0x4f, 0xb6, 0xb0, 0x13, 0x3e, 0xc2, 0xaa, 0xe6, 0xdf,
];
/// libmbim's proxy. A client names by it the device that it wants.
pub(super) const PROXY_CONTROL: Service = [
    0x83, 0x8c, 0xf7, 0xfb, 0x8d, 0x0d, 0x4d, 0x7f, 0x87, 0x1e, 0xd7, 0x1d, 0xbe, 0xfb, 0xb3, 0x9b,
];
/// The context type "internet".
pub(super) const INTERNET: Service = [
    0x7e, 0x5e, 0x2a, 0x7e, 0x4e, 0x6f, 0x72, 0x72, 0x73, 0x6b, 0x65, 0x6e, 0x7e, 0x5e, 0x2a, 0x7e,
];

/// A command of the host.
pub(super) struct Command<'a> {
    pub(super) transaction: u32,
    pub(super) service: Service,
    pub(super) cid: u32,
    /// Content of a *set*; `None` for a *query*.
    pub(super) set: Option<&'a [u8]>,
}

impl<'a> Command<'a> {
    /// Reads a whole `MBIM_COMMAND_MSG`; `None` if it is too short.
    pub(super) fn parse(frame: &'a [u8]) -> Option<Self> {
        let service = frame.get(20..36)?.try_into().ok()?;
        let length = usize::try_from(read_u32(frame, 44)?).ok()?;
        let body = frame.get(48..48 + length)?;
        let set = (read_u32(frame, 40)? == 1).then_some(body);
        Some(Self { transaction: read_u32(frame, 8)?, service, cid: read_u32(frame, 36)?, set })
    }
}

/// The answer to an open or a close.
pub(super) fn done(kind: u32, transaction: u32) -> Vec<u8> {
    frame(kind | DONE, transaction, &0_u32.to_le_bytes())
}

/// The answer to a command.
pub(super) fn command_done(command: &Command<'_>, status: u32, body: &[u8]) -> Vec<u8> {
    let head = [command.cid, status, length(body)];
    let parts = [&fragment()[..], &command.service, &words(&head), body].concat();
    frame(COMMAND | DONE, command.transaction, &parts)
}

/// An indication of basic connectivity.
pub(super) fn indication(cid: u32, body: &[u8]) -> Vec<u8> {
    let parts = [&fragment()[..], &BASIC_CONNECT, &words(&[cid, length(body)]), body].concat();
    frame(INDICATE_STATUS, 0, &parts)
}

pub(super) fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The string whose offset and length are at `at`.
pub(super) fn read_text(body: &[u8], at: usize) -> Option<String> {
    let offset = usize::try_from(read_u32(body, at)?).ok()?;
    let length = usize::try_from(read_u32(body, at + 4)?).ok()?;
    let bytes = body.get(offset..offset.checked_add(length)?)?;
    let units: Vec<u16> =
        bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    String::from_utf16(&units).ok()
}

fn frame(kind: u32, transaction: u32, body: &[u8]) -> Vec<u8> {
    [&words(&[kind, length(body) + 12, transaction]), body].concat()
}

/// The fragment header: one fragment in all, and this is number 0.
fn fragment() -> [u8; 8] {
    [1, 0, 0, 0, 0, 0, 0, 0]
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// Builds an information buffer from fields in their order.
#[derive(Default)]
pub(super) struct Info {
    fields: Vec<Field>,
}

enum Field {
    Bytes(Vec<u8>),
    /// Data of which the fixed part has offset and length.
    Sized(Vec<u8>),
    /// Data of which the fixed part has the offset only.
    Pointed(Vec<u8>),
}

impl Info {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn u32(mut self, values: &[u32]) -> Self {
        self.fields.push(Field::Bytes(words(values)));
        self
    }

    pub(super) fn u64(mut self, values: &[u64]) -> Self {
        self.fields
            .push(Field::Bytes(values.iter().flat_map(|value| value.to_le_bytes()).collect()));
        self
    }

    pub(super) fn uuid(mut self, uuid: &Service) -> Self {
        self.fields.push(Field::Bytes(uuid.to_vec()));
        self
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.fields.push(Field::Sized(text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
        self
    }

    pub(super) fn sized(mut self, data: Vec<u8>) -> Self {
        self.fields.push(Field::Sized(data));
        self
    }

    pub(super) fn pointed(mut self, data: Vec<u8>) -> Self {
        self.fields.push(Field::Pointed(data));
        self
    }

    /// The count of addresses, and their offset. Each is an [`element4`], an [`element6`] or a bare
    /// address.
    pub(super) fn addresses(self, elements: &[Vec<u8>]) -> Self {
        let count = u32::try_from(elements.len()).unwrap_or(0);
        self.u32(&[count]).pointed(elements.concat())
    }

    /// The fixed part, then the data. Empty data have the offset 0.
    pub(super) fn build(self) -> Vec<u8> {
        let fixed_size: usize = self.fields.iter().map(Field::fixed_size).sum();
        let (mut fixed, mut variable) = (Vec::new(), Vec::new());
        for field in self.fields {
            let offset = u32::try_from(fixed_size + variable.len()).unwrap_or(u32::MAX);
            let mut point =
                |data: &[u8]| if data.is_empty() { 0 } else { append(&mut variable, data, offset) };
            match field {
                Field::Bytes(bytes) => fixed.extend(bytes),
                Field::Sized(data) => fixed.extend(words(&[point(&data), length(&data)])),
                Field::Pointed(data) => fixed.extend(words(&[point(&data)])),
            }
        }
        [fixed, variable].concat()
    }
}

impl Field {
    fn fixed_size(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Sized(_) => 8,
            Self::Pointed(_) => 4,
        }
    }
}

/// Appends data, padded to four bytes, and returns its offset.
fn append(variable: &mut Vec<u8>, data: &[u8], offset: u32) -> u32 {
    variable.extend(data);
    variable.resize(variable.len().next_multiple_of(4), 0);
    offset
}

/// An IPv4 address with its prefix.
pub(super) fn element4(address: Ipv4Addr, prefix: u32) -> Vec<u8> {
    [&prefix.to_le_bytes()[..], &address.octets()].concat()
}

/// An IPv6 address with its prefix.
pub(super) fn element6(address: Ipv6Addr, prefix: u32) -> Vec<u8> {
    [&prefix.to_le_bytes()[..], &address.octets()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_stands_behind_the_fixed_part_and_is_pointed_at() {
        let body = Info::new().u32(&[7]).text("ab").text("").pointed(vec![1, 2, 3]).build();
        assert_eq!(body.len(), 4 + 8 + 8 + 4 + 4 + 4);
        assert_eq!((read_u32(&body, 0), read_text(&body, 4)), (Some(7), Some("ab".to_owned())));
        assert_eq!((read_u32(&body, 12), read_u32(&body, 20)), (Some(0), Some(28)));
        assert_eq!(&body[28..], [1, 2, 3, 0]);
    }

    #[test]
    fn a_command_is_taken_apart_and_a_short_one_is_refused() {
        let head =
            [&words(&[COMMAND, 52, 9])[..], &fragment(), &BASIC_CONNECT, &words(&[12, 1, 4, 77])]
                .concat();
        let command = Command::parse(&head).unwrap();
        assert_eq!(
            (command.transaction, command.cid, command.set),
            (9, 12, Some(&77_u32.to_le_bytes()[..]))
        );
        for length in 0..head.len() {
            assert!(Command::parse(&head[..length]).is_none());
        }
    }
}
