//! Messages in a stream (RFC 8656 sections 3.1 and 12.5, RFC 8489 section 6.2.2).

use thiserror::Error;

/// Longest message in bytes that is taken. It is more than an Ethernet frame holds, and every
/// message comes from or goes into one.
pub const MAX_MESSAGE: usize = 2048;
/// Length of the header of a STUN message (RFC 8489 section 5).
const STUN_HEADER: usize = 20;
/// Length of the header of a ChannelData message (RFC 8656 section 12.4).
const CHANNEL_HEADER: usize = 4;

/// The stream is not TURN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StreamError {
    /// The first two bits are those of neither STUN nor ChannelData, or the length of a STUN
    /// message is no multiple of four.
    #[error("neither a STUN nor a ChannelData message")]
    NotTurn,
    /// The message would be longer than [`MAX_MESSAGE`]. Holds its size in bytes.
    #[error("a message of {0} bytes, more than {MAX_MESSAGE}")]
    TooLong(usize),
}

/// Takes a stream apart into messages.
#[derive(Debug, Default)]
pub struct Messages {
    bytes: Vec<u8>,
}

impl Messages {
    /// Takes the next bytes of the stream, in pieces of any size.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message without its padding; `None` until more bytes have come. After an
    /// error the stream is of no use.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, StreamError> {
        let Some(header) = self.bytes.first_chunk::<CHANNEL_HEADER>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        // The length counts neither the header nor the padding. Only ChannelData is padded: the
        // length of a STUN message is a multiple of four.
        let (message, padded) = match header[0] >> 6 {
            0b00 if length % 4 == 0 => (STUN_HEADER + length, STUN_HEADER + length),
            0b01 => (CHANNEL_HEADER + length, CHANNEL_HEADER + length.next_multiple_of(4)),
            _ => return Err(StreamError::NotTurn),
        };
        if message > MAX_MESSAGE {
            return Err(StreamError::TooLong(message));
        }
        if self.bytes.len() < padded {
            return Ok(None);
        }
        let rest = self.bytes.split_off(padded);
        let mut whole = std::mem::replace(&mut self.bytes, rest);
        whole.truncate(message);
        Ok(Some(whole))
    }
}

/// Whether a datagram can be a STUN message, by its first two bits (RFC 8489 section 5).
#[must_use]
pub fn is_stun(message: &[u8]) -> bool {
    message.first().is_some_and(|byte| byte >> 6 == 0b00)
}

/// The zero bytes that follow a message in a stream. ChannelData is padded to a multiple of four
/// bytes (RFC 8656 section 12.5); STUN messages have such a size anyway. A ChannelData message that
/// holds its padding already gets no more.
#[must_use]
pub fn padding(message: &[u8]) -> &'static [u8] {
    &[0; 3][..message.len().next_multiple_of(4) - message.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stun(body: usize) -> Vec<u8> {
        let mut message = vec![0, 1, 0, u8::try_from(body).unwrap()];
        message.resize(STUN_HEADER + body, 7);
        message
    }

    fn channel_data(payload: &[u8]) -> Vec<u8> {
        let mut message = vec![0x40, 0];
        message.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        message.extend(payload);
        message
    }

    #[test]
    fn what_is_not_turn_is_refused_at_its_first_bytes() {
        for (start, error) in [
            (&b"GET / HTTP/1.1"[..], StreamError::TooLong(4 + 0x5420)),
            (&[0x16, 3, 1, 2], StreamError::NotTurn),
            (&[0x80, 0, 0, 0], StreamError::NotTurn),
            (&[0, 1, 0x10, 0], StreamError::TooLong(20 + 0x1000)),
            (&[0x40, 0, 0xff, 0xff], StreamError::TooLong(4 + 0xffff)),
        ] {
            let mut messages = Messages::default();
            messages.extend(start);
            assert_eq!(messages.next_message(), Err(error), "{start:?}");
        }
    }

    #[test]
    fn bits_tell_stun_from_channel_data() {
        assert!(is_stun(&stun(0)) && !is_stun(&channel_data(b"x")) && !is_stun(b""));
    }

    proptest! {
        #[test]
        fn messages_come_out_as_they_went_in_wherever_the_stream_is_cut(
            parts in prop::collection::vec((any::<bool>(), 0_usize..200), 1..20),
            cuts in prop::collection::vec(1_usize..100, 1..50),
        ) {
            let sent: Vec<Vec<u8>> = parts
                .iter()
                .map(|&(is_stun, size)| {
                    if is_stun { stun(size / 4 * 4) } else { channel_data(&vec![9; size]) }
                })
                .collect();
            let stream: Vec<u8> =
                sent.iter().flat_map(|message| [message, padding(message)].concat()).collect();
            let (mut messages, mut received, mut at) = (Messages::default(), Vec::new(), 0);
            for cut in cuts.iter().cycle() {
                let end = (at + cut).min(stream.len());
                messages.extend(&stream[at..end]);
                while let Some(message) = messages.next_message().unwrap() {
                    received.push(message);
                }
                at = end;
                if at == stream.len() {
                    break;
                }
            }
            prop_assert_eq!(received, sent);
        }

        #[test]
        fn no_stream_makes_it_panic_or_loop(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let mut messages = Messages::default();
            messages.extend(&bytes);
            while let Ok(Some(message)) = messages.next_message() {
                prop_assert!(!message.is_empty());
            }
        }
    }
}
