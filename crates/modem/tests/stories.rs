//! The supervisor, the real ModemManager and a modem to which everything happens. Each story asserts the rung that was taken and the time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod common;

use common::{Supervisor, await_report, await_up, climbed, report, set_car};
use rccar_modem_lab::{Addresses, Registration, Setup, story};
use std::time::{Duration, Instant};

fn runs() -> u32 {
    std::env::var("RCCAR_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(20)
}

fn spread(what: &str, mut times: Vec<Duration>) -> Duration {
    times.sort();
    let worst = *times.last().unwrap();
    println!("{what}: {} runs, median {:?}, worst {worst:?}", times.len(), times[times.len() / 2]);
    worst
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn the_link_comes_up_with_addresses_routes_and_mtu_and_goes_with_them() {
    story(Setup::mbim_dual(), async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "");
        let report = await_up(lab).await;
        assert_eq!((report.interface.as_deref(), report.addresses.len()), (Some("wwan0"), 2));
        assert_eq!((report.registration.as_deref(), climbed(&report, "reconnect")), (Some("home"), 1));
        // Both families have a default route.
        lab.await_ping("198.51.100.1");
        lab.await_ping("2001:db8:53::1");
        lab.mbim().refuse(2);
        lab.mbim().deactivate(0);
        let report = await_report(lab, "waits", |report| report.state == "waiting").await;
        assert_eq!((report.interface, report.addresses.len()), (None, 0));
        let report = await_up(lab).await;
        assert_eq!(climbed(&report, "reconnect"), 4, "{report:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_bearer_that_is_dropped_with_an_indication_is_asked_for_again_within_200_ms() {
    let mut times = Vec::new();
    // A new supervisor each time: one link that is lost again and again is tried with growing pauses.
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        for _ in 0..runs() {
            let _supervisor = Supervisor::start(lab, "");
            await_up(lab).await;
            let before = lab.mbim().counters().connects;
            // The indication is the last thing that this does.
            lab.mbim().deactivate(0);
            let told = Instant::now();
            while lab.mbim().counters().connects == before {
                assert!(told.elapsed() < Duration::from_secs(10), "{:?}", report(lab).await);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // What the emulator does from then on is the emulator's time.
            times.push(lab.mbim().counters().last_connect.unwrap() - told);
            await_up(lab).await;
        }
        let worst = spread("drop with indication until the modem is asked to connect", std::mem::take(&mut times));
        assert!(worst <= Duration::from_millis(200), "{worst:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_silent_loss_is_found_within_5_s_and_cycles_the_bearer() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        let mut times = Vec::new();
        for _ in 0..runs() {
            let _supervisor = Supervisor::start(lab, "");
            await_up(lab).await;
            set_car(lab, true, false).await;
            lab.swallow(true);
            let lost = Instant::now();
            let report = await_report(lab, "finds it", |report| climbed(report, "cycle-bearer") == 1).await;
            times.push(lost.elapsed());
            assert_eq!(climbed(&report, "cycle-radio"), 0);
            lab.swallow(false);
            await_up(lab).await;
        }
        let worst = spread("silent loss until it is acted upon", times);
        assert!(worst <= Duration::from_secs(5), "{worst:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_that_hangs_is_recovered_by_the_ladder_with_no_human_step() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "");
        await_up(lab).await;
        set_car(lab, true, false).await;
        lab.mbim().hang(true);
        lab.swallow(true);
        let hung = Instant::now();
        // It comes to itself when somebody resets it, and not before.
        let report = await_report(lab, "resets it", |report| climbed(report, "reset") > 0).await;
        println!("hung modem: reset after {:?}, {:?}", hung.elapsed(), report.climbed);
        lab.mbim().hang(false);
        lab.swallow(false);
        let report = await_up(lab).await;
        println!("hung modem: up after {:?}, {:?}", hung.elapsed(), report.climbed);
        assert_eq!(climbed(&report, "cycle-usb") + climbed(&report, "reboot"), 0, "{report:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_killed_daemon_costs_no_packet_and_is_restarted() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "");
        await_up(lab).await;
        lab.await_ping("198.51.100.1");
        lab.kill_modem_manager().await;
        let killed = Instant::now();
        await_report(lab, "sees it", |report| !report.modem_manager).await;
        assert!(lab.pings("198.51.100.1"), "the link stays");
        assert_eq!(lab.await_restart_request().await, "ModemManager.service");
        let asked = killed.elapsed();
        assert!((Duration::from_secs(7)..Duration::from_secs(12)).contains(&asked), "{asked:?}");
        assert!(lab.pings("198.51.100.1"), "the link stays");
        lab.start_with_modem().await;
        let report = await_up(lab).await;
        assert_eq!(climbed(&report, "restart-daemon"), 1, "{report:?}");
        assert!(lab.pings("198.51.100.1"));
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_sim_that_is_out_is_named_and_its_return_brings_the_link_back() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "");
        await_up(lab).await;
        lab.mbim().remove_sim();
        let report = await_report(lab, "names it", |report| report.fault.is_some()).await;
        assert!(report.fault.as_deref().unwrap().contains("no SIM"), "{report:?}");
        lab.mbim().insert_sim();
        let report = await_up(lab).await;
        assert_eq!((report.fault.as_deref(), climbed(&report, "reset")), (None, 0), "{report:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_network_that_refuses_is_named_and_the_modem_is_not_reset_for_it() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "");
        await_up(lab).await;
        set_car(lab, true, false).await;
        lab.mbim().register(Registration::Denied);
        lab.swallow(true);
        let report = await_report(lab, "names it", |report| report.fault.is_some()).await;
        assert!(report.fault.as_deref().unwrap().contains("refuses this SIM"), "{report:?}");
        lab.mbim().register(Registration::Home);
        lab.swallow(false);
        let report = await_up(lab).await;
        assert_eq!((climbed(&report, "reset"), climbed(&report, "cycle-radio")), (0, 0), "{report:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn another_address_replaces_the_old_one() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "");
        await_up(lab).await;
        let (ip4, gateway4) = ("10.65.0.7".parse().unwrap(), "10.65.0.1".parse().unwrap());
        lab.mbim().addresses(Addresses { ip4, gateway4, ..Addresses::default() });
        lab.mbim().deactivate(0);
        let report = await_report(lab, "has it", |report| report.addresses == ["10.65.0.7"]).await;
        assert_eq!(report.state, "up");
        lab.await_ping("198.51.100.1");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_wrong_pin_is_sent_once_and_named() {
    story(Setup::mbim(), async |lab| {
        lab.mbim().lock("4321");
        lab.start_modem_manager();
        let _supervisor = Supervisor::start(lab, "pin = \"1111\"");
        let report =
            await_report(lab, "names it", |report| report.fault.as_deref().is_some_and(|fault| fault.contains("PIN"))).await;
        assert_eq!(lab.mbim().counters().pins, 1, "{report:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_that_wants_an_access_point_name_says_so_and_is_not_reset() {
    story(Setup::Ublox, async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start_as(lab, "");
        let report = await_report(lab, "names what is missing", |report| report.fault.is_some()).await;
        assert!(report.fault.as_deref().is_some_and(|fault| fault.contains("modem.apn")), "{report:?}");
        let waits = await_report(lab, "waits for a person", |report| report.state == "waiting").await;
        // One try, and nothing for minutes.
        assert_eq!((climbed(&waits, "reconnect"), waits.climbed.len()), (1, 1), "{waits:?}");
        assert!(waits.due_in_ms.is_some_and(|due| due > 60_000), "{waits:?}");
    });
}
