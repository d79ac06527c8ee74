//! Some cells of the matrix with the real page in a real browser.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use rccar_link_emulator::Profile;
use rccar_netlab::{Access, Lab, story};

async fn world(lab: &mut Lab, car: Access, driver: Access) {
    lab.start_world((car, Profile::cable()), (driver, Profile::cable())).await;
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn behind_two_home_routers_the_browser_reaches_the_car_directly() {
    story(async |lab| {
        world(lab, Access::Cgnat, Access::PortRestricted).await;
        let seen = lab.browse().await;
        assert!(!seen.relayed, "{seen:?}");
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn without_udp_at_either_end_the_browser_drives_over_tls() {
    story(async |lab| {
        world(lab, Access::UdpBlocked, Access::UdpBlocked).await;
        let seen = lab.browse().await;
        assert_eq!((seen.relayed, seen.relay_protocol.as_deref()), (true, Some("tls")));
        assert!(lab.relayed_packets() > 100, "{}", lab.relayed_packets());
    });
}
