//! A modem that hangs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod common;

use common::{Supervisor, await_report, await_up, climbed, set_car};
use rccar_modem_lab::{Setup, story};
use std::time::Instant;

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
