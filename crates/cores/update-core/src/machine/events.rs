//! What the machine does with each input and wish.

use super::steps::spread;
use super::{AGAIN, Machine, Phase};
use crate::saved::{Ended, Proven, Stage};
use crate::words::{CarStatus, Fault, InstallNews, Refusal, Release, Source, Wish};
use rccar_protocol::units::MonotonicMicros;
use semver::Version;
use std::cmp::Ordering;

/// The meter is saved each time after this many bytes. A power cut loses the count of fewer.
const SAVE_METER_EVERY: u64 = 4_000_000;

impl Machine {
    pub(super) fn handle_car(&mut self, now: MonotonicMicros, status: Option<CarStatus>) {
        self.car.set(now, status);
        if let Phase::Trial { health, .. } = &mut self.phase {
            health.look(status.as_ref());
        }
    }

    pub(super) fn handle_fetched(&mut self, bytes: u64) {
        self.saved.meter.turn(self.month);
        self.saved.meter.add(bytes);
        self.unsaved = self.unsaved.saturating_add(bytes);
        if self.unsaved >= SAVE_METER_EVERY {
            self.save();
        }
    }

    pub(super) fn handle_answer(
        &mut self,
        now: MonotonicMicros,
        answer: Result<Option<Release>, String>,
    ) {
        let Ok(release) = answer else { return self.not_answered(now) };
        self.checking = None;
        self.check_failures = 0;
        // The interval ±20 %.
        let interval = self.settings.check_interval;
        self.check_at = now.plus(interval.mul_f64(0.8) + spread(interval.mul_f64(0.4), self.dice));
        // The answer settles the wish: below it becomes an offer, or it ends.
        let wish = self.wish.take();
        // An offer that the owner asked for stays asked for if the host offers it again.
        let kept = match &self.phase {
            Phase::Idle => None,
            Phase::Offered { release, asked } if matches!(release.source, Source::Host(_)) => {
                asked.then(|| release.version.clone())
            }
            _ => return,
        };
        let asked_for = |version: &Version| {
            wish.as_ref().is_some_and(|(wanted, _)| wanted == version)
                || kept.as_ref() == Some(version)
        };
        if let Some((wanted, _)) = wish
            .as_ref()
            .filter(|(wanted, _)| release.as_ref().is_none_or(|release| release.version != *wanted))
        {
            self.end(wanted.clone(), Some("is not offered by the host".to_owned()));
        }
        self.phase = match release {
            Some(release) if self.judge(&release.version, false).is_ok() => {
                Phase::Offered { asked: asked_for(&release.version), release }
            }
            Some(release) => {
                if let Err(Refusal::Older { asked, running }) = self.judge(&release.version, false)
                {
                    self.end(
                        asked,
                        Some(format!("is older than {running}, which is running: refused")),
                    );
                }
                Phase::Idle
            }
            None => Phase::Idle,
        };
    }

    pub(super) fn handle_install(&mut self, now: MonotonicMicros, news: InstallNews) {
        let Phase::Installing { release, asked, percent, .. } = &mut self.phase else { return };
        match news {
            InstallNews::Percent(done) => *percent = done.min(100),
            InstallNews::Done => {
                let Some(mut pending) = self.saved.pending.clone() else { return };
                pending.stage = Stage::Installed;
                self.wait(now, pending);
                self.save();
            }
            InstallNews::Failed(fault) => {
                let (release, asked) = (release.clone(), *asked);
                self.saved.pending = None;
                self.remember(now, &release.version, &fault);
                if !matches!(fault, Fault::Passing(_)) {
                    self.saved.last = Some(Ended {
                        version: release.version.clone(),
                        failed: Some(fault.reason().to_owned()),
                    });
                }
                self.save();
                self.phase = Phase::Offered { release, asked };
            }
        }
    }

    pub(super) fn handle_marked(&mut self, now: MonotonicMicros, outcome: Result<(), String>) {
        self.marking = false;
        self.mark_at = now.plus(AGAIN);
        let done = outcome.is_ok();
        self.mark_error = outcome.err();
        match &mut self.phase {
            Phase::Condemned { marked, .. } => {
                *marked |= done;
                if done {
                    // Reboot now; the pause is only for another attempt.
                    self.mark_at = now;
                }
                return;
            }
            _ if !done => return,
            Phase::Trial { pending, .. } => {
                let version = pending.version.clone();
                self.phase = Phase::Idle;
                self.saved.pending = None;
                self.saved.forget_failure(&version);
                self.saved.last = Some(Ended { version, failed: None });
            }
            _ => {}
        }
        self.settled = true;
        let proven =
            Some(Proven { slot: self.boot.slot.clone(), version: self.boot.running.clone() });
        let changed = self.saved.proven != proven || self.saved.pending.is_none();
        self.saved.proven = proven;
        if changed {
            self.save();
        }
    }

    pub(super) fn grant(&mut self, now: MonotonicMicros, wish: Wish) -> Result<(), Refusal> {
        let (version, downgrade, file) = match wish {
            Wish::Check => {
                self.check_at = now;
                return Ok(());
            }
            Wish::Install { version, downgrade } => (version, downgrade, None),
            Wish::InstallFile { release, downgrade } => {
                (release.version.clone(), downgrade, Some(release))
            }
        };
        match &mut self.phase {
            Phase::Idle => {}
            Phase::Offered { release, asked } => {
                if file.is_none() && release.version == version {
                    *asked = true;
                }
            }
            Phase::Installing { release, asked, .. } if release.version == version => {
                *asked = true;
                if let Some(pending) = &mut self.saved.pending {
                    pending.asked = true;
                    self.save();
                }
                return Ok(());
            }
            Phase::Installing { release, .. } => {
                return Err(Refusal::Installing(release.version.clone()));
            }
            Phase::Waiting { pending, .. } if pending.version == version => {
                pending.asked = true;
                self.saved.pending = Some(pending.clone());
                self.save();
                return Ok(());
            }
            Phase::Waiting { pending, .. } | Phase::Rebooting { pending, .. } => {
                return Err(Refusal::Waiting(pending.version.clone()));
            }
            Phase::Trial { pending, .. } | Phase::Condemned { pending, .. } => {
                return Err(Refusal::Testing(pending.version.clone()));
            }
        }
        self.judge(&version, downgrade)?;
        self.saved.forget_failure(&version);
        self.retry_at.remove(&version);
        self.downgrade = downgrade.then(|| version.clone());
        match file {
            Some(release) => self.phase = Phase::Offered { release, asked: true },
            // Offered already, and marked as asked for above.
            None if matches!(
                &self.phase,
                Phase::Offered { release, .. } if release.version == version
            ) => {}
            None => {
                self.wish = Some((version, downgrade));
                self.check_at = now;
            }
        }
        Ok(())
    }

    /// Whether a version may replace the running one. Build metadata does not count (SemVer 10).
    fn judge(&self, version: &Version, downgrade: bool) -> Result<(), Refusal> {
        let allowed = downgrade || self.downgrade.as_ref() == Some(version);
        match version.cmp_precedence(&self.boot.running) {
            Ordering::Greater => Ok(()),
            Ordering::Equal if !allowed => Err(Refusal::Same(version.clone())),
            Ordering::Less if !allowed && !self.settings.allow_downgrade => {
                Err(Refusal::Older { asked: version.clone(), running: self.boot.running.clone() })
            }
            Ordering::Equal | Ordering::Less => Ok(()),
        }
    }

    fn end(&mut self, version: Version, failed: Option<String>) {
        let ended = Some(Ended { version, failed });
        if self.saved.last != ended {
            self.saved.last = ended;
            self.save();
        }
    }
}
