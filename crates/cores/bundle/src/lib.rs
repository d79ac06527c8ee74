//! Checks RAUC bundles: who signed it, what it is, and whether every byte is what was signed.
//!
//! **A bundle passes only if a certificate of the keyring vouches for the manifest and the manifest
//! for every byte of the payload.** Version and board come from the signed manifest, never from
//! names or headers.
//!
//! A bundle of RAUC's format `verity` (RAUC reference, "Bundle Formats") is
//!
//! ```text
//!  ┌──────────────────┬──────────────────────┬───────────────────────────┬──────────────────────┐
//!  │ squashfs payload │ dm-verity hash tree  │ CMS signature (RFC 5652)  │ size of the CMS      │
//!  │ n × 4096 bytes   │ topmost level first  │ with the manifest inside  │ 8 bytes, big-endian  │
//!  └──────────────────┴──────────────────────┴───────────────────────────┴──────────────────────┘
//!           ▲                                        │ verity-hash, verity-salt, verity-size
//!           └────────────────────────────────────────┘
//! ```
//!
//! [`verify`] reads it once from front to back, after a look at its end:
//! 1. the CMS at the end: its signature, then the chain from the signer's certificate to one of the
//!    keyring, for code signing, today;
//! 2. the manifest inside: format, version, compatible, root hash;
//! 3. the payload: the hash tree is computed again and has to give the signed root hash. The stored
//!    tree has to be the same, because the car's kernel reads that one.
//!
//! ```
//! use rccar_bundle::{Bundle, Keyring, verify};
//! use std::io::{Read, Seek};
//! use std::time::Duration;
//!
//! fn look(pem: &[u8], mut file: impl Read + Seek, since_1970: Duration) -> Result<Bundle, Box<dyn std::error::Error>> {
//!     let bundle = verify(&mut file, &Keyring::from_pem(pem)?, since_1970)?;
//!     println!("{} for {}, signed by {}", bundle.version, bundle.compatible, bundle.signer);
//!     Ok(bundle)
//! }
//! # assert!(look(b"", std::io::empty(), Duration::ZERO).is_err());
//! ```
//!
//! # Design decisions
//!
//! * The host checks so that the person who uploads finds a mistake, and not a hundred cars. The
//!   car's own RAUC checks again with the car's own keys; nothing here replaces that.
//! * No RAUC and no OpenSSL on the host: `cms` reads the signature, `rustls-webpki` builds the
//!   chain and *ring* does the arithmetic.
//! * Formats `plain` and `crypt` are refused, each with its reason: plain bundles cannot be
//!   streamed, encrypted ones cannot be checked.
//! * A signer's certificate that is itself in the keyring is trusted without a chain: small fleets
//!   have one self-signed key.
//! * The signing certificate needs the purpose `codeSigning`: a web server's certificate of the
//!   same authority signs no images.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod keyring;
mod manifest;
mod signature;
mod verify;
mod verity;

pub use keyring::{Keyring, KeyringError};
pub use verify::{Bundle, BundleError, verify};
