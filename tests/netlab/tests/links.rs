//! A drive over each of the links with names.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use rccar_link_emulator::Profile;
use rccar_netlab::{Access, Picture, story, until};
use rccar_protocol::state::DriveState;
use std::time::{Duration, Instant};

/// From the last fresh input to neutral (PROTOCOL.md, "Timing").
const STOPPED_WITHIN: Duration = Duration::from_millis(250);

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn good_4g_shows_every_frame_and_keeps_the_car_armed() {
    story(async |lab| {
        lab.picture(Picture { fps: 30, kbps: 1000, ..Picture::default() });
        lab.start_world(
            (Access::Cgnat, Profile::good_4g()),
            (Access::PortRestricted, Profile::cable()),
        )
        .await;
        let driver = lab.connect().await;
        driver.await_live().await;
        driver.arm().await;
        driver.drive(0.1, 0.2);
        let (start, frames) = (Instant::now(), driver.seen().frames.count());
        until("100 frames", || driver.seen().frames.count() >= frames + 100).await;
        let gap = driver.seen().frames.longest_gap(start);
        assert!(gap < Duration::from_millis(500), "{gap:?}");
        assert_eq!(driver.state(), Some(DriveState::Armed));
        let [up, _] = lab.uplink("wwan0").link().counters();
        assert_eq!(up.tail_dropped, 0, "{up}");
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn weak_4g_still_brings_the_picture() {
    story(async |lab| {
        lab.picture(Picture { fps: 10, kbps: 400, ..Picture::default() });
        lab.start_world(
            (Access::Cgnat, Profile::weak_4g()),
            (Access::PortRestricted, Profile::cable()),
        )
        .await;
        let driver = lab.connect().await;
        driver.await_live().await;
        let (start, frames) = (Instant::now(), driver.seen().frames.count());
        // Losses are random: a link that has lost nothing yet has proved nothing.
        let lossy = || lab.uplink("wwan0").link().counters()[0].lost > 0;
        until("50 frames, and a loss", || driver.seen().frames.count() >= frames + 50 && lossy())
            .await;
        let gap = driver.seen().frames.longest_gap(start);
        assert!(gap < Duration::from_secs(2), "{gap:?}");
        let [up, _] = lab.uplink("wwan0").link().counters();
        assert!(up.wait_percentile(95) > Duration::ZERO, "{up}");
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn a_tunnel_stops_the_car_and_its_end_brings_the_picture_back() {
    story(async |lab| {
        lab.start_world(
            (Access::Cgnat, Profile::good_4g()),
            (Access::PortRestricted, Profile::cable()),
        )
        .await;
        let driver = lab.connect().await;
        driver.await_live().await;
        driver.arm().await;
        driver.drive(0.0, 0.2);
        until("the motor turns", || driver.throttle() > 0.05).await;
        let (enter, length) = (Duration::from_millis(200), Duration::from_secs(3));
        let begun = Instant::now();
        lab.uplink("wwan0").link().set(Profile::tunnel(enter, length));
        until("the tunnel is over", || begun.elapsed() > enter + length).await;
        let frames = driver.seen().frames.count();
        until("frames come again", || driver.seen().frames.count() > frames).await;
        until("the driver hears that the car has stopped", || {
            driver.state() == Some(DriveState::Tripped)
        })
        .await;
        assert!(driver.throttle().abs() < f32::EPSILON);
        let stops = lab.stops();
        assert!(stops.len() == 1 && stops[0] <= STOPPED_WITHIN, "{stops:?}");
        driver.arm().await;
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn a_cell_change_is_a_short_gap_in_the_same_session() {
    story(async |lab| {
        lab.start_world(
            (Access::Cgnat, Profile::good_4g()),
            (Access::PortRestricted, Profile::cable()),
        )
        .await;
        let driver = lab.connect().await;
        driver.await_live().await;
        let begun = Instant::now();
        lab.uplink("wwan0").link().set(Profile::cell_change(Duration::from_millis(200)));
        until("the cell has changed", || begun.elapsed() > Duration::from_millis(700)).await;
        let frames = driver.seen().frames.count();
        until("frames come again", || driver.seen().frames.count() > frames + 5).await;
        let gap = driver.seen().frames.longest_gap(begun);
        assert!(
            (Duration::from_millis(350)..Duration::from_millis(1500)).contains(&gap),
            "{gap:?}"
        );
        assert_eq!((driver.seen().sessions.len(), driver.seen().offers.len()), (1, 1));
    });
}
