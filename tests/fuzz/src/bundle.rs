//! Bundles and keyrings, as people upload them.

use rccar_bundle::{Keyring, verify};
use std::io::Cursor;
use std::time::Duration;

/// Certificate of the key that signed the bundle of the corpus once. Nobody has kept the key.
const SIGNER: &[u8] = include_bytes!("bundle.crt");
/// A time within the validity of that certificate: 2027-01-01.
const THEN: Duration = Duration::from_secs(1_798_761_600);
/// Version in the only manifest that this key has signed.
const VERSION: &str = "1.2.3-fuzz";

/// Reads `data` as a bundle, as its manifest and as a keyring.
pub fn target(data: &[u8]) {
    if let Ok(own) = Keyring::from_pem(data) {
        drop(verify(&mut Cursor::new(data), &own, THEN));
    }
    let Ok(keyring) = Keyring::from_pem(SIGNER) else { return };
    if let Ok(bundle) = verify(&mut Cursor::new(data), &keyring, THEN) {
        assert_eq!(bundle.version.to_string(), VERSION, "only one manifest was ever signed");
        assert_eq!(bundle.size, data.len() as u64);
    }
}
