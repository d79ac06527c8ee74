//! Sticks that look like Ethernet: the supervisor, and a stick that is made of an interface, a DHCP
//! server and a driver's name.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod common;

use common::{PATIENCE, Supervisor, await_report, await_within, set_car};
use rccar_modem::bus::{Report, StickReport};
use rccar_modem_lab::{Lab, STICK_INTERFACE, Setup, story};
use std::process::Command;
use std::time::{Duration, Instant};

fn stick(report: &Report) -> StickReport {
    report.sticks.first().cloned().unwrap_or_default()
}

fn climbed(report: &Report, rung: &str) -> u64 {
    stick(report).climbed.get(rung).copied().unwrap_or(0)
}

async fn await_up(lab: &Lab) -> Report {
    await_report(lab, "the stick is up", |report| stick(report).state == "up").await
}

#[test]
#[ignore = "needs namespaces and a Debian root: run ci/modem"]
fn a_stick_comes_up_with_addresses_and_routes_and_goes_with_them() {
    story(Setup::Stick, async |lab| {
        lab.start_dhcp(&[]).await;
        let _supervisor = Supervisor::start(lab, "");
        await_up(lab).await;
        let report =
            await_report(lab, "has both families", |report| stick(report).addresses.len() == 2)
                .await;
        let StickReport { interface, driver, addresses, .. } = stick(&report);
        assert_eq!((interface.as_str(), driver.as_str()), (STICK_INTERFACE, "cdc_ether"));
        assert!(
            addresses[0].starts_with("192.168.8.5") && addresses[1].starts_with("2001:db8:9:"),
            "{report:?}"
        );
        assert_eq!(
            (report.state.as_str(), report.interface.as_deref()),
            ("up", Some(STICK_INTERFACE)),
            "it stands for the modem"
        );
        let (four, six) = (lab.ip_says("route show default"), lab.ip_says("-6 route show default"));
        assert!(four.contains("via 192.168.8.1") && four.contains("metric 701"), "{four}");
        assert!(six.contains("proto ra metric 701"), "{six}");
        lab.await_ping("198.51.100.1");
        lab.await_ping("2001:db8:53::1");
        let mut status = Command::new(env!("CARGO_BIN_EXE_rccar-modem"));
        let told = status.arg("status").env("DBUS_SYSTEM_BUS_ADDRESS", lab.bus()).output().unwrap();
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(
            told.lines().any(|line| line.starts_with("stick") && line.contains("(cdc_ether)  up")),
            "{told}"
        );

        lab.plug_stick(false);
        await_report(lab, "is not missed", |report| report.sticks.is_empty()).await;
        lab.plug_stick(true);
        lab.start_dhcp(&[]).await;
        await_up(lab).await;
        lab.await_ping("198.51.100.1");
    });
}

#[test]
#[ignore = "needs namespaces and a Debian root: run ci/modem"]
fn a_stick_whose_network_dies_silently_is_found_within_5_s_and_brought_back() {
    story(Setup::Stick, async |lab| {
        lab.start_dhcp(&[]).await;
        let _supervisor = Supervisor::start(lab, "");
        set_car_when_it_listens(lab).await;
        await_up(lab).await;
        // The stick itself still answers, also to DHCP.
        lab.be_lonely(true);
        let lost = Instant::now();
        await_report(lab, "finds it", |report| stick(report).state != "up").await;
        assert!(lost.elapsed() <= Duration::from_secs(5), "{:?}", lost.elapsed());
        assert!(lab.pings("192.168.8.1"), "the address stays");
        let report =
            await_report(lab, "cycles the link", |report| climbed(report, "cycle-bearer") == 1)
                .await;
        println!(
            "silent stick: link cycled after {:?}, {:?}",
            lost.elapsed(),
            stick(&report).climbed
        );
        lab.be_lonely(false);
        let report = await_up(lab).await;
        assert_eq!(climbed(&report, "cycle-usb"), 0, "{report:?}");
        lab.await_ping("198.51.100.1");
    });
}

#[test]
#[ignore = "needs namespaces and a Debian root: run ci/modem"]
fn a_stick_that_hangs_is_taken_off_the_usb_after_three_minutes_and_comes_back() {
    story(Setup::Stick, async |lab| {
        lab.start_dhcp(&[]).await;
        let _supervisor = Supervisor::start(lab, "");
        set_car_when_it_listens(lab).await;
        await_up(lab).await;
        // Nothing answers any more, also not DHCP.
        lab.swallow(true);
        let hung = Instant::now();
        let patience = PATIENCE * 2;
        await_within(lab, patience, "takes it off the USB", |report| {
            climbed(report, "cycle-usb") == 1
        })
        .await;
        assert!(hung.elapsed() >= Duration::from_secs(170), "{:?}", hung.elapsed());
        let limit = Instant::now() + Duration::from_secs(5);
        while lab.is_authorized() {
            assert!(Instant::now() < limit, "it is not taken off the USB");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        lab.plug_stick(false);
        let limit = Instant::now() + Duration::from_secs(15);
        while !lab.is_authorized() {
            assert!(Instant::now() < limit, "it is not given back");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        lab.plug_stick(true);
        lab.swallow(false);
        lab.start_dhcp(&[]).await;
        let report = await_up(lab).await;
        println!("hung stick: up after {:?}, {:?}", hung.elapsed(), stick(&report).climbed);
        lab.await_ping("198.51.100.1");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_whose_network_port_has_a_sticks_driver_is_a_modem_and_no_stick() {
    story(Setup::Ublox, async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "");
        await_report(lab, "is up", |report| report.state == "up").await;
        // Long enough for the supervisor to find a stick.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let report = await_report(lab, "tells", |_| true).await;
        assert_eq!(
            (report.sticks.len(), report.interface.as_deref()),
            (0, Some("wwan0")),
            "{report:?}"
        );
        assert_eq!(report.addresses, ["10.64.0.2"]);
    });
}

async fn set_car_when_it_listens(lab: &Lab) {
    await_report(lab, "listens", |_| true).await;
    set_car(lab, true, false).await;
}
