//! Faults that only a person can mend: SIM, PIN, contract and access point name. Each story asserts
//! that no heavy rung is taken, and the time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod common;

use common::{SOON, Supervisor, await_report, await_up, climbed, heavy, set_car};
use rccar_modem_lab::{Registration, Setup, story};
use std::time::{Duration, Instant};

/// How long ModemManager may take to show a modem again before that counts as a fault of the modem.
/// The fault must be named before that.
const MODEM_GRACE: Duration = Duration::from_secs(30);

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_sim_that_is_out_is_named_and_its_return_brings_the_link_back() {
    story(Setup::mbim(), async |lab| {
        let _supervisor = Supervisor::start_up(lab).await;
        lab.mbim().remove_sim();
        let out = Instant::now();
        let report = await_report(lab, "names it", |report| report.fault.is_some()).await;
        println!("SIM out: named after {:?}", out.elapsed());
        assert!(out.elapsed() < MODEM_GRACE, "{:?}", out.elapsed());
        assert!(report.fault.as_deref().unwrap().contains("no SIM"), "{report:?}");
        lab.mbim().insert_sim();
        let put_in = Instant::now();
        let report = await_up(lab).await;
        println!("SIM in: up after {:?}, {:?}", put_in.elapsed(), report.climbed);
        assert!(put_in.elapsed() < MODEM_GRACE + SOON, "{:?}", put_in.elapsed());
        assert_eq!(
            (report.fault.as_deref(), climbed(&report, "cycle-radio"), heavy(&report)),
            (None, 0, 0),
            "{report:?}"
        );
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_network_that_refuses_is_named_and_the_modem_is_not_reset_for_it() {
    story(Setup::mbim(), async |lab| {
        let _supervisor = Supervisor::start_up(lab).await;
        set_car(lab, true, false).await;
        lab.mbim().register(Registration::Denied);
        lab.swallow(true);
        let denied = Instant::now();
        let report = await_report(lab, "names it", |report| report.fault.is_some()).await;
        println!("denied: named after {:?}", denied.elapsed());
        // This includes the time to find the loss, for which 5 s are allowed.
        assert!(denied.elapsed() < Duration::from_secs(8), "{:?}", denied.elapsed());
        assert!(report.fault.as_deref().unwrap().contains("refuses this SIM"), "{report:?}");
        lab.mbim().register(Registration::Home);
        lab.swallow(false);
        let accepted = Instant::now();
        let report = await_up(lab).await;
        println!("denied: up {:?} after it is accepted, {:?}", accepted.elapsed(), report.climbed);
        assert!(accepted.elapsed() < SOON, "{:?}", accepted.elapsed());
        assert_eq!((climbed(&report, "cycle-radio"), heavy(&report)), (0, 0), "{report:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_wrong_pin_is_sent_once_and_named() {
    story(Setup::mbim(), async |lab| {
        lab.mbim().lock("4321");
        lab.start_modem_manager();
        let _supervisor = Supervisor::start(lab, "pin = \"1111\"");
        let started = Instant::now();
        let report = await_report(lab, "names it", |report| {
            report.fault.as_deref().is_some_and(|fault| fault.contains("PIN"))
        })
        .await;
        println!("wrong PIN: named after {:?}, {:?}", started.elapsed(), report.climbed);
        assert!(started.elapsed() < MODEM_GRACE + SOON, "{:?}", started.elapsed());
        assert_eq!(
            (lab.mbim().counters().pins, climbed(&report, "cycle-radio"), heavy(&report)),
            (1, 0, 0),
            "{report:?}"
        );
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn the_right_pin_unlocks_the_sim_and_the_link_comes_up() {
    story(Setup::mbim(), async |lab| {
        lab.mbim().lock("4321");
        lab.start_modem_manager();
        let _supervisor = Supervisor::start(lab, "pin = \"4321\"");
        let started = Instant::now();
        let report = await_up(lab).await;
        println!("right PIN: up after {:?}, {:?}", started.elapsed(), report.climbed);
        assert!(started.elapsed() < MODEM_GRACE + SOON, "{:?}", started.elapsed());
        lab.await_ping("198.51.100.1");
        assert_eq!((lab.mbim().counters().pins, report.fault.as_deref()), (1, None), "{report:?}");
        assert_eq!((climbed(&report, "cycle-radio"), heavy(&report)), (0, 0), "{report:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_that_wants_an_access_point_name_says_so_and_is_not_reset() {
    story(Setup::Ublox, async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start_as(lab, "");
        let started = Instant::now();
        let report =
            await_report(lab, "names what is missing", |report| report.fault.is_some()).await;
        assert!(
            report.fault.as_deref().is_some_and(|fault| fault.contains("modem.apn")),
            "{report:?}"
        );
        println!("access point name: named after {:?}", started.elapsed());
        assert!(started.elapsed() < MODEM_GRACE, "{:?}", started.elapsed());
        let waits =
            await_report(lab, "waits for a person", |report| report.state == "waiting").await;
        // One try, then nothing for minutes.
        assert_eq!((climbed(&waits, "reconnect"), waits.climbed.len()), (1, 1), "{waits:?}");
        assert!(waits.due_in_ms.is_some_and(|due| due > 60_000), "{waits:?}");
    });
}
