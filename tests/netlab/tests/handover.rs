//! The path to the car is lost and another one is found: how long does the driver see nothing?
//!
//! Each story does this 20 times in a row (`RCCAR_RUNS`) and prints the times.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use rccar_link_emulator::Profile;
use rccar_netlab::{Access, Driver, Lab, Picture, story, until};
use rccar_protocol::state::DriveState;
use std::time::{Duration, Instant};

/// From the last fresh input to neutral (PROTOCOL.md, "Timing").
const STOPPED_WITHIN: Duration = Duration::from_millis(250);

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn runs() -> usize {
    std::env::var("RCCAR_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(20)
}

/// Prints times and compares them with their budget.
fn assert_budget(what: &str, mut times: Vec<Duration>, median: Duration, worst: Duration) {
    times.sort();
    let (middle, last) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{what}: median {middle:?}, worst {last:?} of {} ({times:?})", times.len());
    assert!(middle <= median, "{what}: the median of {times:?} is over {median:?}");
    assert!(last <= worst, "{what}: the worst of {times:?} is over {worst:?}");
}

/// Waits until frames come steadily: ten in a row, each less than 250 ms after the one before.
async fn steady(driver: &Driver) {
    until("frames come steadily", || {
        let times = driver.seen().frames.times().to_vec();
        let last = &times[times.len().saturating_sub(11)..];
        last.len() == 11
            && last.windows(2).all(|pair| pair[1] - pair[0] < ms(250))
            && last.last().is_some_and(|at| at.elapsed() < ms(250))
    })
    .await;
}

/// Number of registrations of the car so far.
fn registrations(lab: &Lab) -> usize {
    std::fs::read_to_string(lab.folder().join("rccar-host.log"))
        .unwrap()
        .matches("car online")
        .count()
}

/// A car with Wi-Fi and a modem behind NAT of two kinds, and a driver at home.
async fn two_uplinks(lab: &mut Lab, driver: Access) {
    lab.picture(Picture { fps: 30, kbps: 800, ..Picture::default() });
    lab.car_uplink("wlan0", Access::PortRestricted, Profile::cable());
    lab.car_uplink("wwan0", Access::Cgnat, Profile::good_4g());
    lab.driver_uplink("net0", driver, Profile::cable());
    lab.start_host().await;
    lab.start_car().await;
}

/// Unplugs the uplink in use again and again, while the other one is there. Returns the gaps on the
/// way to 4G, then those on the way to Wi-Fi.
async fn swap(lab: &Lab, driver: &Driver) -> [Vec<Duration>; 2] {
    let mut gaps = [Vec::new(), Vec::new()];
    for run in 0..2 * runs() {
        steady(driver).await;
        // The standby over the other uplink is there some round trips after the last change.
        let calm = Instant::now();
        until("the other uplink stands by", || calm.elapsed() > ms(500)).await;
        let begun = Instant::now();
        let lost = lab.uplink(["wlan0", "wwan0"][run % 2]);
        lost.unplug().unwrap();
        until("the gap is over", || begun.elapsed() > ms(400)).await;
        steady(driver).await;
        gaps[run % 2].push(driver.seen().frames.longest_gap(begun));
        lost.plug().unwrap();
    }
    gaps
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn another_uplink_with_another_address_and_nat_takes_over() {
    story(async |lab| {
        two_uplinks(lab, Access::PortRestricted).await;
        let driver = lab.connect().await;
        driver.await_live().await;
        let [to_4g, to_wifi] = swap(lab, &driver).await;
        println!("Wi-Fi lost, direct path over 4G: {to_4g:?}");
        assert_budget(
            "uplink lost, direct path over the other one",
            [to_4g, to_wifi].concat(),
            ms(300),
            ms(1_000),
        );
        assert_eq!(driver.seen().sessions.len(), 1, "the session is the same");
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn another_uplink_takes_over_when_only_a_relay_helps() {
    story(async |lab| {
        two_uplinks(lab, Access::Symmetric).await;
        let driver = lab.connect().await;
        driver.await_live().await;
        let relayed = lab.relayed_packets();
        let [to_4g, to_wifi] = swap(lab, &driver).await;
        assert!(lab.relayed_packets() > relayed, "it was relayed");
        println!("Wi-Fi lost, relayed path over 4G: {to_4g:?}");
        assert_budget(
            "uplink lost, relayed path over the other one",
            [to_4g, to_wifi].concat(),
            ms(800),
            ms(2_000),
        );
        assert_eq!(driver.seen().sessions.len(), 1, "the session is the same");
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn the_return_to_the_better_uplink_is_a_gap_that_is_hardly_seen() {
    story(async |lab| {
        lab.car_settings("[uplinks]\nreturn_after_s = 1\n");
        two_uplinks(lab, Access::PortRestricted).await;
        let mut gaps = Vec::new();
        for _ in 0..runs() {
            lab.uplink("wlan0").unplug().unwrap();
            // A car that returns often waits longer each time; a restart makes it forget that.
            lab.restart_car().await;
            let driver = lab.connect().await;
            driver.await_live().await;
            steady(&driver).await;
            let (begun, offers) = (Instant::now(), driver.seen().offers.len());
            lab.uplink("wlan0").plug().unwrap();
            until("the car returns to Wi-Fi", || driver.seen().offers.len() > offers).await;
            let offered = Instant::now();
            until("the gap is over", || offered.elapsed() > ms(400)).await;
            steady(&driver).await;
            gaps.push(driver.seen().frames.longest_gap(begun));
        }
        assert_budget("return to Wi-Fi", gaps, ms(200), ms(500));
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn a_link_that_was_silently_dead_for_four_seconds_shows_the_picture_at_once() {
    story(async |lab| {
        lab.picture(Picture { fps: 30, kbps: 800, ..Picture::default() });
        lab.start_world(
            (Access::Cgnat, Profile::good_4g()),
            (Access::PortRestricted, Profile::cable()),
        )
        .await;
        let driver = lab.connect().await;
        driver.await_live().await;
        let mut back = Vec::new();
        for _ in 0..runs() {
            steady(&driver).await;
            let registered = registrations(lab);
            let begun = Instant::now();
            lab.uplink("wwan0").link().cut(true);
            until("4 s are over", || begun.elapsed() > Duration::from_secs(4)).await;
            lab.uplink("wwan0").link().cut(false);
            let healed = Instant::now();
            let first = || driver.seen().frames.times().iter().copied().find(|at| *at > healed);
            until("a picture comes", || first().is_some()).await;
            back.push(first().unwrap() - healed);
            let after = |at: Instant| (at > begun).then(|| at.saturating_duration_since(begun));
            let offers: Vec<_> = driver.seen().offers.into_iter().filter_map(after).collect();
            println!(
                "picture {:?} after the link; offers {offers:?} after its loss, which took {:?}",
                back[back.len() - 1],
                healed - begun
            );
            // Each dead time stands alone. If the car had its host only half a second in every
            // five, the host would end the session after its grace.
            until("the car has found its host again", || registrations(lab) > registered).await;
        }
        assert_budget("picture after a dead link", back, ms(700), ms(700));
        assert_eq!(driver.seen().sessions.len(), 1, "the session is the same");
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn a_silent_uplink_is_left_for_the_other_one() {
    story(async |lab| {
        two_uplinks(lab, Access::PortRestricted).await;
        let driver = lab.connect().await;
        driver.await_live().await;
        steady(&driver).await;
        let begun = Instant::now();
        lab.uplink("wlan0").link().cut(true);
        until("silence is noticed", || begun.elapsed() > ms(600)).await;
        steady(&driver).await;
        let gap = driver.seen().frames.longest_gap(begun);
        println!("silent uplink left for the other one: {gap:?}");
        assert!(gap < Duration::from_secs(4), "{gap:?}");
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn whatever_happens_to_the_link_the_car_stops_and_waits_to_be_armed_anew() {
    story(async |lab| {
        two_uplinks(lab, Access::PortRestricted).await;
        let driver = lab.connect().await;
        driver.await_live().await;
        for round in 0..runs() {
            let silent = round % 2 == 1;
            steady(&driver).await;
            driver.arm().await;
            driver.drive(0.0, 0.2);
            until("the motor turns", || driver.throttle() > 0.05).await;
            let cut = |cut| ["wlan0", "wwan0"].map(|uplink| lab.uplink(uplink).link().cut(cut));
            let begun = Instant::now();
            if silent {
                cut(true);
            } else {
                for uplink in ["wlan0", "wwan0"] {
                    lab.uplink(uplink).unplug().unwrap();
                }
            }
            until("2 s are over", || begun.elapsed() > Duration::from_secs(2)).await;
            if silent {
                cut(false);
            } else {
                for uplink in ["wlan0", "wwan0"] {
                    lab.uplink(uplink).plug().unwrap();
                }
            }
            until("the driver hears that the car has stopped", || {
                driver.state() == Some(DriveState::Tripped)
            })
            .await;
            steady(&driver).await;
            // The throttle was held all the time; that must not move the car.
            assert!(
                driver.state() == Some(DriveState::Tripped)
                    && driver.throttle().abs() < f32::EPSILON
            );
            assert_eq!(lab.stops().len(), round + 1);
        }
        assert_budget("last fresh input → neutral", lab.stops(), STOPPED_WITHIN, STOPPED_WITHIN);
        driver.arm().await;
    });
}
