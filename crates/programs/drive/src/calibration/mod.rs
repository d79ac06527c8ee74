//! What somebody calibrates on the car: who may, what becomes of it, and where it is kept.
//!
//! ```text
//!   page ─► rccar-car ─┐   calibrate: begin, set, forget, end
//!                      ├─────────────────────────────────────► this process ─► calibration.toml
//!   rccar-drive calibrate   set-points that jog                     │
//!                                                                   └─► machine, speed controller
//! ```
//!
//! # Design decisions
//!
//! * It is open for one session, at one address. Meanwhile set-points from other addresses do not
//!   reach the machine: their senders hear [`StopReason::Calibrating`]. It closes two seconds after
//!   the last set-point of its session.
//! * Nobody gets it while somebody else drives.
//! * A command in a terminal asks the running drive, as a page does, and does not take the board
//!   over from it: so state machine, guard and circuit hold for a jog as they do for a drive.
//! * Values count only while the car rests. They are checked by the rules of the configuration.
//! * A file with a mistake keeps the car from being armed: what it said may have been a limit.
//!
//! [`StopReason::Calibrating`]: rccar_protocol::state::StopReason::Calibrating

mod store;

use crate::actuator::Actuator;
use crate::config::{Config, text_of};
use crate::reporter::same;
use rccar_causes::causes;
use rccar_daemon::files;
use rccar_drive_core::Machine;
use rccar_protocol::calibration::{
    CalibrationAction, CalibrationRequest, CalibrationState, FromDrive, Refusal, RefusalCode,
};
use rccar_protocol::text::{Note, SessionId};
use rccar_protocol::units::MonotonicMicros;
use std::io;
use std::os::unix::net::SocketAddr;
use std::time::Duration;
use store::{Job, Store};

/// It closes this long after the last set-point of its session, and a driver counts as gone after
/// the same time. Longer than a gap on a mobile link after which a driver goes on.
const SILENCE: Duration = Duration::from_secs(2);

/// The calibration of one car.
pub struct Calibrator {
    /// What the configuration says.
    base: Config,
    used: Config,
    /// Values of its own stand over the configuration.
    own: bool,
    /// What is wrong with the file, or why it cannot be written.
    fault: Option<String>,
    /// The file cannot be read: nobody knows what it said.
    broken: bool,
    store: Store,
    open: Option<Open>,
    /// The request whose values are being written.
    writing: Option<(SocketAddr, SessionId, u32)>,
    /// When a driver was last heard.
    driven_at: Option<MonotonicMicros>,
}

/// For whom it is open.
struct Open {
    session: SessionId,
    address: SocketAddr,
    heard_at: MonotonicMicros,
}

/// What a calibration changes.
pub struct Car<'a> {
    pub machine: &'a mut Machine,
    pub actuator: &'a mut dyn Actuator,
}

/// Reads the file that `config` names. `None`: there is none.
///
/// # Errors
/// If it cannot be read, or has a mistake: with file, line and key.
pub fn read(config: &Config) -> Result<Option<Config>, String> {
    let path = &config.calibration;
    let content = files::read(path).map_err(|error| causes(&error).to_string())?;
    let Some(content) = content else { return Ok(None) };
    let source = path.display().to_string();
    let text = std::str::from_utf8(&content)
        .map_err(|error| format!("{source}: this is no text: {error}"))?;
    config.with_calibration_file(text, &source).map(Some).map_err(|error| error.to_string())
}

impl Calibrator {
    /// Reads the file, and starts the thread that writes it.
    pub fn start(config: &Config) -> io::Result<Self> {
        let (used, fault) = match read(config) {
            Ok(used) => (used, None),
            Err(why) => (None, Some(why)),
        };
        Ok(Self {
            base: config.clone(),
            own: used.is_some(),
            used: used.unwrap_or_else(|| config.clone()),
            broken: fault.is_some(),
            fault,
            store: Store::start(&config.calibration)?,
            open: None,
            writing: None,
            driven_at: None,
        })
    }

