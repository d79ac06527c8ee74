//! Whether a new version works: it reaches the host, shows a picture and can drive.

use crate::words::CarStatus;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// Frames at the first look: a later count must be higher.
    frames_before: Option<u64>,
    picture: bool,
    last: Option<CarStatus>,
}

impl Health {
    pub(crate) fn look(&mut self, status: Option<&CarStatus>) {
        self.last = status.copied();
        let Some(status) = status else {
            self.frames_before = None;
            return;
        };
        // After a restart `rccar-car` counts from zero.
        let before =
            self.frames_before.filter(|before| *before <= status.frames).unwrap_or(status.frames);
        self.frames_before = Some(before);
        self.picture = status.frames > before;
    }

    pub(crate) fn has_picture(&self) -> bool {
        self.picture
    }

    /// What is missing, in words; `None` if nothing is. The host counts only if the old version had
    /// reached it (`registered`). A bundle that was installed from a file, far from any network,
    /// must not fail for that. But a version that can no longer reach the host must fail: it would
    /// never get a later version.
    pub(crate) fn missing(&self, registered: bool) -> Option<String> {
        let Some(status) = &self.last else { return Some("rccar-car does not answer".to_owned()) };
        let mut missing = Vec::new();
        if registered && !status.registered {
            missing.push("not registered with the host");
        }
        if !self.picture {
            missing.push("no picture from the camera");
        }
        if !status.drive_alive {
            missing.push("the drive service does not answer");
        }
        (!missing.is_empty()).then(|| missing.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_part_is_named() {
        let mut health = Health::default();
        health.look(None);
        assert_eq!(health.missing(true).unwrap(), "rccar-car does not answer");
        let status = CarStatus::default();
        health.look(Some(&status));
        let all = "not registered with the host, no picture from the camera, \
                   the drive service does not answer";
        assert_eq!(health.missing(true).unwrap(), all);
        assert!(!health.missing(false).unwrap().contains("host"));
        health.look(Some(&CarStatus { frames: 1, registered: true, drive_alive: true, ..status }));
        assert_eq!(health.missing(true), None);
    }

    #[test]
    fn only_a_car_that_had_reached_its_host_must_reach_it_again() {
        let mut health = Health::default();
        for frames in 0..2 {
            health.look(Some(&CarStatus { frames, drive_alive: true, ..CarStatus::default() }));
        }
        assert_eq!(health.missing(false), None);
        assert_eq!(health.missing(true).unwrap(), "not registered with the host");
    }

    #[test]
    fn frames_of_an_agent_that_was_started_anew_do_not_count_as_a_picture() {
        let mut health = Health::default();
        for frames in [7, 0] {
            health.look(Some(&CarStatus { frames, drive_alive: true, ..CarStatus::default() }));
        }
        assert_eq!(health.missing(false).unwrap(), "no picture from the camera");
    }
}
