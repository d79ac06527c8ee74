//! The watcher against the kernel, each story in a network namespace of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

use rccar_uplink::{Interface, Medium, Watcher};
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
const MARKER: &str = "RCCAR_UPLINK_NAMESPACE";

/// Runs this one test once more inside a new network namespace, and the story there.
fn inside(story: impl AsyncFnOnce(&mut Watcher)) {
    let Ok(marker) = std::env::var(MARKER) else { return run_inside() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { story(&mut Watcher::new()).await });
    std::fs::write(marker, "told").unwrap();
}

fn run_inside() {
    let allowed = Command::new("unshare").args(["--net", "true"]).stderr(std::process::Stdio::null()).status().unwrap();
    if !allowed.success() {
        eprintln!("SKIPPED, NOTHING WAS TESTED: without root there is no network namespace");
        return;
    }
    let thread = std::thread::current();
    let name = thread.name().filter(|name| *name != "main").expect("the test runs in a thread of its name");
    let marker = std::env::temp_dir().join(format!("rccar-uplink-{}-{name}", std::process::id()));
    let status = Command::new("unshare")
        .arg("--net")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--quiet", "--test-threads=2"])
        .env(MARKER, &marker)
        .status()
        .unwrap();
    let told = std::fs::remove_file(&marker).is_ok();
    assert!(status.success() && told, "the story failed, see above");
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("iproute2 is installed");
    assert!(status.success(), "ip {arguments}");
}

fn named<'a>(interfaces: &'a [Interface], name: &str) -> Option<&'a Interface> {
    interfaces.iter().find(|interface| interface.name == name)
}

/// Waits for a snapshot that is as wanted.
async fn until(watcher: &mut Watcher, wanted: impl Fn(&[Interface]) -> bool) -> Vec<Interface> {
    let look = async {
        loop {
            let interfaces = watcher.next().await;
            if wanted(&interfaces) {
                return interfaces;
            }
        }
    };
    tokio::time::timeout(PATIENCE, look).await.expect("the interfaces become what they should")
}

fn add_uplink(name: &str, address: &str, gateway: &str, metric: u32) {
    ip(&format!("link add {name} type veth peer name {name}-far"));
    ip(&format!("addr add {address}/24 dev {name}"));
    ip(&format!("link set {name} up"));
    ip(&format!("link set {name}-far up"));
    ip(&format!("route add default via {gateway} dev {name} metric {metric}"));
}

#[test]
fn the_present_state_comes_first() {
    inside(async |watcher| {
        add_uplink("up0", "192.0.2.7", "192.0.2.1", 100);
        let first = watcher.next().await;
        let uplink = named(&first, "up0").unwrap();
        assert_eq!((uplink.default_metric(), uplink.medium), (Some(100), Medium::Ethernet));
        assert_eq!(uplink.outside_addresses(), ["192.0.2.7".parse().unwrap()].into());
        let loopback = named(&first, "lo").unwrap();
        assert_eq!((loopback.medium, loopback.default_metric()), (Medium::Loopback, None));
    });
}

#[test]
fn routes_addresses_and_carriers_are_followed() {
    inside(async |watcher| {
        add_uplink("up0", "192.0.2.7", "192.0.2.1", 100);
        add_uplink("up1", "198.51.100.7", "198.51.100.1", 200);
        let metric = |interfaces: &[Interface], name: &str| named(interfaces, name).and_then(Interface::default_metric);
        until(watcher, |all| metric(all, "up0") == Some(100) && metric(all, "up1") == Some(200)).await;
        ip("route del default dev up0");
        until(watcher, |all| metric(all, "up0").is_none() && metric(all, "up1") == Some(200)).await;
        ip("link set up1-far down");
        until(watcher, |all| named(all, "up1").is_some_and(|uplink| !uplink.up)).await;
        ip("link del up1");
        until(watcher, |all| named(all, "up1").is_none()).await;
        ip("addr add 192.0.2.8/24 dev up0");
        let second: std::net::IpAddr = "192.0.2.8".parse().unwrap();
        until(watcher, |all| named(all, "up0").is_some_and(|uplink| uplink.addresses.contains(&second))).await;
    });
}

#[test]
fn an_address_counts_when_it_has_been_found_unique_and_not_before() {
    inside(async |watcher| {
        add_uplink("up0", "192.0.2.7", "192.0.2.1", 100);
        ip("addr add 2001:db8::7/64 dev up0");
        let wanted: std::net::IpAddr = "2001:db8::7".parse().unwrap();
        let settled = until(watcher, |all| named(all, "up0").is_some_and(|uplink| uplink.addresses.contains(&wanted))).await;
        let uplink = named(&settled, "up0").unwrap();
        assert!(!uplink.outside_addresses().contains(&wanted), "there is no IPv6 route");
        assert!(!uplink.addresses.iter().any(|address| address.to_string().starts_with("fe80")), "{uplink:?}");
    });
}

#[test]
fn after_more_announcements_than_fit_the_end_is_known() {
    inside(async |watcher| {
        add_uplink("up0", "192.0.2.7", "192.0.2.1", 100);
        watcher.next().await;
        // The runtime's only thread writes this and waits for `ip`: nobody reads what the kernel announces meanwhile.
        let lines: String = (0..20_000)
            .map(|n| format!("route {} 10.{}.{}.0/24 dev up0\n", if n % 2 == 0 { "add" } else { "del" }, n / 2 / 200, n / 2 % 200))
            .collect();
        let batch = std::env::temp_dir().join(format!("rccar-uplink-batch-{}", std::process::id()));
        std::fs::write(&batch, lines + "route del default dev up0\n").unwrap();
        ip(&format!("-batch {}", batch.display()));
        std::fs::remove_file(batch).unwrap();
        until(watcher, |all| named(all, "up0").is_some_and(|uplink| uplink.default_metric().is_none())).await;
    });
}