    /// The configuration with the calibration over it.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.used
    }

    /// Why the car must not be armed.
    #[must_use]
    pub fn mistake(&self) -> Option<&str> {
        self.fault.as_deref().filter(|_| self.broken)
    }

    /// A set-point came. False: it is not to reach the machine, because somebody else calibrates.
    pub fn admits(&mut self, now: MonotonicMicros, from: &SocketAddr, session: u64) -> bool {
        match &mut self.open {
            Some(open) if !same(&open.address, from) => return false,
            Some(open) if open.session.0.get() == session => open.heard_at = now,
            _ => {}
        }
        if session != 0 {
            self.driven_at = Some(now);
        }
        true
    }

    /// Closes what nobody uses. An answer: the values of an earlier request are written.
    pub fn handle_timeout(
        &mut self,
        now: MonotonicMicros,
        machine: &mut Machine,
    ) -> Option<(SocketAddr, FromDrive)> {
        if self.open.as_ref().is_some_and(|open| now.since(open.heard_at) > SILENCE) {
            self.close(now, machine);
        }
        let outcome = self.store.outcome()?;
        self.fault = outcome.err();
        let (to, session, id) = self.writing.take()?;
        Some((to, self.answer(session, id, None)))
    }

    /// Answers a request, or begins to carry it out: then the answer comes from
    /// [`Self::handle_timeout`].
    pub fn handle_request(
        &mut self,
        now: MonotonicMicros,
        from: &SocketAddr,
        session: SessionId,
        request: &CalibrationRequest,
        car: &mut Car<'_>,
    ) -> Option<FromDrive> {
        let outcome = match request.action {
            CalibrationAction::Begin => self.begin(now, from, session, car.machine),
            CalibrationAction::Set => match self.set(now, session, request, car) {
                Ok(()) => return self.after(from, session, request.id),
                Err(refusal) => Err(refusal),
            },
            CalibrationAction::Forget => match self.forget(now, session, car) {
                Ok(()) => return self.after(from, session, request.id),
                Err(refusal) => Err(refusal),
            },
            CalibrationAction::End => {
                if self.is_open_for(session) {
                    self.close(now, car.machine);
                }
                Ok(())
            }
            CalibrationAction::Show => Ok(()),
            CalibrationAction::Other(word) => {
                Err(refusal(RefusalCode::UnknownAction, &format!("the drive cannot {word}")))
            }
        };
        Some(self.answer(session, request.id, outcome.err()))
    }

    fn begin(
        &mut self,
        now: MonotonicMicros,
        from: &SocketAddr,
        session: SessionId,
        machine: &mut Machine,
    ) -> Result<(), Refusal> {
        let id = session.0.get();
        let driven = self.driven_at.is_some_and(|at| now.since(at) <= SILENCE)
            && ![0, id].contains(&machine.session());
        if driven || !machine.is_at_rest() && machine.session() != id {
            return Err(refusal(RefusalCode::Busy, "somebody drives the car"));
        }
        // Another session of the same sender: its driver has changed.
        if self.open.as_ref().is_some_and(|open| !same(&open.address, from)) {
            return Err(refusal(RefusalCode::Busy, "somebody else calibrates the car"));
        }
        self.open = Some(Open { session, address: from.clone(), heard_at: now });
        machine.handle_calibration(now, Some(id));
        Ok(())
    }

    fn set(
        &mut self,
        now: MonotonicMicros,
        session: SessionId,
        request: &CalibrationRequest,
        car: &mut Car<'_>,
    ) -> Result<(), Refusal> {
        self.may_change(session, car.machine)?;
        let illegal = |text: &str| refusal(RefusalCode::Illegal, text);
        let values = request.values.ok_or_else(|| illegal("there are no values"))?;
        let config = self.base.with_calibration(&values).map_err(|error| Refusal {
            key: Some(Note::lossy(error.key())),
            ..illegal(&error.to_string())
        })?;
        self.use_config(now, config, Job::Write(text_of(&values)), true, car)
    }

    fn forget(
        &mut self,
        now: MonotonicMicros,
        session: SessionId,
        car: &mut Car<'_>,
    ) -> Result<(), Refusal> {
        self.may_change(session, car.machine)?;
        self.use_config(now, self.base.clone(), Job::Remove, false, car)
    }

    fn may_change(&self, session: SessionId, machine: &Machine) -> Result<(), Refusal> {
        if !self.is_open_for(session) {
            Err(refusal(RefusalCode::NotOpen, "the calibration is not open for this session"))
        } else if !machine.is_at_rest() {
            Err(refusal(RefusalCode::Moving, "the car may move: disarm it, and let go"))
        } else if self.writing.is_some() {
            Err(refusal(RefusalCode::Busy, "the last values are still being written"))
        } else {
            Ok(())
        }
    }

    fn use_config(
        &mut self,
        now: MonotonicMicros,
        config: Config,
        job: Job,
        own: bool,
        car: &mut Car<'_>,
    ) -> Result<(), Refusal> {
        match car.machine.handle_settings(now, config.settings()) {
            Ok(true) => {}
            Ok(false) => return Err(refusal(RefusalCode::Moving, "the car may move")),
            Err(error) => {
                let refusal = refusal(RefusalCode::Illegal, &error.to_string());
                return Err(Refusal { key: Some(Note::lossy(error.key)), ..refusal });
            }
        }
        car.actuator.set_esc(now, config.esc());
        (self.used, self.own, self.broken) = (config, own, false);
        self.fault = (!self.store.begin(job)).then(|| "nothing is written any more".to_owned());
        Ok(())
    }

    /// Answers now if nothing is written.
    fn after(&mut self, from: &SocketAddr, session: SessionId, id: u32) -> Option<FromDrive> {
        if self.fault.is_some() {
            return Some(self.answer(session, id, None));
        }
        self.writing = Some((from.clone(), session, id));
        None
    }

    fn is_open_for(&self, session: SessionId) -> bool {
        self.open.as_ref().is_some_and(|open| open.session == session)
    }

    fn close(&mut self, now: MonotonicMicros, machine: &mut Machine) {
        self.open = None;
        machine.handle_calibration(now, None);
    }

    fn answer(&self, session: SessionId, id: u32, refused: Option<Refusal>) -> FromDrive {
        let state = CalibrationState {
            id,
            open: self.is_open_for(session),
            values: self.used.calibration(),
            own: self.own,
            fault: self.fault.as_deref().map(Note::lossy),
            refused,
        };
        FromDrive::Calibration { session, state }
    }
}

fn refusal(code: RefusalCode, text: &str) -> Refusal {
    Refusal { code, key: None, text: Note::lossy(text) }
}

#[cfg(test)]
mod tests;
