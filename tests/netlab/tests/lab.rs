//! What the lab can do to an uplink, and what a session over it sees.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use rccar_link_emulator::Profile;
use rccar_netlab::{Access, Driver, Lab, story, until};
use std::time::{Duration, Instant};

/// Shorter than the silence after which a path counts as lost, so that sessions go on by
/// themselves.
const MOMENT: Duration = Duration::from_millis(1_000);

async fn session(lab: &mut Lab) -> Driver {
    lab.start_world((Access::Cgnat, Profile::cable()), (Access::PortRestricted, Profile::cable()))
        .await;
    let driver = lab.connect().await;
    driver.await_live().await;
    driver
}

/// Waits for a moment in which no frame may come, then mends what was broken. After that frames
/// must come again in the same session.
async fn carries_on_after(driver: &Driver, mend: impl FnOnce()) {
    let broken = Instant::now();
    until("the moment is over", || broken.elapsed() > MOMENT).await;
    let gap = driver.seen().frames.longest_gap(broken);
    assert!(gap >= MOMENT - Duration::from_millis(200), "something got through: {gap:?}");
    mend();
    let frames = driver.seen().frames.count();
    until("frames come again", || driver.seen().frames.count() > frames + 5).await;
    assert_eq!(driver.seen().sessions.len(), 1, "{:?}", driver.seen().ends);
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn a_link_that_is_cut_silently_and_mended_carries_on() {
    story(async |lab| {
        let driver = session(lab).await;
        lab.uplink("wwan0").link().cut(true);
        carries_on_after(&driver, || lab.uplink("wwan0").link().cut(false)).await;
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn an_interface_that_is_unplugged_and_comes_back_with_its_address_carries_on() {
    story(async |lab| {
        let driver = session(lab).await;
        lab.uplink("wwan0").unplug().unwrap();
        carries_on_after(&driver, || lab.uplink("wwan0").plug().unwrap()).await;
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn a_car_with_two_uplinks_prefers_wi_fi_to_mobile() {
    story(async |lab| {
        lab.car_uplink("wwan0", Access::Cgnat, Profile::cable());
        lab.car_uplink("wlan0", Access::PortRestricted, Profile::cable());
        lab.driver_uplink("net0", Access::PortRestricted, Profile::cable());
        lab.start_host().await;
        lab.start_car().await;
        let driver = lab.connect().await;
        driver.await_live().await;
        let delivered = |interface: &str| lab.uplink(interface).link().counters()[0].delivered;
        let before = (delivered("wwan0"), delivered("wlan0"));
        let frames = driver.seen().frames.count();
        until("ten more frames", || driver.seen().frames.count() >= frames + 10).await;
        let (wwan, wlan) = (delivered("wwan0") - before.0, delivered("wlan0") - before.1);
        assert!(wlan > 20 && wwan < wlan / 2, "{wwan} packets by wwan0, {wlan} by wlan0");
    });
}
