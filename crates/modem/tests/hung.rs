//! A modem whose firmware hangs, five times at once, each at another moment between two probes of the packets. Each story asserts the rungs
//! that were taken and the times. Five and not twenty: one run takes two minutes, for most of which ModemManager waits for answers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod common;

use common::{Supervisor, await_report, await_up, climbed, set_car};
use rccar_modem_lab::{Setup, story};
use std::time::{Duration, Instant};

/// From the hang to the first rung: as long as any silent loss may take.
const FIRST_RUNG: Duration = Duration::from_secs(5);
/// From the hang to the reset. ModemManager gives up the bearer after 70 s, and the radio after another 10 s.
const RESET: Duration = Duration::from_secs(5 + 70 + 10 + 15);
/// From the reset to the link. It took 40 s each time: ModemManager does not let go of a modem in that state, nobody restarts it here, and
/// it makes the modem anew by itself.
const BACK: Duration = Duration::from_secs(40 + 20);

/// One run; the modem hangs this long after the link was seen to be up.
fn hang(after: Duration) {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        let _supervisor = Supervisor::start(lab, "");
        await_up(lab).await;
        set_car(lab, true, false).await;
        tokio::time::sleep(after).await;
        lab.mbim().hang(true);
        lab.swallow(true);
        let hung = Instant::now();
        await_report(lab, "acts", |report| climbed(report, "cycle-bearer") == 1).await;
        let found = hung.elapsed();
        assert!(found <= FIRST_RUNG, "{found:?}");
        // It comes to itself when somebody resets it, and not before.
        let report = await_report(lab, "resets it", |report| climbed(report, "reset") > 0).await;
        let reset = hung.elapsed();
        assert!(reset <= RESET, "{reset:?}, {report:?}");
        lab.mbim().hang(false);
        lab.swallow(false);
        let report = await_up(lab).await;
        let back = hung.elapsed();
        println!("hung modem: found after {found:?}, reset after {reset:?}, up after {back:?}, {:?}", report.climbed);
        assert!(back - reset <= BACK, "{back:?}, {report:?}");
        assert_eq!((climbed(&report, "cycle-bearer"), climbed(&report, "reset")), (1, 1), "{report:?}");
        assert_eq!(climbed(&report, "cycle-usb") + climbed(&report, "reboot"), 0, "{report:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_that_hangs_is_recovered_by_the_ladder_with_no_human_step() {
    hang(Duration::ZERO);
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_that_hangs_after_200_ms_is_recovered() {
    hang(Duration::from_millis(200));
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_that_hangs_after_400_ms_is_recovered() {
    hang(Duration::from_millis(400));
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_that_hangs_after_600_ms_is_recovered() {
    hang(Duration::from_millis(600));
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_that_hangs_after_800_ms_is_recovered() {
    hang(Duration::from_millis(800));
}
