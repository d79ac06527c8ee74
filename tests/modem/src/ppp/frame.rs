//! Frames on a serial line (RFC 1662, 3 and 4): flags, escapes and a check sequence.

/// Stands between two frames.
const FLAG: u8 = 0x7e;
/// Stands before a byte that would have another meaning on the line. The byte itself is changed by
/// an exclusive or with `CHANGE`.
const ESCAPE: u8 = 0x7d;
const CHANGE: u8 = 0x20;
/// "All stations", "unnumbered information".
const HEADER: [u8; 2] = [0xff, 0x03];
/// Result of the check over a whole undamaged frame, its check sequence included.
const GOOD: u16 = 0xf0b8;
/// Longer than any frame that is allowed here.
const LONGEST: usize = 4096;

/// Finds the frames in the bytes of a line.
#[derive(Debug, Default)]
pub(super) struct Deframer {
    frame: Vec<u8>,
    escaped: bool,
}

impl Deframer {
    /// Protocol and content of the frame that ends with this byte; `None` if none ends, or if it is
    /// damaged.
    pub(super) fn push(&mut self, byte: u8) -> Option<(u16, Vec<u8>)> {
        match byte {
            FLAG => {
                self.escaped = false;
                return parse(&std::mem::take(&mut self.frame));
            }
            ESCAPE => self.escaped = true,
            _ if self.frame.len() < LONGEST => self
                .frame
                .push(if std::mem::take(&mut self.escaped) { byte ^ CHANGE } else { byte }),
            _ => {}
        }
        None
    }
}

/// Makes a frame. Bytes that could have a meaning on the line are escaped.
pub(super) fn frame(protocol: u16, content: &[u8]) -> Vec<u8> {
    let mut plain = HEADER.to_vec();
    plain.extend_from_slice(&protocol.to_be_bytes());
    plain.extend_from_slice(content);
    plain.extend_from_slice(&(!check(&plain)).to_le_bytes());
    let mut line = vec![FLAG];
    for byte in plain {
        match byte {
            FLAG | ESCAPE | ..CHANGE => line.extend([ESCAPE, byte ^ CHANGE]),
            _ => line.push(byte),
        }
    }
    line.push(FLAG);
    line
}

fn parse(frame: &[u8]) -> Option<(u16, Vec<u8>)> {
    if frame.len() < 4 || check(frame) != GOOD {
        return None;
    }
    let body = &frame[..frame.len() - 2];
    // Compression may have left out the whole header, and the first byte of the protocol (RFC 1661,
    // 6.5 and 6.6).
    let body = body.strip_prefix(&HEADER).unwrap_or(body);
    match *body {
        [protocol, ref content @ ..] if protocol & 1 == 1 => {
            Some((protocol.into(), content.to_vec()))
        }
        [first, second, ref content @ ..] => {
            Some((u16::from_be_bytes([first, second]), content.to_vec()))
        }
        _ => None,
    }
}

/// The check sequence of RFC 1662, appendix C, computed without a table.
fn check(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |check, byte| {
        (0..8).fold(check ^ u16::from(*byte), |check, _| {
            if check & 1 == 1 { check >> 1 ^ 0x8408 } else { check >> 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &[u8]) -> Vec<(u16, Vec<u8>)> {
        let mut deframer = Deframer::default();
        line.iter().filter_map(|byte| deframer.push(*byte)).collect()
    }

    #[test]
    fn the_check_is_that_of_the_standard() {
        // The check value of CRC-16/X-25 in catalogues of CRCs.
        assert_eq!(!check(b"123456789"), 0x906e);
    }

    #[test]
    fn what_is_framed_comes_out() {
        let content: Vec<u8> = (0..=255).collect();
        let line =
            [frame(0xc021, &content), b"NO CARRIER\r\n".to_vec(), frame(0x0021, &[])].concat();
        assert!(line.iter().all(|byte| *byte >= 0x20 || b"\r\n".contains(byte)));
        assert_eq!(read(&line), [(0xc021, content), (0x0021, vec![])]);
    }

    #[test]
    fn compressed_headers_are_read_and_damaged_frames_are_none() {
        let mut plain = vec![0x21, 7, 8];
        plain.extend((!check(&plain)).to_le_bytes());
        // Only bytes below 0x20 must be escaped in this frame.
        let mut line: Vec<u8> = plain
            .iter()
            .flat_map(|byte| if *byte < 0x20 { vec![ESCAPE, byte ^ CHANGE] } else { vec![*byte] })
            .collect();
        line.push(FLAG);
        assert_eq!(read(&line), [(0x21, vec![7, 8])]);
        line[0] = 0x57;
        assert_eq!(read(&line), []);
    }
}
