//! Refuses requests while the tunnel is not needed.

use crate::outbox::is_request;

/// Length of a STUN header (RFC 8489 section 5).
const HEADER: usize = 20;
/// ERROR-CODE (RFC 8489 section 14.8): 508, Insufficient Capacity (RFC 8656 section 19), and a
/// reason of 12 bytes.
const ATTRIBUTE: [u8; 20] = *b"\x00\x09\x00\x10\x00\x00\x05\x08use the UDP.";

/// Refuses a request; `None` for anything else.
pub(crate) fn refusal(message: &[u8]) -> Option<Vec<u8>> {
    let header = message.first_chunk::<HEADER>().filter(|_| is_request(message))?;
    let mut answer = header.to_vec();
    // The class of an error response.
    answer[0] |= 0x01;
    answer[1] |= 0x10;
    answer[2..4].copy_from_slice(&[0, 20]);
    answer.extend(ATTRIBUTE);
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_refused_under_its_own_number() {
        let mut allocate = vec![0x00, 0x03, 0x00, 0x08, 0x21, 0x12, 0xa4, 0x42];
        allocate.extend(1..=12);
        allocate.extend([0x00, 0x19, 0x00, 0x04, 17, 0, 0, 0]);
        let answer = refusal(&allocate).unwrap();
        assert_eq!(answer[..4], [0x01, 0x13, 0x00, 20]);
        assert_eq!(answer[4..20], allocate[4..20]);
        assert_eq!(answer.len(), 40);
        assert_eq!(refusal(&answer), None, "answers are not answered");
        assert_eq!(refusal(&allocate[..19]), None);
    }
}
