//! The supervisor, the real ModemManager, and a modem whose network has every trouble that networks
//! have. Each story asserts the rung that was taken and the time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod common;

use common::{
    SOON, Supervisor, await_report, await_up, climbed, heavy, report, runs, set_car, spread,
};
use rccar_modem_lab::{Addresses, Lab, Registration, Setup, story};
use std::time::{Duration, Instant};
use tokio_modem_manager::LocationSources;

/// How long the supervisor waits for a lost registration. ModemManager waits as long; either may be
/// first.
const GRACE: Duration = Duration::from_secs(15);

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn the_link_comes_up_with_addresses_routes_and_mtu_and_goes_with_them() {
    story(Setup::mbim_dual(), async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "");
        let report = await_up(lab).await;
        assert_eq!((report.interface.as_deref(), report.addresses.len()), (Some("wwan0"), 2));
        assert_eq!(
            (report.registration.as_deref(), climbed(&report, "reconnect")),
            (Some("home"), 1)
        );
        // Pings show that both families have a default route.
        lab.await_ping("198.51.100.1");
        lab.await_ping("2001:db8:53::1");
        let default_routes =
            |lab: &Lab| [lab.ip_says("route show default"), lab.ip_says("-6 route show default")];
        assert!(
            default_routes(lab).iter().all(|routes| routes.contains("dev wwan0")),
            "{:?}",
            default_routes(lab)
        );
        assert!(
            lab.ip_says("link show wwan0").contains(" mtu 1430 "),
            "the network's, not a guess"
        );
        lab.mbim().refuse(2);
        lab.mbim().deactivate(0);
        let lost = Instant::now();
        let report = await_report(lab, "waits", |report| report.state == "waiting").await;
        assert_eq!((report.interface, report.addresses.len()), (None, 0));
        assert_eq!(default_routes(lab), ["", ""], "they go with the addresses");
        let report = await_up(lab).await;
        // Two refused tries with 1 s between them, then the radio is switched off for 5 s and on.
        println!("lost and refused twice: up after {:?}, {:?}", lost.elapsed(), report.climbed);
        assert!(lost.elapsed() < Duration::from_secs(20) + SOON, "{:?}", lost.elapsed());
        let rungs = ["reconnect", "cycle-radio"].map(|rung| climbed(&report, rung));
        assert_eq!((rungs, heavy(&report)), ([4, 1], 0), "{report:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_bearer_that_is_dropped_with_an_indication_is_asked_for_again_within_200_ms() {
    let mut times = Vec::new();
    // A new supervisor each time, because pauses grow if one link is lost again and again.
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        for _ in 0..runs() {
            let _supervisor = Supervisor::start(lab, "");
            await_up(lab).await;
            let before = lab.mbim().counters().connects;
            // The time counts from here: the last thing that this does is the indication.
            lab.mbim().deactivate(0);
            let told = Instant::now();
            while lab.mbim().counters().connects == before {
                assert!(told.elapsed() < Duration::from_secs(10), "{:?}", report(lab).await);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // Until the request reaches the emulator: the rest is the emulator's own time.
            times.push(lab.mbim().counters().last_connect.unwrap() - told);
            let report = await_report(lab, "is up again", |report| {
                report.state == "up" && climbed(report, "reconnect") > 1
            })
            .await;
            assert_eq!((climbed(&report, "reconnect"), report.climbed.len()), (2, 1), "{report:?}");
        }
        let worst = spread(
            "drop with indication until the modem is asked to connect",
            std::mem::take(&mut times),
        );
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
            let report =
                await_report(lab, "finds it", |report| climbed(report, "cycle-bearer") == 1).await;
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
fn a_killed_daemon_costs_no_packet_and_is_restarted() {
    story(Setup::mbim(), async |lab| {
        let _supervisor = Supervisor::start_up(lab).await;
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
fn another_address_replaces_the_old_one() {
    story(Setup::mbim(), async |lab| {
        let _supervisor = Supervisor::start_up(lab).await;
        let (ip4, gateway4) = ("10.65.0.7".parse().unwrap(), "10.65.0.1".parse().unwrap());
        lab.mbim().addresses(Addresses { ip4, gateway4, ..Addresses::default() });
        lab.mbim().deactivate(0);
        let lost = Instant::now();
        let report = await_report(lab, "has it", |report| report.addresses == ["10.65.0.7"]).await;
        assert!(lost.elapsed() < SOON, "{:?}", lost.elapsed());
        assert_eq!(
            (report.state.as_str(), climbed(&report, "reconnect"), report.climbed.len()),
            ("up", 2, 1),
            "{report:?}"
        );
        lab.await_ping("198.51.100.1");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_registration_that_is_lost_is_waited_out_for_15_s_and_the_link_is_back_with_it() {
    story(Setup::mbim(), async |lab| {
        let _supervisor = Supervisor::start_up(lab).await;
        set_car(lab, true, false).await;
        // Packets still flow: only the registration shows the loss.
        lab.mbim().register(Registration::Searching);
        let lost = Instant::now();
        let report = await_report(lab, "gives it up", |report| report.state != "up").await;
        let waited = lost.elapsed();
        println!("registration lost: given up after {waited:?}, {:?}", report.climbed);
        assert!(
            (GRACE - Duration::from_secs(1)..GRACE + Duration::from_secs(5)).contains(&waited),
            "{waited:?}"
        );
        lab.swallow(true);
        tokio::time::sleep(Duration::from_secs(5)).await;
        lab.swallow(false);
        lab.mbim().register(Registration::Home);
        let back = Instant::now();
        let report = await_up(lab).await;
        println!(
            "registration lost: up {:?} after it is back, {:?}",
            back.elapsed(),
            report.climbed
        );
        assert!(back.elapsed() < SOON, "{:?}", back.elapsed());
        // If the supervisor's limit is first, it cycles the bearer. If ModemManager's is first, the
        // bearer is lost, and the supervisor reconnects.
        assert!(
            climbed(&report, "cycle-bearer") == 1 || climbed(&report, "reconnect") >= 2,
            "{report:?}"
        );
        assert_eq!((climbed(&report, "cycle-radio"), heavy(&report)), (0, 0), "{report:?}");
    });
}

/// The emulated modem has no receiver, as most have none.
#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_without_a_satellite_receiver_says_no_place_and_keeps_its_link() {
    story(Setup::Ublox, async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "gps = true");
        await_up(lab).await;
        set_car(lab, true, false).await;
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until {
            let report = await_report(lab, "answers", |_| true).await;
            assert_eq!((report.state.as_str(), report.position), ("up", None));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let refused = lab.modem().setup_location(LocationSources::GPS_RAW, false).await;
        assert!(refused.is_err(), "then this story is to be told with a position");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_registration_that_is_lost_with_the_packets_is_found_within_5_s_and_never_resets_the_modem() {
    story(Setup::mbim(), async |lab| {
        let _supervisor = Supervisor::start_up(lab).await;
        set_car(lab, true, false).await;
        lab.mbim().register(Registration::Searching);
        lab.swallow(true);
        let lost = Instant::now();
        await_report(lab, "finds it", |report| climbed(report, "cycle-bearer") == 1).await;
        println!("registration and packets lost: found after {:?}", lost.elapsed());
        assert!(lost.elapsed() <= Duration::from_secs(5), "{:?}", lost.elapsed());
        // Longer than ModemManager waits before it gives the registration up.
        tokio::time::sleep(2 * GRACE).await;
        lab.swallow(false);
        lab.mbim().register(Registration::Home);
        let back = Instant::now();
        let report = await_up(lab).await;
        println!(
            "registration and packets lost: up {:?} after they are back, {:?}",
            back.elapsed(),
            report.climbed
        );
        assert!(back.elapsed() < SOON, "{:?}", back.elapsed());
        assert_eq!((climbed(&report, "cycle-radio"), heavy(&report)), (0, 0), "{report:?}");
    });
}
