//! The watcher with the real kernel; each test has a network namespace of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use futures_util::FutureExt;
use rccar_interfaces::{Interface, Medium, Network, Networks, NetworksWatcher, Watcher};
use std::process::Command;
use std::task::Poll;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);
/// How many changes the test waits for. For each, it breaks off one more wait than for the change
/// before: a reading takes the time of some of these.
const CHANGES: u32 = 30;
/// How many pairs of interfaces are added: each interface takes about 1 kB of the kernel's answer,
/// and one part of the answer has at most 32 kB.
const PAIRS: u32 = 20;
/// Half of the pause before another connection to the kernel: a watcher that lost its connection
/// is later than this.
const NO_PAUSE: Duration = Duration::from_millis(500);
const MARKER: &str = "RCCAR_UPLINK_NAMESPACE";

/// Runs this test once more inside a new network namespace, and there runs the story.
fn inside(story: impl AsyncFnOnce(&mut Watcher)) {
    let Ok(marker) = std::env::var(MARKER) else { return run_inside() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { story(&mut Watcher::new()).await });
    std::fs::write(marker, "told").unwrap();
}

fn run_inside() {
    let allowed = Command::new("unshare")
        .args(["--net", "true"])
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    if !allowed.success() {
        rccar_require::skip("uplink", "without root there is no network namespace");
        return;
    }
    let thread = std::thread::current();
    let name = thread
        .name()
        .filter(|name| *name != "main")
        .expect("the test runs in a thread of its name");
    let marker =
        std::env::temp_dir().join(format!("rccar-interfaces-{}-{name}", std::process::id()));
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
    let status =
        Command::new("ip").args(arguments.split(' ')).status().expect("iproute2 is installed");
    assert!(status.success(), "ip {arguments}");
}

fn named<'a>(interfaces: &'a [Interface], name: &str) -> Option<&'a Interface> {
    interfaces.iter().find(|interface| interface.name == name)
}

/// Waits for a snapshot that fulfils `wanted`.
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

/// Lets the other tasks run once, without the runtime looking for news of the kernel: they get no
/// answer from it before this returns.
async fn give_way() {
    let mut given = false;
    std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut given, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
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
        let metric = |interfaces: &[Interface], name: &str| {
            named(interfaces, name).and_then(Interface::default_metric)
        };
        until(watcher, |all| metric(all, "up0") == Some(100) && metric(all, "up1") == Some(200))
            .await;
        ip("route del default dev up0");
        until(watcher, |all| metric(all, "up0").is_none() && metric(all, "up1") == Some(200)).await;
        ip("link set up1-far down");
        until(watcher, |all| named(all, "up1").is_some_and(|uplink| !uplink.up)).await;
        ip("link del up1");
        until(watcher, |all| named(all, "up1").is_none()).await;
        ip("addr add 192.0.2.8/24 dev up0");
        let second: std::net::IpAddr = "192.0.2.8".parse().unwrap();
        until(watcher, |all| {
            named(all, "up0").is_some_and(|uplink| uplink.addresses.contains(&second))
        })
        .await;
    });
}

#[test]
fn an_address_counts_when_it_has_been_found_unique_and_not_before() {
    inside(async |watcher| {
        add_uplink("up0", "192.0.2.7", "192.0.2.1", 100);
        ip("addr add 2001:db8::7/64 dev up0");
        let wanted: std::net::IpAddr = "2001:db8::7".parse().unwrap();
        let settled = until(watcher, |all| {
            named(all, "up0").is_some_and(|uplink| uplink.addresses.contains(&wanted))
        })
        .await;
        let uplink = named(&settled, "up0").unwrap();
        assert!(!uplink.outside_addresses().contains(&wanted), "there is no IPv6 route");
        assert!(
            !uplink.addresses.iter().any(|address| address.to_string().starts_with("fe80")),
            "{uplink:?}"
        );
    });
}

#[test]
fn after_more_announcements_than_fit_the_end_is_known() {
    inside(async |watcher| {
        add_uplink("up0", "192.0.2.7", "192.0.2.1", 100);
        watcher.next().await;
        // The runtime's only thread writes this and waits for `ip`. Meanwhile nothing reads the
        // kernel's announcements.
        let lines: String = (0..20_000)
            .map(|n| {
                format!(
                    "route {} 10.{}.{}.0/24 dev up0\n",
                    if n % 2 == 0 { "add" } else { "del" },
                    n / 2 / 200,
                    n / 2 % 200
                )
            })
            .collect();
        let batch =
            std::env::temp_dir().join(format!("rccar-interfaces-batch-{}", std::process::id()));
        std::fs::write(&batch, lines + "route del default dev up0\n").unwrap();
        ip(&format!("-batch {}", batch.display()));
        std::fs::remove_file(batch).unwrap();
        until(watcher, |all| {
            named(all, "up0").is_some_and(|uplink| uplink.default_metric().is_none())
        })
        .await;
    });
}

