//! A modem whose firmware hangs and works again only after it was taken off the USB: twenty times,
//! each at another moment between two data probes. Each story asserts the rungs that were taken and
//! the times. One takes a minute and a half, so nextest runs all of them at once
//! (`.config/nextest.toml`).
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod common;

use common::{PATIENCE, Supervisor, ask_every, climbed, report, set_car};
use rccar_modem::bus::Report;
use rccar_modem_lab::{Lab, Setup, story};
use std::time::{Duration, Instant};

/// From the hang to the first rung. Any silent loss may take as long.
const FIRST_RUNG: Duration = Duration::from_secs(5);
/// From the hang to the reset. In between are two questions to the modem; ModemManager waits 10 s
/// for each answer.
const RESET: Duration = Duration::from_secs(5 + 2 * 10 + 5);
/// From the hang to the rung that helps. ModemManager has 25 s to let go of the modem. It is
/// restarted, and has 30 s to find the modem.
const HELP: Duration = Duration::from_secs(30 + 25 + 30 + 10);
/// From there to the link: 10 s off the USB, then ModemManager must find the modem.
const BACK: Duration = Duration::from_secs(10 + 30);

/// The cure that helps such a modem.
#[derive(Clone, Copy, PartialEq)]
enum Help {
    /// A new ModemManager opens its ports again.
    Restart,
    Usb,
}

/// To ask twenty supervisors every few milliseconds would take too much of the machine.
const INTERVAL: Duration = Duration::from_millis(100);

async fn await_calmly(lab: &Lab, what: &str, condition: impl Fn(&Report) -> bool) -> Report {
    ask_every(INTERVAL, lab, PATIENCE, what, condition).await
}

fn set_hung(lab: &Lab, setup: Setup, hung: bool) {
    match setup {
        Setup::Ublox => lab.at().hang(hung),
        _ => lab.mbim().hang(hung),
    }
    lab.swallow(hung);
}

/// Does what systemd and the USB do on the car, until the link is up. Returns the time from the
/// hang to the help, and the last report.
async fn play_the_car(
    lab: &mut Lab,
    setup: Setup,
    help: Help,
    hung: Instant,
) -> (Duration, Report) {
    let (mut helped, mut plugged) = (None, true);
    loop {
        if lab.was_asked_to_restart() {
            if help == Help::Restart {
                set_hung(lab, setup, false);
                helped = Some(hung.elapsed());
            }
            lab.kill_modem_manager().await;
            lab.start_modem_manager();
        }
        if plugged != lab.is_authorized() {
            plugged = !plugged;
            if !plugged && help == Help::Usb {
                set_hung(lab, setup, false);
                helped = Some(hung.elapsed());
            }
            lab.plug(if plugged { "add" } else { "remove" }).await;
        }
        match (helped, report(lab).await) {
            (Some(helped), Some(report)) if report.state == "up" => return (helped, report),
            (_, report) => assert!(
                hung.elapsed() < PATIENCE,
                "not within {PATIENCE:?}: the link is up: {helped:?}, {report:?}"
            ),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// One run. The modem hangs when the link has been up for the time `after`.
fn hang(setup: Setup, help: Help, after: Duration) {
    story(setup, async |lab| {
        let _supervisor = Supervisor::start_up(lab).await;
        set_car(lab, true, false).await;
        tokio::time::sleep(after).await;
        set_hung(lab, setup, true);
        let hung = Instant::now();
        await_calmly(lab, "acts", |report| climbed(report, "cycle-bearer") == 1).await;
        let found = hung.elapsed();
        assert!(found <= FIRST_RUNG, "{found:?}");
        let report = await_calmly(lab, "resets it", |report| climbed(report, "reset") == 1).await;
        let reset = hung.elapsed();
        assert!(reset <= RESET, "{reset:?}, {report:?}");
        let (helped, report) = play_the_car(lab, setup, help, hung).await;
        let back = hung.elapsed();
        println!(
            "hung modem: found after {found:?}, reset after {reset:?}, helped after {helped:?}, \
             up after {back:?}"
        );
        assert!(helped <= HELP, "{helped:?}, {report:?}");
        assert!(back - helped <= BACK, "{back:?} - {helped:?}, {report:?}");
        let rungs = ["cycle-bearer", "reset", "restart-daemon", "cycle-usb", "reboot"]
            .map(|rung| climbed(&report, rung));
        assert_eq!(rungs, [1, 1, 1, u64::from(help == Help::Usb), 0], "{report:?}");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_with_serial_ports_that_hangs_is_recovered() {
    hang(Setup::Ublox, Help::Usb, Duration::ZERO);
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_that_comes_to_itself_when_it_is_opened_anew_stays_on_the_usb() {
    hang(Setup::mbim(), Help::Restart, Duration::ZERO);
}

/// The runs go at once: nearly all the time they wait for ModemManager, which waits for the modem.
macro_rules! hang_after {
    ($($run:ident: $milliseconds:literal,)*) => {$(
        #[test]
        #[ignore = "needs namespaces and ModemManager: run ci/modem"]
        fn $run() {
            let after = std::time::Duration::from_millis($milliseconds);
            super::hang(rccar_modem_lab::Setup::mbim(), super::Help::Usb, after);
        }
    )*};
}

mod a_modem_that_hangs_is_recovered_by_the_ladder_with_no_human_step {
    hang_after! {
        after_000_ms: 0,
        after_050_ms: 50,
        after_100_ms: 100,
        after_150_ms: 150,
        after_200_ms: 200,
        after_250_ms: 250,
        after_300_ms: 300,
        after_350_ms: 350,
        after_400_ms: 400,
        after_450_ms: 450,
        after_500_ms: 500,
        after_550_ms: 550,
        after_600_ms: 600,
        after_650_ms: 650,
        after_700_ms: 700,
        after_750_ms: 750,
        after_800_ms: 800,
        after_850_ms: 850,
        after_900_ms: 900,
        after_950_ms: 950,
    }
}
