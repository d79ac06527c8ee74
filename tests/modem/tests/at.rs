//! The client and the real ModemManager with an AT modem that has a network port.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use rccar_modem_lab::{AtRegistration, Setup, story};
use std::time::{Duration, Instant};
use tokio_modem_manager::{
    ConnectProperties, FailedReason, IpMethod, LocationSources, RegistrationState, State,
};

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_connects_with_a_static_address_and_a_drop_is_seen_at_once() {
    story(Setup::Ublox, async |lab| {
        lab.start_with_modem().await;
        let path = lab.modem().connect(&ConnectProperties::apn("internet")).await.unwrap();
        let bearer = lab.modem().bearer(&path).await.unwrap();
        let ip4 = bearer.ip4.unwrap();
        assert_eq!(
            (ip4.method, ip4.address, ip4.gateway),
            (IpMethod::Static, "10.64.0.2".parse().ok(), "10.64.0.1".parse().ok())
        );
        lab.ip("addr add 10.64.0.2/24 dev wwan0");
        lab.ip("link set wwan0 up");
        lab.await_ping("10.64.0.1");
        let dropped = Instant::now();
        lab.at().deactivate();
        lab.await_modem("lost its bearer", |modem| modem.connected_bearer().is_none()).await;
        assert!(dropped.elapsed() < Duration::from_secs(1), "{:?}", dropped.elapsed());
        lab.await_modem("is registered", |modem| modem.state == State::Registered).await;
        lab.modem().connect(&ConnectProperties::apn("internet")).await.unwrap();
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_lost_registration_shows_while_the_state_still_says_connected() {
    story(Setup::Ublox, async |lab| {
        lab.start_with_modem().await;
        lab.modem().connect(&ConnectProperties::apn("internet")).await.unwrap();
        // ModemManager answers a connect before it signals the modem's state.
        lab.await_modem("is connected", |modem| modem.state == State::Connected).await;
        lab.at().register(AtRegistration::Searching);
        let searching = |modem: &tokio_modem_manager::ModemState| {
            modem
                .modem3gpp
                .as_ref()
                .is_some_and(|modem| modem.registration == RegistrationState::Searching)
        };
        let modem = lab.await_modem("searches", searching).await;
        assert_eq!(modem.state, State::Connected);
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn signal_and_cell_are_told_and_the_modem_can_be_unplugged() {
    story(Setup::Ublox, async |lab| {
        lab.start_with_modem().await;
        lab.modem().enable(true).await.unwrap();
        lab.modem().setup_signal(Duration::from_secs(1)).await.unwrap();
        let lte = |modem: &tokio_modem_manager::ModemState| {
            modem.signal.as_ref().is_some_and(|signal| signal.lte.is_some())
        };
        let modem = lab.await_modem("measures LTE", lte).await;
        // +CESQ: 22 is −8.75 dB, 50 is −90.5 dBm or a little less (TS 27.007, 8.69).
        let measured = modem.signal.as_ref().unwrap().lte.unwrap();
        assert!(measured.rsrp.is_some_and(|dbm| (-92.0..=-89.0).contains(&dbm)), "{measured:?}");
        lab.modem().setup_location(LocationSources::GPP3_LAC_CI, false).await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let cell = loop {
            match lab.modem().location().await.unwrap().cell {
                Some(cell) if cell.cell_id != 0 => break cell,
                other => assert!(Instant::now() < deadline, "no cell: {other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert_eq!((cell.operator_code.as_str(), cell.cell_id), ("00101", 0x01c3_d4e5));
        lab.plug("remove").await;
        lab.await_state("is gone", |modem| modem.is_none()).await;
        lab.plug("add").await;
        lab.await_modem("is back", |modem| modem.has_simple).await;
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_missing_sim_is_told_as_such() {
    story(Setup::Ublox, async |lab| {
        lab.at().without_sim();
        lab.start_modem_manager();
        let modem = lab.await_modem("misses its SIM", |modem| modem.state == State::Failed).await;
        assert_eq!(modem.failed_reason, FailedReason::SimMissing);
    });
}
