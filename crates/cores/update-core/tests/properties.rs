//! The rules hold whatever happens, and whenever power is cut.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Kind, RATE, V1, V2, V3, World};
use proptest::prelude::*;
use rccar_update_core::{Effect, Settings, State, Version};
use std::time::Duration;

#[derive(Debug, Clone)]
enum Action {
    Run(u64),
    /// Only this many effects are done; then power is cut.
    CutAfter(u8, u64),
    Driver(bool),
    Registered(bool),
    Link(bool),
    Metered(bool),
    Battery(Option<u32>),
    Release(Version, Kind),
    Withdraw,
    Wish(Version, bool),
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Good),
        1 => Just(Kind::DoesNotStart),
        1 => Just(Kind::NoPicture),
        1 => Just(Kind::Refused),
        1 => Just(Kind::WrongBoard),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (1u64..600).prop_map(Action::Run),
        3 => (0u8..6, 1u64..60).prop_map(|(effects, seconds)| Action::CutAfter(effects, seconds)),
        1 => any::<bool>().prop_map(Action::Driver),
        1 => any::<bool>().prop_map(Action::Registered),
        1 => any::<bool>().prop_map(Action::Link),
        1 => any::<bool>().prop_map(Action::Metered),
        1 => prop_oneof![Just(None), Just(Some(6_000)), Just(Some(7_800))]
            .prop_map(Action::Battery),
        2 => (prop_oneof![Just(V2), Just(V3)], kind())
            .prop_map(|(version, kind)| Action::Release(version, kind)),
        1 => Just(Action::Withdraw),
        1 => (prop_oneof![Just(V2), Just(V3)], any::<bool>())
            .prop_map(|(version, downgrade)| Action::Wish(version, downgrade)),
    ]
}

fn act(world: &mut World, action: Action) {
    match action {
        Action::Run(seconds) => world.run(Duration::from_secs(seconds)),
        Action::CutAfter(effects, seconds) => {
            world.run(Duration::from_secs(seconds - 1));
            let boots = world.boots;
            for _ in 0..effects {
                world.effect();
            }
            // An effect may have been the reboot.
            if world.boots == boots {
                world.boot();
            }
        }
        Action::Driver(driver) => {
            world.driver = driver;
            // The machine hears of the driver before anything else becomes due. Until then it may
            // begin things, because it does not know of the driver.
            world.tell_car();
            world.second();
        }
        Action::Registered(registered) => world.registered = registered,
        Action::Link(link) => world.link = link,
        Action::Metered(metered) => world.metered = metered,
        Action::Battery(battery) => world.battery_mv = battery,
        Action::Release(version, kind) => {
            // A version that is written in a slot keeps its kind.
            let kind = world.kinds.get(&version).copied().unwrap_or(kind);
            world.release(version, kind);
        }
        Action::Withdraw => world.offered = None,
        Action::Wish(version, downgrade) => {
            let _ = world
                .machine
                .handle_wish(world.now, rccar_update_core::Wish::Install { version, downgrade });
            while world.effect() {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// `World` itself checks that nothing disturbing is begun while somebody drives, that an
    /// installation is on disk before it begins, and that no time in the past is asked for.
    #[test]
    fn in_the_end_a_version_runs_that_works(actions in prop::collection::vec(action(), 1..40)) {
        let mut world = World::new(Settings::default());
        for action in actions {
            act(&mut world, action);
        }
        (world.driver, world.registered, world.link) = (false, true, true);
        (world.metered, world.battery_mv) = (false, None);
        world.run(Duration::from_secs(3600 * 6));
        prop_assert_eq!(world.kinds[world.running()], Kind::Good);
        prop_assert!(world.disk.pending.is_none(), "{:?}", world.disk);
        prop_assert_eq!(world.slots[world.booted].tries, 3, "the bootloader knows that it works");
        if let Some(offered) = world.offered.clone()
            && world.kinds[&offered] == Kind::Good
            && offered > V1
        {
            prop_assert!(
                *world.running() >= offered || world.reason().starts_with("not tried again"),
                "{:?}",
                world.status()
            );
        }
        // Boots and installations come to an end.
        let (boots, installs) = (world.boots, world.installs.clone());
        world.run(Duration::from_secs(3600 * 6));
        prop_assert_eq!((boots, installs), (world.boots, world.installs.clone()));
        prop_assert!(matches!(world.state(), State::Idle | State::Failed));
    }

    #[test]
    fn the_cap_is_kept_whatever_happens(actions in prop::collection::vec(action(), 1..40)) {
        let mut world = World::new(Settings { metered_cap: 2_000_000, ..Settings::default() });
        let (mut cuts, mut turns) = (0u64, 0u64);
        for action in actions {
            cuts += u64::from(matches!(action, Action::CutAfter(..)));
            turns += u64::from(matches!(action, Action::Metered(true)));
            act(&mut world, action);
        }
        // A power cut hides at most the bytes between two saves, and a link that becomes metered
        // is known to be metered within a second.
        let most = 2_000_000 + cuts * 4_000_000 + turns * RATE;
        prop_assert!(world.fetched <= most, "{}", world.fetched);
    }

    #[test]
    fn a_machine_that_waits_knows_for_what(actions in prop::collection::vec(action(), 1..30)) {
        let mut world = World::new(Settings::default());
        for action in actions {
            act(&mut world, action);
            world.run(Duration::from_secs(1));
            let left = world.machine.poll_effect();
            prop_assert!(matches!(left, None | Some(Effect::Check { .. })), "{:?}", left);
            let status = world.status();
            let waits = matches!(
                status.state,
                State::Offered | State::Waiting | State::Failed | State::Testing
            );
            prop_assert!(!waits || status.reason.is_some(), "{:?}", status);
            prop_assert!(
                world.machine.poll_timeout().is_some() || world.driver || !world.registered,
                "{:?}",
                status
            );
        }
    }
}
