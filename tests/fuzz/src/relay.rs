//! Datagrams to the STUN and TURN server. Strangers can send them without signing in.

/// ChannelData messages (RFC 8656 section 12.4).
pub mod relay_channel_data {
    /// Reads `data` as one message.
    pub fn target(data: &[u8]) {
        let Some((channel, payload)) = rccar_relay::fuzz::channel_data(data) else { return };
        assert!((0x4000..=0x7fff).contains(&channel), "channel {channel:#x}");
        assert_eq!(channel.to_be_bytes(), data[..2]);
        assert_eq!(payload.len(), usize::from(u16::from_be_bytes([data[2], data[3]])));
        assert!(data[4..].starts_with(payload), "the payload is another");
    }
}

/// STUN messages (RFC 8489 section 5).
pub mod relay_stun {
    /// Bytes of an error with its text, eight unknown attributes, realm, nonce, integrity and
    /// fingerprint. A request with a false sender must not get a larger answer.
    const LARGEST_REFUSAL: usize = 256;

    /// Reads `data` as one message of any kind, and refuses it.
    pub fn target(data: &[u8]) {
        let Some(answer) = rccar_relay::fuzz::stun(data) else { return };
        assert_eq!(answer[4..20], data[4..20], "the answer belongs to another request");
        assert_eq!(answer[0] & 0b1, 1, "the answer is no error");
        assert!(answer.len() <= LARGEST_REFUSAL, "{} bytes answer {}", answer.len(), data.len());
        assert!(rccar_relay::fuzz::stun(&answer).is_some(), "the answer is no STUN");
    }
}
