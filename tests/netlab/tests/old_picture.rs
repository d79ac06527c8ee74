//! Nobody drives by an old picture, however it has become old (PROTOCOL.md, "Timing").
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use nix::time::{ClockId, clock_gettime};
use rccar_link_emulator::{Path, Profile, Rate};
use rccar_netlab::{Access, Lab, Picture, story};
use std::time::Duration;

/// A picture of this age stops the car.
const TOO_OLD: Duration = Duration::from_millis(500);

fn path(one_way_ms: u64) -> Path {
    Path { rate: Rate::Steady(2_500), ..Path::of(Duration::from_millis(one_way_ms)) }
}

async fn world(lab: &mut Lab, up: u64, down: u64) {
    lab.picture(Picture { fps: 30, kbps: 1_000, restless: true, ..Picture::default() });
    let car = (Access::Cgnat, Profile { up: path(up), down: path(down) });
    lab.start_world(car, (Access::PortRestricted, Profile::cable())).await;
}

fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap().into()
}

fn events(lab: &Lab, name: &str) -> Vec<serde_json::Value> {
    lab.drive_log().into_iter().filter(|line| line["event"] == name).collect()
}

/// The round trip is below what the page takes for too long, and the picture on its screen, too.
/// Only the car knows that the two together are too much.
#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn a_car_on_a_path_that_is_too_long_is_not_armed() {
    story(async |lab| {
        world(lab, 425, 50).await;
        lab.sit("old-picture.mjs", &["arm", "6"], || {}).await;
        assert!(events(lab, "armed").is_empty(), "{:?}", lab.drive_log());
        assert!(!events(lab, "input-rejected").is_empty(), "{:?}", lab.drive_log());
        // The same driver arms it over a shorter one.
        lab.uplink("wwan0").link().set(Profile { up: path(25), down: path(25) });
        lab.sit("old-picture.mjs", &["drive", "0"], || {}).await;
        assert!(!events(lab, "armed").is_empty(), "{:?}", lab.drive_log());
    });
}

/// Control frames go on, the picture does not.
#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn a_car_whose_picture_stops_stops_by_half_a_second() {
    story(async |lab| {
        world(lab, 25, 25).await;
        let stopped = std::cell::Cell::new(Duration::ZERO);
        let lab = &*lab;
        let cut = || {
            let nothing = Path { rate: Rate::Steady(0), ..path(25) };
            lab.uplink("wwan0").link().set(Profile { up: nothing, down: path(25) });
            stopped.set(now());
        };
        lab.sit("old-picture.mjs", &["drive", "3"], cut).await;
        let brakes = events(lab, "brake-started");
        let brake = brakes.last().unwrap_or_else(|| panic!("{:?}", lab.drive_log()));
        let at = Duration::from_micros(brake["at"].as_u64().unwrap());
        let after = at.checked_sub(stopped.get()).unwrap();
        println!("brakes {after:?} after the last picture left: {brake}");
        // The last picture was not new any more, so there is room for a busy machine.
        assert!(after <= TOO_OLD, "{after:?}: {brake}");
        assert!(!events(lab, "tripped").is_empty(), "{:?}", lab.drive_log());
    });
}
