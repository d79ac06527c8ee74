//! Bearers whose addresses come by DHCP and advertisements: the supervisor, the real ModemManager,
//! a real DHCP server and a router.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Supervisor, await_report, await_up, climbed, report, set_car};
use rccar_modem_lab::{Addresses, Lab, Setup, story};
use std::time::{Duration, Instant};

/// Options for leases that are renewed every few seconds, although they last two minutes.
const SOON: [&str; 2] = ["--dhcp-option=option:T1,5s", "--dhcp-option=option:T2,10s"];

async fn until(what: &str, limit: Duration, condition: impl Fn() -> bool) {
    let end = Instant::now() + limit;
    while !condition() {
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn has_mtu(lab: &Lab, mtu: u32) -> bool {
    lab.ip_says("link show dev wwan0").contains(&format!("mtu {mtu} "))
}

fn address(lab: &Lab) -> Option<String> {
    lab.ip_says("-4 -o addr show dev wwan0").split_whitespace().nth(3).map(str::to_owned)
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_bearer_that_has_to_ask_gets_addresses_routes_and_mtu_of_both_families_and_goes_with_them() {
    story(Setup::mbim_asked(), async |lab| {
        lab.start_with_modem().await;
        lab.start_dhcp(&["--dhcp-option=option:mtu,1380"]).await;
        let _supervisor = Supervisor::start(lab, "");
        await_up(lab).await;
        let report =
            await_report(lab, "has both families", |report| report.addresses.len() == 2).await;
        assert_eq!(
            (report.interface.as_deref(), climbed(&report, "reconnect")),
            (Some("wwan0"), 1)
        );
        assert!(
            report.addresses[0].starts_with("10.64.0.5")
                && report.addresses[1].starts_with("2001:db8:9:"),
            "{report:?}"
        );
        let (four, six) = (lab.ip_says("route show default"), lab.ip_says("-6 route show default"));
        assert!(four.contains("via 10.64.0.1 dev wwan0") && four.contains("metric 700"), "{four}");
        assert!(six.contains("via fe80::") && six.contains("proto ra metric 700"), "{six}");
        assert!(has_mtu(lab, 1380), "{}", lab.ip_says("link show dev wwan0"));
        lab.await_ping("198.51.100.1");
        lab.await_ping("2001:db8:53::1");

        lab.mbim().refuse(2);
        lab.mbim().deactivate(0);
        let report = await_report(lab, "waits", |report| report.state == "waiting").await;
        assert_eq!((report.interface, report.addresses.len()), (None, 0));
        assert_eq!(lab.ip_says("-o addr show dev wwan0 scope global"), "");
        assert_eq!(
            (lab.ip_says("route show default"), lab.ip_says("-6 route show default")),
            (String::new(), String::new())
        );
        await_up(lab).await;
        await_report(lab, "has both families again", |report| report.addresses.len() == 2).await;
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_lease_is_renewed_and_what_the_server_changes_is_applied() {
    story(Setup::mbim_asked(), async |lab| {
        lab.start_with_modem().await;
        lab.start_dhcp(&SOON).await;
        let _supervisor = Supervisor::start(lab, "ip_type = \"ipv4\"");
        await_up(lab).await;
        assert!(has_mtu(lab, 1280), "the network gives none");
        until("the lease is renewed", Duration::from_secs(30), || lab.dhcp_says("DHCPACK") >= 3)
            .await;
        lab.start_dhcp(&[SOON[0], SOON[1], "--dhcp-option=option:mtu,1400"]).await;
        until("the new MTU is there", Duration::from_secs(90), || has_mtu(lab, 1400)).await;
        let report = report(lab).await.unwrap();
        assert_eq!((report.state.as_str(), climbed(&report, "reconnect")), ("up", 1), "{report:?}");
        lab.await_ping("198.51.100.1");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_server_that_vanishes_costs_the_link_with_the_lease_and_the_link_returns_with_it() {
    story(Setup::mbim_asked(), async |lab| {
        lab.start_with_modem().await;
        lab.start_dhcp(&SOON).await;
        let _supervisor = Supervisor::start(lab, "ip_type = \"ipv4\"");
        await_up(lab).await;
        lab.stop_dhcp().await;
        let stopped = Instant::now();
        await_report(lab, "loses it", |report| report.state != "up").await;
        // Data flows as long as the lease lasts.
        assert!(stopped.elapsed() > Duration::from_secs(100), "{:?}", stopped.elapsed());
        assert_eq!(lab.ip_says("-4 -o addr show dev wwan0"), "");
        lab.start_dhcp(&[]).await;
        let report = await_up(lab).await;
        assert_eq!(climbed(&report, "reset") + climbed(&report, "restart-daemon"), 0, "{report:?}");
        lab.await_ping("198.51.100.1");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_bearer_without_a_server_fails_and_is_tried_again() {
    story(Setup::mbim_asked(), async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "ip_type = \"ipv4\"");
        let report =
            await_report(lab, "tries again", |report| climbed(report, "reconnect") >= 2).await;
        assert_eq!(report.addresses.len(), 0, "{report:?}");
        lab.start_dhcp(&[]).await;
        await_up(lab).await;
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_bearer_of_ipv6_alone_lives_on_what_its_router_advertises() {
    story(Setup::mbim_asked(), async |lab| {
        lab.start_with_modem().await;
        lab.start_dhcp(&[]).await;
        let _supervisor = Supervisor::start(lab, "ip_type = \"ipv6\"");
        let first = await_up(lab).await;
        assert!(
            first.addresses.len() == 1 && first.addresses[0].starts_with("2001:db8:9:"),
            "{first:?}"
        );
        set_car(lab, true, false).await;
        lab.await_ping("2001:db8:53::1");
        // Long enough for three probes without an answer.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let report = report(lab).await.unwrap();
        assert_eq!(
            (report.state.as_str(), report.climbed),
            ("up", first.climbed),
            "probes are answered"
        );
        lab.swallow(true);
        await_report(lab, "finds the silence", |report| climbed(report, "cycle-bearer") == 1).await;
        lab.swallow(false);
        await_up(lab).await;
        lab.await_ping("2001:db8:53::1");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_lease_is_given_back_with_the_link() {
    story(Setup::mbim_asked(), async |lab| {
        lab.start_with_modem().await;
        lab.start_dhcp(&[]).await;
        let _supervisor = Supervisor::start(lab, "ip_type = \"ipv4\"");
        await_up(lab).await;
        set_car(lab, true, false).await;
        assert_eq!(lab.dhcp_says("DHCPRELEASE"), 0);
        lab.be_lonely(true);
        until("the lease is given back", Duration::from_secs(10), || {
            lab.dhcp_says("DHCPRELEASE") == 1
        })
        .await;
        lab.be_lonely(false);
        await_up(lab).await;
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_supervisor_that_is_started_anew_keeps_the_address_while_it_asks() {
    story(Setup::mbim_asked(), async |lab| {
        lab.start_with_modem().await;
        lab.start_dhcp(&[]).await;
        let first = Supervisor::start(lab, "ip_type = \"ipv4\"");
        await_up(lab).await;
        drop(first);
        let before = address(lab);
        assert!(
            before.as_deref().is_some_and(|address| address.starts_with("10.64.0.5")),
            "{before:?}"
        );
        lab.stop_dhcp().await;
        let _second = Supervisor::start(lab, "ip_type = \"ipv4\"");
        await_report(lab, "asks", |report| report.state == "acting").await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(address(lab), before);
        assert!(lab.pings("198.51.100.1"), "data flows on");
        lab.start_dhcp(&[]).await;
        await_up(lab).await;
        assert_eq!(address(lab), before, "the server knows it");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn what_the_kernel_refuses_of_a_bearer_costs_nothing_else() {
    story(Setup::mbim_dual(), async |lab| {
        // A multicast address is nobody's own, and no interface takes such packets.
        let addresses = Addresses {
            ip6: Some("ff0e::7".parse().unwrap()),
            mtu: 70_000,
            ..Addresses::default()
        };
        lab.mbim().addresses(addresses);
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "");
        let report = await_up(lab).await;
        assert_eq!(
            (climbed(&report, "reconnect"), report.addresses),
            (1, vec![addresses.ip4.to_string()])
        );
        assert!(has_mtu(lab, 1500), "{}", lab.ip_says("link show dev wwan0"));
        lab.await_ping("198.51.100.1");
    });
}
