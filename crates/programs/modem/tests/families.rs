//! Networks that take one IP family only, or one way to sign in.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod common;

use common::{Supervisor, await_report, await_up, heavy, report};
use rccar_modem_lab::{Setup, story};
use std::time::Instant;

/// `MBIM_CONTEXT_IP_TYPE`.
const IPV4: u32 = 1;
const IPV6: u32 = 2;
const BOTH: u32 = 3;
/// `MBIM_AUTH_PROTOCOL`.
const PAP: u32 = 1;
const CHAP: u32 = 2;
/// Causes of TS 24.301 section 9.9.4.4.
const NOT_SUBSCRIBED: u32 = 33;
const IPV4_ONLY: u32 = 50;

/// A network that takes IPv4 only, and refuses the rest with this cause.
fn ipv4_only(cause: u32) {
    story(Setup::mbim(), async |lab| {
        lab.mbim().take_only(IPV4, cause);
        lab.start_with_modem().await;
        let started = Instant::now();
        let _supervisor = Supervisor::start(lab, "");
        let up = await_up(lab).await;
        println!("cause {cause}: up after {:?}, {:?}", started.elapsed(), up.climbed);
        let counters = lab.mbim().counters();
        assert_eq!((counters.connects, counters.last_ip_type), (2, Some(IPV4)), "{up:?}");
        assert_eq!((up.fault.as_deref(), heavy(&up)), (None, 0), "{up:?}");
        // The next connect begins with what was taken.
        lab.mbim().deactivate(0);
        await_report(lab, "is lost", |report| report.state != "up").await;
        await_up(lab).await;
        let counters = lab.mbim().counters();
        assert_eq!((counters.connects, counters.last_ip_type), (3, Some(IPV4)));
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_network_that_names_ipv4_is_asked_for_that_in_the_same_try() {
    ipv4_only(IPV4_ONLY);
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_network_that_refuses_both_without_a_reason_is_asked_for_ipv4() {
    ipv4_only(NOT_SUBSCRIBED);
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_network_that_takes_ipv6_only_is_found_behind_ipv4() {
    story(Setup::mbim_dual(), async |lab| {
        lab.mbim().take_only(IPV6, NOT_SUBSCRIBED);
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "");
        let up = await_up(lab).await;
        let counters = lab.mbim().counters();
        assert_eq!((counters.connects, counters.last_ip_type), (3, Some(IPV6)), "{up:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn what_is_configured_is_asked_for_and_nothing_else() {
    story(Setup::mbim(), async |lab| {
        lab.mbim().take_only(BOTH, NOT_SUBSCRIBED);
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "ip_type = \"ipv4\"\nroaming = false");
        let report = await_report(lab, "names it", |report| report.fault.is_some()).await;
        let counters = lab.mbim().counters();
        assert_eq!((counters.connects, counters.last_ip_type), (1, Some(IPV4)), "{report:?}");
    });
}

/// A network that lets in who signs in this way only.
fn signs_in(protocol: u32, auth: &'static str) {
    story(Setup::mbim(), async |lab| {
        lab.mbim().take_only_auth(protocol);
        lab.start_with_modem().await;
        let config = format!("user = \"a\"\npassword = \"b\"\nauth = \"{auth}\"");
        let _supervisor = Supervisor::start(lab, &config);
        let up = await_up(lab).await;
        println!("{protocol}, {auth}: {} connects", lab.mbim().counters().connects);
        assert_eq!(up.fault, None, "{up:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_network_that_takes_pap_only_lets_in_a_car_that_was_told_nothing() {
    signs_in(PAP, "any");
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_network_that_takes_pap_only_lets_in_a_car_that_was_told_so() {
    signs_in(PAP, "pap");
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_network_that_takes_chap_only_lets_in_a_car_that_was_told_so() {
    signs_in(CHAP, "chap");
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn the_wrong_way_to_sign_in_is_named() {
    story(Setup::mbim(), async |lab| {
        lab.mbim().take_only_auth(PAP);
        lab.start_with_modem().await;
        let config = "user = \"a\"\npassword = \"b\"\nauth = \"chap\"";
        let _supervisor = Supervisor::start(lab, config);
        let report = await_report(lab, "names it", |report| report.fault.is_some()).await;
        assert!(report.fault.as_deref().unwrap().contains("user name or password"), "{report:?}");
        assert_eq!(heavy(&report), 0, "{report:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_that_cannot_be_told_its_initial_bearer_connects_all_the_same() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "initial_apn = \"attach\"");
        await_up(lab).await;
        assert_eq!(report(lab).await.unwrap().fault, None);
    });
}