#[test]
fn waits_that_are_broken_off_lose_nothing_and_cost_no_pause() {
    inside(async |_| {
        // In a task: the future that blocks the runtime would run only after the kernel's answer.
        tokio::spawn(break_off_waits()).await.unwrap();
    });
}

async fn break_off_waits() {
    let watcher = &mut Watcher::new();
    add_uplink("up0", "192.0.2.7", "192.0.2.1", 100);
    // With these the kernel's answer has several parts, and it is busy until the last is read.
    (0..PAIRS).for_each(|n| ip(&format!("link add more{n} type veth peer name far{n}")));
    watcher.next().await;
    for turns in 0..CHANGES {
        let metric = 101 + turns;
        ip(&format!("route add default via 192.0.2.1 dev up0 metric {metric}"));
        ip(&format!("route del default dev up0 metric {}", metric - 1));
        let is_new = |all: &[Interface]| {
            named(all, "up0").and_then(Interface::default_metric) == Some(metric)
        };
        let changed = Instant::now();
        let mut seen = false;
        for _ in 0..turns {
            tokio::task::yield_now().await;
            seen |= watcher.next().now_or_never().is_some_and(|all| is_new(&all));
        }
        give_way().await;
        if !seen {
            until(watcher, is_new).await;
        }
        assert!(
            changed.elapsed() < NO_PAUSE,
            "after {turns} turns it took {:?}",
            changed.elapsed()
        );
    }
}

fn network(text: &str) -> Network {
    let (address, prefix) = text.split_once('/').unwrap();
    (address.parse().unwrap(), prefix.parse().unwrap())
}

async fn until_near(watcher: &mut NetworksWatcher, wanted: impl Fn(&Networks) -> bool) -> Networks {
    let look = async {
        loop {
            let networks = watcher.next().await;
            if wanted(&networks) {
                return networks;
            }
        }
    };
    tokio::time::timeout(PATIENCE, look).await.expect("the networks become what they should")
}

#[test]
fn row_6_own_addresses_and_neighbours_are_followed() {
    inside(async |_| {
        let mut watcher = NetworksWatcher::new();
        ip("link set lo up");
        add_uplink("up0", "192.0.2.7", "192.0.2.1", 100);
        ip("addr add 2001:db8::7/64 dev up0 nodad");
        ip("addr add 10.9.0.1 peer 10.9.0.2 dev up0");
        let (own, links) = (
            ["127.0.0.0/8", "192.0.2.7/32", "2001:db8::7/128", "10.9.0.1/32"],
            ["192.0.2.0/24", "2001:db8::/64", "10.9.0.2/32"],
        );
        let networks = until_near(&mut watcher, |near| {
            own.iter().all(|text| near.own.contains(&network(text)))
                && links.iter().all(|text| near.links.contains(&network(text)))
        })
        .await;
        let default = network("0.0.0.0/0");
        assert!(!networks.links.contains(&default), "it has a gateway");
        assert!(!networks.own.contains(&network("192.0.2.1/32")));

        // Networks on the link without an address in them, in a table of their own and by several
        // ways; and what goes through a router is no neighbour.
        ip("route add 198.51.100.0/24 dev up0 table 100");
        ip("route add 203.0.113.0/24 via 192.0.2.1");
        ip("route add 203.0.113.0/25 nexthop via 192.0.2.1 nexthop dev up0");
        ip("route add local 198.18.0.0/15 dev lo");
        let networks = until_near(&mut watcher, |near| {
            near.links.contains(&network("198.51.100.0/24"))
                && near.links.contains(&network("203.0.113.0/25"))
                && near.own.contains(&network("198.18.0.0/15"))
        })
        .await;
        assert!(!networks.links.contains(&network("203.0.113.0/24")));

        ip("addr del 192.0.2.7/24 dev up0");
        until_near(&mut watcher, |near| {
            !near.own.contains(&network("192.0.2.7/32"))
                && !near.links.contains(&network("192.0.2.0/24"))
        })
        .await;
    });
}
