//! RAUC's own streaming helper with the proxy, and a host whose link breaks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;
#[path = "../../../adapters/rauc/tests/system/mod.rs"]
mod system;

use common::{Fault, Host, PATH, Tokens};
use rccar_update::http::HostClient;
use rccar_update::proxy::{Gate, Proxy};
use rccar_update_core::Traffic;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use system::TestRauc;

#[tokio::test]
async fn rauc_reads_a_bundle_through_a_link_that_breaks() {
    let Some(rauc) = TestRauc::start().await.unwrap() else {
        rccar_require::skip("rauc", "there is no `rauc` here; ci/setup installs it");
        return;
    };
    let bundle = std::fs::read(rauc.bundle("1.2.3", "good").await.unwrap()).unwrap();
    let host = Host::start(0).await;
    let size = bundle.len() as u64;
    host.with(|inner| inner.bundle = bundle);
    for fault in [Fault::CutAfter(1), Fault::Status(503), Fault::Late(Duration::from_millis(300))] {
        host.fault(fault);
    }
    let tokens = Tokens { url: host.url.clone(), tokens: Mutex::new(["old", "first"].into()) };
    let gate = Gate::default();
    gate.set(Traffic::Flow { budget: None });
    let client = HostClient::new(Arc::new(tokens)).unwrap();
    let proxy = Proxy::start(client, PATH, size, gate.clone()).await.unwrap();
    match rauc.client().inspect(proxy.url()).await {
        Ok(bundle) => assert_eq!(
            (bundle.compatible.as_str(), bundle.version.as_str()),
            ("rccar-test", "1.2.3")
        ),
        Err(error) if error.is_unsupported() => {
            rccar_require::skip(
                "rauc-inspect",
                "this RAUC is older than 1.9 and cannot inspect bundles",
            );
            return;
        }
        Err(error) => panic!("{error}"),
    }
    assert_eq!(gate.ended(), None);
    assert!(
        gate.total() < size,
        "the manifest is at the end: {} of {size} bytes were read",
        gate.total()
    );

    // If the bundle is gone, RAUC fails at once, and the gate knows the reason.
    host.with(|inner| inner.always = Some(Fault::Status(404)));
    rauc.client().inspect(proxy.url()).await.unwrap_err();
    assert_eq!(gate.ended().as_deref(), Some("the host does not have the bundle any more"));
}
