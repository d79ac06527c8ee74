//! The client and the real ModemManager with an MBIM modem.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rccar_modem_lab::{Addresses, Registration, Setup, story};
use std::time::{Duration, Instant};
use tokio_modem_manager::{
    ConnectProperties, CoreError, Error, FailedReason, FaultKind, IpFamilies, IpMethod, Lock,
    MobileEquipmentError, ModemState, PacketServiceState, PowerState, RegistrationState, State,
    Timeouts,
};

fn internet() -> ConnectProperties {
    ConnectProperties { ip_type: Some(IpFamilies::IPV4V6), ..ConnectProperties::apn("internet") }
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_connects_and_its_bearer_has_both_families_with_dns_and_mtu() {
    story(Setup::mbim_dual(), async |lab| {
        let modem = lab.start_with_modem().await;
        assert_eq!(modem.equipment_identifier.as_deref(), Some("867698041234567"));
        assert_eq!(lab.manager().version().await.unwrap().split('.').next(), Some("1"));

        let path = lab.modem().connect(&internet()).await.unwrap();
        let bearer = lab.modem().bearer(&path).await.unwrap();
        let ip4 = bearer.ip4.as_ref().unwrap();
        assert_eq!(
            (ip4.method, ip4.address, ip4.prefix),
            (IpMethod::Static, "10.64.0.2".parse().ok(), Some(24))
        );
        assert_eq!(
            (ip4.gateway, ip4.mtu, ip4.dns.len()),
            ("10.64.0.1".parse().ok(), Some(1430), 2)
        );
        let ip6 = bearer.ip6.as_ref().unwrap();
        assert_eq!((ip6.address, ip6.prefix), ("2001:db8:1::2".parse().ok(), Some(64)));
        assert_eq!(bearer.interface.as_deref(), Some("wwan0"));

        // ModemManager signals the bearer before the modem's own state.
        let connected = |modem: &ModemState| {
            modem.state == State::Connected && modem.connected_bearer() == Some(&bearer)
        };
        let modem = lab.await_modem("is connected, with that bearer", connected).await;
        assert_eq!(modem.modem3gpp.as_ref().unwrap().registration, RegistrationState::Home);
        assert_eq!(modem.sim.as_ref().unwrap().imsi.as_deref(), Some("001010123456789"));

        lab.ip("addr add 10.64.0.2/24 dev wwan0");
        lab.ip("link set wwan0 up");
        lab.await_ping("10.64.0.1");
        lab.modem().disconnect(None).await.unwrap();
        lab.await_modem("is disconnected", |modem| modem.state == State::Registered).await;
        assert!(!lab.pings("10.64.0.1"));
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_connection_that_the_network_ends_is_seen_at_once_with_its_reason() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        lab.modem().connect(&internet()).await.unwrap();
        lab.await_modem("is connected", |modem| modem.connected_bearer().is_some()).await;
        let dropped = Instant::now();
        // 33: requested service option not subscribed.
        lab.mbim().deactivate(33);
        let modem =
            lab.await_modem("lost its bearer", |modem| modem.connected_bearer().is_none()).await;
        assert!(dropped.elapsed() < Duration::from_secs(1), "{:?}", dropped.elapsed());
        let error =
            modem.bearers.iter().find_map(|bearer| bearer.connection_error.clone()).unwrap();
        assert_eq!(
            error.kind,
            FaultKind::MobileEquipment(MobileEquipmentError::ServiceOptionNotSubscribed)
        );
        lab.await_modem("is registered", |modem| modem.state == State::Registered).await;
        lab.modem().connect(&internet()).await.unwrap();
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn the_addresses_of_the_next_connection_are_those_that_the_network_hands_out_then() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        let first = lab.modem().connect(&internet()).await.unwrap();
        assert_eq!(
            lab.modem().bearer(&first).await.unwrap().ip4.unwrap().address,
            "10.64.0.2".parse().ok()
        );
        let (ip4, gateway4) = ("10.65.0.7".parse().unwrap(), "10.65.0.1".parse().unwrap());
        lab.mbim().addresses(Addresses { ip4, gateway4, ..Addresses::default() });
        lab.mbim().deactivate(0);
        lab.await_modem("lost its bearer", |modem| modem.state == State::Registered).await;
        let second = lab.modem().connect(&internet()).await.unwrap();
        assert_eq!(
            lab.modem().bearer(&second).await.unwrap().ip4.unwrap().address,
            "10.65.0.7".parse().ok()
        );
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_connection_that_is_lost_silently_is_seen_by_nothing_but_packets() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        lab.modem().connect(&internet()).await.unwrap();
        lab.ip("addr add 10.64.0.2/24 dev wwan0");
        lab.ip("link set wwan0 up");
        lab.await_ping("10.64.0.1");
        lab.mbim().deactivate_silently();
        assert!(!lab.pings("10.64.0.1"));
        assert_eq!(lab.modem().state().unwrap().state, State::Connected);
        assert!(lab.modem().probe().await.is_ok(), "the control channel is alive");
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn registration_tells_what_the_overall_state_hides() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        lab.modem().connect(&internet()).await.unwrap();
        let lost = Instant::now();
        lab.mbim().register(Registration::Searching);
        let registered = |modem: &ModemState| {
            modem.modem3gpp.as_ref().is_some_and(|modem| modem.registration.carries_data())
        };
        let modem = lab.await_modem("lost its network", |modem| !registered(modem)).await;
        assert!(lost.elapsed() < Duration::from_secs(2), "{:?}", lost.elapsed());
        assert_eq!(modem.state, State::Connected, "ModemManager waits 15 s before it says so");
        let is = |state| {
            move |modem: &ModemState| {
                modem.modem3gpp.as_ref().is_some_and(|modem| modem.registration == state)
            }
        };
        lab.mbim().register(Registration::Denied);
        let modem = lab
            .await_modem("is denied", |modem| {
                modem.modem3gpp.as_ref().is_some_and(|modem| modem.rejection.is_some())
            })
            .await;
        // 11: not allowed in this network.
        assert_eq!(modem.modem3gpp.as_ref().unwrap().rejection.as_ref().unwrap().error, 11);
        lab.await_modem("is not connected any more", |modem| {
            matches!(modem.state, State::Enabled | State::Searching)
        })
        .await;
        lab.mbim().register(Registration::Roaming);
        lab.await_modem("roams", is(RegistrationState::Roaming)).await;
        let at_home = ConnectProperties { allow_roaming: Some(false), ..internet() };
        let error = lab.modem().connect(&at_home).await.unwrap_err();
        assert_eq!(error.fault().unwrap().kind, FaultKind::Core(CoreError::Unauthorized));
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_sim_that_is_taken_out_and_put_in_makes_the_modem_anew_under_the_same_handle() {
    story(Setup::mbim(), async |lab| {
        let first = lab.start_with_modem().await;
        lab.modem().connect(&internet()).await.unwrap();
        lab.mbim().remove_sim();
        let failed = lab
            .await_modem("misses its SIM", |modem| modem.failed_reason == FailedReason::SimMissing)
            .await;
        assert_eq!((failed.state, failed.has_simple), (State::Failed, false));
        assert_ne!(failed.path, first.path);
        assert_eq!(failed.device, first.device);
        lab.mbim().insert_sim();
        lab.await_modem("is ready again", |modem| modem.has_simple).await;
        lab.modem().connect(&internet()).await.unwrap();
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_locked_sim_tells_its_tries_and_is_unlocked_by_connecting() {
    story(Setup::mbim(), async |lab| {
        lab.mbim().lock("4321");
        lab.start_modem_manager();
        let modem = lab.await_modem("is locked", |modem| modem.state == State::Locked).await;
        assert_eq!(modem.unlock_required, Lock::SimPin);
        lab.await_modem("tells its tries", |modem| {
            modem.retries(Lock::SimPin) == Some(3) && modem.sim.is_some()
        })
        .await;
        lab.modem().send_pin("0000").await.unwrap_err();
        lab.await_modem("has used a try", |modem| modem.retries(Lock::SimPin) == Some(2)).await;
        let properties = ConnectProperties { pin: Some("4321".to_owned()), ..internet() };
        // `Simple` is there while the modem is locked, too.
        lab.modem().connect(&properties).await.unwrap();
        lab.await_modem("is connected, with all interfaces", |modem| {
            modem.state == State::Connected && modem.modem3gpp.is_some()
        })
        .await;
        assert_eq!(lab.mbim().counters().pins, 2);
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_modem_that_hangs_is_told_by_the_probe_and_is_back_when_it_answers_again() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        lab.modem().enable(true).await.unwrap();
        assert_eq!(lab.modem().probe().await.unwrap(), 0);
        lab.mbim().hang(true);
        let asked = Instant::now();
        let error = lab.modem().probe().await.unwrap_err();
        assert_eq!(error.fault().unwrap().kind, FaultKind::Core(CoreError::Timeout), "{error}");
        assert!(asked.elapsed() < Duration::from_secs(12), "{:?}", asked.elapsed());
        lab.mbim().hang(false);
        assert_eq!(lab.modem().probe().await.unwrap(), 0);
        let error = lab.modem().reset().await.unwrap_err();
        assert_eq!(
            error.fault().unwrap().kind,
            FaultKind::Core(CoreError::Unsupported),
            "this modem cannot be reset"
        );
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn an_inhibited_modem_goes_and_comes_back_anew() {
    story(Setup::mbim(), async |lab| {
        let first = lab.start_with_modem().await;
        let inhibition = lab.modem().inhibit().await.unwrap();
        assert_eq!(inhibition.device(), first.device);
        lab.await_state("is gone", |modem| modem.is_none()).await;
        assert!(matches!(lab.modem().enable(true).await, Err(Error::NoSuchModem { .. })));
        inhibition.release().await.unwrap();
        let again = lab.await_modem("is back", |modem| modem.has_simple).await;
        assert_ne!(again.path, first.path);
        lab.modem().connect(&internet()).await.unwrap();
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn power_can_be_lowered_and_raised_again() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        lab.modem().connect(&internet()).await.unwrap();
        lab.modem().enable(false).await.unwrap();
        lab.modem().set_power_state(PowerState::Low).await.unwrap();
        lab.await_modem("is low", |modem| modem.power_state == PowerState::Low).await;
        assert!(lab.mbim().counters().radio_offs > 0);
        lab.modem().enable(true).await.unwrap();
        lab.modem().connect(&internet()).await.unwrap();
        let modem = lab.await_modem("is connected", |modem| modem.state == State::Connected).await;
        assert_eq!(modem.modem3gpp.as_ref().unwrap().packet_service, PacketServiceState::Attached);
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_daemon_that_is_killed_and_started_again_is_followed() {
    story(Setup::mbim(), async |lab| {
        assert_eq!(lab.manager().snapshot().daemon, None);
        assert!(matches!(lab.manager().ping().await, Err(Error::NotRunning { .. })));
        lab.start_with_modem().await;
        let first = lab.manager().snapshot().daemon.clone().unwrap();
        lab.modem().connect(&internet()).await.unwrap();
        lab.kill_modem_manager().await;
        lab.await_state("is gone with the daemon", |modem| modem.is_none()).await;
        assert_eq!(lab.manager().snapshot().daemon, None);
        lab.start_with_modem().await;
        let second = lab.manager().snapshot().daemon.clone().unwrap();
        assert_ne!(first, second);
        lab.modem().connect(&internet()).await.unwrap();
    });
}

#[test]
#[ignore = "needs namespaces and ModemManager: run ci/modem"]
fn a_daemon_that_hangs_is_told_by_the_time_out() {
    story(Setup::mbim(), async |lab| {
        lab.start_with_modem().await;
        let limit = Duration::from_millis(500);
        let manager =
            lab.manager().clone().with_timeouts(Timeouts { call: limit, ..Timeouts::default() });
        manager.ping().await.unwrap();
        lab.freeze_modem_manager(true).await;
        assert!(
            matches!(manager.ping().await, Err(Error::Timeout { after, .. }) if after == limit)
        );
        lab.freeze_modem_manager(false).await;
        lab.manager().ping().await.unwrap();
    });
}
