//! The client with Debian's RAUC.
//!
//! An installation needs the device mapper: the tests that boot the image cover it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod system;

use rccar_rauc::{BootStatus, Mark, RaucError};
use system::TestRauc;

async fn start() -> Option<TestRauc> {
    let started = TestRauc::start().await.unwrap();
    if started.is_none() {
        rccar_require::skip("rauc", "there is no `rauc` here; ci/setup installs it");
    }
    started
}

#[tokio::test]
async fn slots_are_told_and_marked() {
    let Some(system) = start().await else { return };
    let rauc = system.client();
    assert_eq!(
        (rauc.compatible().await.unwrap(), rauc.booted().await.unwrap()),
        ("rccar-test".into(), "A".into())
    );
    assert_eq!(rauc.primary().await.unwrap(), "rootfs.0");
    let mut slots = rauc.slots().await.unwrap();
    slots.sort_by(|one, other| one.name.cmp(&other.name));
    let told: Vec<_> = slots
        .iter()
        .map(|slot| (slot.bootname.as_deref(), slot.booted, slot.boot_status))
        .collect();
    assert_eq!(
        told,
        [(Some("A"), true, Some(BootStatus::Good)), (Some("B"), false, Some(BootStatus::Bad))]
    );

    rauc.mark(Mark::Bad).await.unwrap();
    assert_eq!(system.bootloader("state-A").unwrap(), "bad");
    rauc.mark(Mark::Good).await.unwrap();
    assert_eq!(system.bootloader("state-A").unwrap(), "good");
}

#[tokio::test]
async fn a_bundle_is_inspected_and_one_by_another_key_refused() {
    let Some(system) = start().await else { return };
    let bundle = system.bundle("1.2.3-dev.4", "good").await.unwrap();
    match system.client().inspect(bundle.to_str().unwrap()).await {
        Ok(bundle) => {
            assert_eq!(
                (bundle.compatible.as_str(), bundle.version.as_str()),
                ("rccar-test", "1.2.3-dev.4")
            );
            assert_eq!(bundle.manifest_hash.map(|hash| hash.len()), Some(64));
        }
        Err(error) if error.is_unsupported() => {
            rccar_require::skip(
                "rauc-inspect",
                "this RAUC is older than 1.9 and cannot inspect bundles",
            );
            return;
        }
        Err(error) => panic!("{error}"),
    }
    let foreign = system.bundle("1.2.3", "other").await.unwrap();
    let error = system.client().inspect(foreign.to_str().unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("signature verification failed"), "{error}");
}

#[tokio::test]
async fn a_failed_installation_tells_why() {
    let Some(system) = start().await else { return };
    let foreign = system.bundle("1.2.3", "other").await.unwrap();
    let error = system.client().install(foreign.to_str().unwrap(), None, |_| {}).await.unwrap_err();
    assert!(
        matches!(
            &error,
            RaucError::Refused(text) if text.contains("signature verification failed")
        ),
        "{error}"
    );
    let missing =
        system.client().install("/nonexistent.raucb", None, |_| {}).await.unwrap_err().to_string();
    assert!(missing.contains("nonexistent"), "{missing}");
}

#[tokio::test]
async fn an_absent_service_is_told_as_such() {
    let Some(mut system) = start().await else { return };
    system.kill().await.unwrap();
    let rauc = system.another_client().await.unwrap();
    assert!(matches!(rauc.slots().await, Err(RaucError::Absent)));
    assert!(matches!(rauc.install("/a.raucb", None, |_| {}).await, Err(RaucError::Absent)));
}
