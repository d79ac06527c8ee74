//! SSH keys.

use super::Checked;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Kinds that OpenSSH takes by default (sshd_config(5), `PubkeyAcceptedAlgorithms`).
const KINDS: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// A line of `authorized_keys` without options: kind, key in base64, perhaps a comment.
pub(crate) fn public_key(text: &str) -> Checked {
    if text.contains("PRIVATE KEY") {
        return Err(
            "this is the secret half of the key: never give it away; the public half is in the \
             file that ends with .pub"
                .into(),
        );
    }
    let mut words = text.split_whitespace();
    let (kind, key) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if !KINDS.contains(&kind) {
        return Err(
            "a public key begins with its kind, such as ssh-ed25519; it is the one line of a file \
             that ends with .pub"
                .into(),
        );
    }
    if text.chars().any(char::is_control) {
        return Err("a public key is one line".into());
    }
    match STANDARD.decode(key) {
        Ok(bytes) if is_key(&bytes, kind) => Ok(text.trim().to_owned()),
        _ => Err(
            "the key is damaged or cut off; copy the whole line of the file that ends with .pub"
                .into(),
        ),
    }
}

/// The key is a row of strings, each with its length before it. The first one repeats the kind (RFC
/// 4253 section 6.6).
fn is_key(mut bytes: &[u8], kind: &str) -> bool {
    let mut fields = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let Some((field, rest)) = usize::try_from(u32::from_be_bytes(*length))
            .ok()
            .and_then(|length| rest.split_at_checked(length))
        else {
            return false;
        };
        fields.push(field);
        bytes = rest;
    }
    bytes.is_empty()
        && fields.len() >= 2
        && fields[0] == kind.as_bytes()
        && fields.iter().all(|field| !field.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@laptop";

    #[test]
    fn a_public_key_is_taken_with_its_comment() {
        assert_eq!(public_key(KEY).as_deref(), Ok(KEY));
    }

    #[test]
    fn other_things_are_told_apart() {
        for (wrong, words) in [
            ("-----BEGIN OPENSSH PRIVATE KEY-----", "secret half"),
            ("AAAAC3NzaC1lZDI1NTE5AAAAIAAB", "begins with its kind"),
            ("command=\"x\" ssh-ed25519 AAAA", "begins with its kind"),
            (&KEY[..60], "damaged"),
            (&KEY.replace("ssh-ed25519", "ssh-rsa"), "damaged"),
            ("", "begins with its kind"),
        ] {
            assert!(public_key(wrong).unwrap_err().contains(words), "{wrong}");
        }
        assert!(public_key(&format!("{KEY}\nssh-rsa x")).is_err());
    }
}
