//! Chooses the release for a car: a pure decision.

use rccar_protocol::release::{Percent, Version};
use rccar_protocol::text::CarId;
use rccar_site::{Release, ReleaseQuestion};
use sha2::{Digest, Sha256};

/// The newest release for the car's channel and board whose roll-out includes the car. `None`: none
/// of them is newer than what the car runs.
pub(crate) fn choose(
    releases: Vec<Release>,
    car: &CarId,
    question: &ReleaseQuestion,
) -> Option<Release> {
    let fits = |release: &Release| {
        release.channels.contains(&question.channel)
            && release.compatible == question.compatible
            && is_for(release, car)
            && release.version.is_newer_than(&question.running)
    };
    releases.into_iter().filter(fits).max_by(|one, other| one.version.precedence(&other.version))
}

/// Whether the release is rolled out to this car; board and channel are not looked at.
pub(crate) fn is_for(release: &Release, car: &CarId) -> bool {
    !release.paused && includes(release.rollout, car, &release.version)
}

/// Whether a roll-out of so many percent includes the car. Each release has another order of cars,
/// so that it is not always the same ones that try a release first; within a release the order is
/// fixed, so that raising the percent only adds cars.
fn includes(rollout: Percent, car: &CarId, version: &Version) -> bool {
    place(car, version) < u64::from(rollout.value())
}

/// The car's place in the order of the release, 0 to 99.
fn place(car: &CarId, version: &Version) -> u64 {
    share(car, version) % 100
}

/// Random bits that are always the same for this car and this release. They give the car its place
/// in the roll-out, and its time in the announcements.
pub(crate) fn share(car: &CarId, version: &Version) -> u64 {
    let digest = Sha256::new()
        .chain_update(car.as_str())
        .chain_update([0])
        .chain_update(version.to_string())
        .finalize();
    digest.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_protocol::release::{ByteCount, Channel, Compatible, Sha256 as Sha256Hex};

    fn release(version: &str) -> Release {
        Release {
            version: version.parse().unwrap(),
            compatible: Compatible::new("pi").unwrap(),
            size: ByteCount::default(),
            sha256: Sha256Hex::try_from("0".repeat(64)).unwrap(),
            signer: String::new(),
            notes: None,
            channels: vec![Channel::new("stable").unwrap()],
            rollout: Percent::ALL,
            paused: false,
            uploaded_at: 0,
            uploaded_by: None,
        }
    }

    fn question(running: &str) -> ReleaseQuestion {
        let (channel, compatible) =
            (Channel::new("stable").unwrap(), Compatible::new("pi").unwrap());
        ReleaseQuestion { channel, compatible, running: running.parse().unwrap() }
    }

    /// Ids as keys make them: base32.
    fn cars(count: usize) -> Vec<CarId> {
        let letters = b"abcdefghijklmnopqrstuvwxyz234567";
        let name = |number: usize| {
            (0..26).map(|at| char::from(letters[(number >> (at % 3 * 5)) % 32])).collect::<String>()
        };
        (0..count).map(|number| CarId::new(name(number)).unwrap()).collect()
    }

    fn offered(releases: &[Release], running: &str) -> Option<String> {
        choose(releases.to_vec(), &cars(1)[0], &question(running))
            .map(|release| release.version.to_string())
    }

    #[test]
    fn the_newest_newer_one_is_offered() {
        let releases = ["0.9.0", "0.10.0", "0.10.0-dev.3"].map(release);
        assert_eq!(offered(&releases, "0.1.0").as_deref(), Some("0.10.0"));
        assert_eq!(offered(&releases, "0.10.0-dev.3").as_deref(), Some("0.10.0"));
        assert_eq!(offered(&releases, "0.10.0"), None, "never the same");
        assert_eq!(
            offered(&releases, "0.10.0+local"),
            None,
            "what is built differently is not newer"
        );
        assert_eq!(offered(&releases, "1.0.0"), None, "never an older one");
    }

    #[test]
    fn a_release_that_is_paused_or_for_others_is_passed_over() {
        let older = release("1.0.0");
        for other in [
            Release { paused: true, ..release("2.0.0") },
            Release { rollout: Percent::NONE, ..release("2.0.0") },
            Release { channels: vec![Channel::new("beta").unwrap()], ..release("2.0.0") },
            Release { compatible: Compatible::new("x86").unwrap(), ..release("2.0.0") },
        ] {
            assert_eq!(offered(&[other, older.clone()], "0.1.0").as_deref(), Some("1.0.0"));
        }
    }

    #[test]
    fn raising_the_percent_only_adds_cars() {
        let (cars, version) = (cars(2_000), "1.0.0".parse().unwrap());
        let mut before = vec![];
        for percent in 0..=100 {
            let percent = Percent::try_from(percent).unwrap();
            let now: Vec<_> = cars.iter().filter(|car| includes(percent, car, &version)).collect();
            assert!(before.iter().all(|car| now.contains(car)), "{percent:?}");
            let share = now.len() * 100 / cars.len();
            assert!(
                share.abs_diff(usize::from(percent.value())) <= 4,
                "{percent:?}: {share} % of the cars"
            );
            before = now;
        }
        assert_eq!(before.len(), cars.len());
    }

    #[test]
    fn other_releases_begin_with_other_cars() {
        let ten = Percent::try_from(10).unwrap();
        let first = |version: &str| -> Vec<CarId> {
            let version = version.parse().unwrap();
            cars(200).into_iter().filter(|car| includes(ten, car, &version)).collect()
        };
        assert_ne!(first("1.0.0"), first("1.0.1"));
    }
}
