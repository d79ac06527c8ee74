//! Real bundles, made by `rauc bundle` and OpenSSL, and then kept whole or broken.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

use rccar_bundle::{Bundle, BundleError, Keyring, verify};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const BOARD: &str = "rccar-rpi-arm64";
const YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);

/// A directory with keys and bundles.
struct Workshop(TempDir);

impl Workshop {
    fn open() -> Option<Self> {
        let tools = make(&["tools"]).output().unwrap();
        if !tools.status.success() {
            rccar_require::skip("bundles", String::from_utf8_lossy(&tools.stderr).trim());
            return None;
        }
        Some(Self(tempfile::tempdir().unwrap()))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn make(&self, arguments: &[&str]) {
        let output = make(arguments).current_dir(self.0.path()).output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn bundle(&self, version: &str, key: &str, rest: &[&str]) -> PathBuf {
        self.make(&[&["bundle", "car.raucb", version, BOARD, key], rest].concat());
        self.path("car.raucb")
    }

    fn keyring(&self, files: &[&str]) -> Keyring {
        let pem: Vec<u8> =
            files.iter().flat_map(|file| fs::read(self.path(file)).unwrap()).collect();
        Keyring::from_pem(&pem).unwrap()
    }
}

fn make(arguments: &[&str]) -> Command {
    let mut command =
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/bundles/make"));
    command.args(arguments);
    command
}

fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

fn checked(bundle: &Path, keyring: &Keyring) -> Result<Bundle, BundleError> {
    verify(&mut File::open(bundle).unwrap(), keyring, now())
}

/// Changes a copy by `harm`, checks it, and returns the refusal.
fn refusal(bundle: &Path, keyring: &Keyring, harm: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = fs::read(bundle).unwrap();
    harm(&mut bytes);
    let harmed = bundle.with_extension("harmed");
    fs::write(&harmed, bytes).unwrap();
    checked(&harmed, keyring).expect_err("accepted").to_string()
}

#[test]
fn a_bundle_is_what_its_signed_manifest_says() {
    let Some(shop) = Workshop::open() else { return };
    shop.make(&["key", "own"]);
    // 2, more than 128 and more than 128 × 128 blocks need trees of one, two and three levels.
    for bytes in ["5000", "700000", "70000000"] {
        let path = shop.bundle("0.4.0-dev.217", "own", &["verity", bytes]);
        let bundle = checked(&path, &shop.keyring(&["own.crt"])).unwrap();
        assert_eq!(
            (bundle.version.to_string(), bundle.compatible.as_str()),
            ("0.4.0-dev.217".into(), BOARD)
        );
        assert_eq!(
            (bundle.signer.as_str(), bundle.size),
            ("CN=own", fs::metadata(&path).unwrap().len())
        );
        let sum = Command::new("sha256sum").arg(&path).output().unwrap().stdout;
        assert!(String::from_utf8(sum).unwrap().starts_with(bundle.sha256.as_str()));
    }
}

#[test]
fn a_chain_ends_at_the_root_or_at_the_intermediate_of_the_keyring() {
    let Some(shop) = Workshop::open() else { return };
    shop.make(&["chain", "fleet"]);
    let path = shop.bundle("1.0.0", "fleet", &[]);
    for keyring in ["fleet-root.crt", "fleet-intermediate.crt", "fleet.crt"] {
        assert_eq!(
            checked(&path, &shop.keyring(&[keyring])).unwrap().signer,
            "CN=fleet",
            "{keyring}"
        );
    }
}

#[test]
fn a_revoked_certificate_signs_nothing_any_more() {
    let Some(shop) = Workshop::open() else { return };
    shop.make(&["chain", "fleet"]);
    let path = shop.bundle("1.0.0", "fleet", &[]);
    shop.make(&["revoke", "fleet"]);
    let error = checked(&path, &shop.keyring(&["fleet-root.crt", "fleet.crl"])).unwrap_err();
    assert!(error.to_string().ends_with("the certificate was revoked"), "{error}");
}

#[test]
fn another_key_is_not_trusted() {
    let Some(shop) = Workshop::open() else { return };
    shop.make(&["key", "own"]);
    shop.make(&["key", "other"]);
    let path = shop.bundle("1.0.0", "other", &[]);
    let error = checked(&path, &shop.keyring(&["own.crt"])).unwrap_err().to_string();
    assert!(error.contains("signed by CN=other, whom this host does not trust"), "{error}");
}

#[test]
fn a_certificate_for_another_purpose_signs_no_images() {
    let Some(shop) = Workshop::open() else { return };
    shop.make(&["key", "web", "serverAuth"]);
    let path = shop.bundle("1.0.0", "web", &[]);
    let error = checked(&path, &shop.keyring(&["web.crt"])).unwrap_err().to_string();
    assert!(error.contains("not for signing code"), "{error}");
}

#[test]
fn certificates_have_their_time() {
    let Some(shop) = Workshop::open() else { return };
    shop.make(&["key", "own"]);
    shop.make(&["chain", "fleet"]);
    for (key, ring) in [("own", "own.crt"), ("fleet", "fleet-root.crt")] {
        let (path, keyring) = (shop.bundle("1.0.0", key, &[]), shop.keyring(&[ring]));
        let at = |time| {
            verify(&mut File::open(&path).unwrap(), &keyring, time)
                .map_err(|error| error.to_string())
        };
        assert!(at(now()).is_ok());
        assert!(
            at(now() + 11 * YEAR).unwrap_err().contains("the certificate has expired (20"),
            "{key}"
        );
        assert!(at(now() - YEAR).unwrap_err().contains("not valid yet"), "{key}");
    }
}

#[test]
fn a_bundle_that_was_cut_off_says_so() {
    let Some(shop) = Workshop::open() else { return };
    shop.make(&["key", "own"]);
    let (path, keyring) = (shop.bundle("1.0.0", "own", &[]), shop.keyring(&["own.crt"]));
    let half = refusal(&path, &keyring, |bytes| bytes.truncate(bytes.len() / 2));
    assert!(half.contains("the rest is missing"), "{half}");
    for missing in [1, 7, 8, 9, 1000] {
        let end = refusal(&path, &keyring, |bytes| bytes.truncate(bytes.len() - missing));
        assert!(
            end.contains("no whole RAUC bundle") || end.contains("signature"),
            "{missing}: {end}"
        );
    }
    for size in [0, 3, 8, 60] {
        refusal(&path, &keyring, |bytes| bytes.truncate(size));
    }
}

#[test]
fn one_altered_byte_is_found_wherever_it_is() {
    let Some(shop) = Workshop::open() else { return };
    shop.make(&["key", "own"]);
    let (path, keyring) = (shop.bundle("1.0.0", "own", &[]), shop.keyring(&["own.crt"]));
    let length = fs::metadata(&path).unwrap().len();
    let flip = |at: usize| refusal(&path, &keyring, |bytes| bytes[at] ^= 1);
    assert!(flip(5_000).contains("not what was signed: from byte 4096 on"), "{}", flip(5_000));
    // Only the payload and its tree: the signature has a test of its own.
    let step = usize::try_from(length - 8_000).unwrap() / 97;
    (0..97).for_each(|part| drop(flip(part * step)));
}

#[test]
fn whatever_byte_of_the_signature_is_altered_it_never_vouches_for_something_else() {
    let Some(shop) = Workshop::open() else { return };
    shop.make(&["key", "own"]);
    let (path, keyring) =
        (shop.bundle("1.0.0", "own", &["verity", "5000"]), shop.keyring(&["own.crt"]));
    let good = checked(&path, &keyring).unwrap();
    let bytes = fs::read(&path).unwrap();
    let size = u64::from_be_bytes(bytes[bytes.len() - 8..].try_into().unwrap());
    let mut accepted = 0;
    for at in bytes.len() - 8 - usize::try_from(size).unwrap()..bytes.len() {
        let mut harmed = bytes.clone();
        harmed[at] ^= 1;
        // The signature does not cover the version numbers and the like around it. Changing them
        // changes nothing.
        if let Ok(bundle) = verify(&mut std::io::Cursor::new(harmed), &keyring, now()) {
            accepted += 1;
            assert_eq!(
                (&bundle.version, &bundle.compatible),
                (&good.version, &good.compatible),
                "byte {at}"
            );
        }
    }
    assert!(accepted < 30, "{accepted} bytes do not matter");
}

#[test]
fn a_manifest_cannot_be_put_under_another_signature() {
    let Some(shop) = Workshop::open() else { return };
    shop.make(&["key", "own"]);
    let (path, keyring) = (shop.bundle("1.0.0", "own", &[]), shop.keyring(&["own.crt"]));
    let error = refusal(&path, &keyring, |bytes| {
        let at = bytes.windows(13).rposition(|window| window == b"version=1.0.0").unwrap();
        bytes[at + 8] = b'9';
    });
    assert!(error.contains("altered after signing"), "{error}");
}

#[test]
fn a_hash_tree_that_the_cars_could_not_use_is_refused() {
    let Some(shop) = Workshop::open() else { return };
    shop.make(&["key", "own"]);
    let (path, keyring) = (shop.bundle("1.0.0", "own", &[]), shop.keyring(&["own.crt"]));
    let bytes = fs::read(&path).unwrap();
    let size =
        usize::try_from(u64::from_be_bytes(bytes[bytes.len() - 8..].try_into().unwrap())).unwrap();
    let error = refusal(&path, &keyring, |bytes| {
        let last_of_the_tree = bytes.len() - 8 - size - 1;
        bytes[last_of_the_tree] ^= 1;
    });
    assert!(error.contains("hash tree"), "{error}");
}

#[test]
fn other_formats_are_refused_with_advice() {
    let Some(shop) = Workshop::open() else { return };
    shop.make(&["key", "own"]);
    let plain = shop.bundle("1.0.0", "own", &["plain"]);
    let error = checked(&plain, &shop.keyring(&["own.crt"])).unwrap_err().to_string();
    assert!(error.contains("format `plain`") && error.contains("format=verity"), "{error}");
    fs::write(shop.path("photo"), b"\xff\xd8\xff").unwrap();
    let error = checked(&shop.path("photo"), &shop.keyring(&["own.crt"])).unwrap_err().to_string();
    assert!(error.contains("does not begin with a squashfs"), "{error}");
}

#[test]
fn a_version_that_is_none_is_refused() {
    let Some(shop) = Workshop::open() else { return };
    shop.make(&["key", "own"]);
    let path = shop.bundle("2026-11-22", "own", &[]);
    let error = checked(&path, &shop.keyring(&["own.crt"])).unwrap_err().to_string();
    assert!(error.contains("\"2026-11-22\"") && error.contains("semantic version"), "{error}");
}

#[test]
fn a_keyring_without_certificates_says_so() {
    let error = |pem: &str| Keyring::from_pem(pem.as_bytes()).unwrap_err().to_string();
    assert!(error("").contains("no certificate"));
    assert!(
        error("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            .contains("certificate 1")
    );
}
