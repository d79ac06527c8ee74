//! The satellite receiver in the modem: when it is switched on and asked, and how old a place is.
//!
//! * It is asked **only while somebody drives or watches**, once a second. It stays on before that,
//!   because a receiver takes half a minute to find itself.
//! * **A place that is repeated is not new:** a receiver that lost the sky may go on with its last
//!   sentence, time of day and all.
//! * A receiver that cannot be switched on is tried again every [`AGAIN`], and when the modem comes
//!   back. It costs the link nothing.

use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// Time between two tries to switch on a receiver that refused.
pub const AGAIN: Duration = Duration::from_secs(60);
/// Time between two questions.
pub const ASK_EVERY: Duration = Duration::from_secs(1);
/// A place older than this is forgotten.
pub const FORGET: Duration = Duration::from_secs(600);

/// What the receiver says.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Time of day of the sentence, in whatever form. `None`: every sentence counts as a new one.
    pub time: Option<String>,
}

impl Fix {
    fn is_on_earth(&self) -> bool {
        (-90.0..=90.0).contains(&self.latitude) && (-180.0..=180.0).contains(&self.longitude)
    }
}

/// What to do with the receiver now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Nothing,
    /// Switch it on, then [`Receiver::handle_switched`].
    SwitchOn,
    /// Ask it, then [`Receiver::handle_fix`].
    Ask,
}

/// The receiver of one modem after the other.
#[derive(Debug, Default)]
pub struct Receiver {
    /// The modem whose receiver was switched on last, whether it obeyed, and when that was.
    switched: Option<(String, bool, MonotonicMicros)>,
    asked_at: Option<MonotonicMicros>,
    place: Option<(Fix, MonotonicMicros)>,
}

impl Receiver {
    /// `modem`: name of the modem, if there is one that is enabled and has a receiver. To be called
    /// about once a second.
    pub fn step(&mut self, now: MonotonicMicros, modem: Option<&str>, driven: bool) -> Step {
        let Some(modem) = modem else {
            self.switched = None;
            return Step::Nothing;
        };
        let known = self.switched.as_ref().filter(|(name, _, _)| name == modem);
        match known {
            Some((_, true, _)) => {}
            Some((_, false, at)) if now.since(*at) < AGAIN => return Step::Nothing,
            Some((_, false, _)) | None => {
                self.switched = Some((modem.to_owned(), false, now));
                return Step::SwitchOn;
            }
        }
        if !driven {
            // Nobody is to learn afterwards where the car was parked.
            self.place = None;
            return Step::Nothing;
        }
        if self.asked_at.is_some_and(|at| now.since(at) < ASK_EVERY) {
            return Step::Nothing;
        }
        self.asked_at = Some(now);
        Step::Ask
    }

    /// The receiver was switched on, or refused.
    pub fn handle_switched(&mut self, now: MonotonicMicros, obeyed: bool) {
        if let Some((_, on, at)) = &mut self.switched {
            (*on, *at) = (obeyed, now);
        }
    }

    /// The answer to a question; `None`: it does not know where it is.
    pub fn handle_fix(&mut self, now: MonotonicMicros, fix: Option<Fix>) {
        let Some(fix) = fix.filter(Fix::is_on_earth) else { return };
        let repeated = self.place.as_ref().is_some_and(|(last, _)| *last == fix);
        if fix.time.is_none() || !repeated {
            self.place = Some((fix, now));
        }
    }

    /// The question failed: the modem may have forgotten that its receiver is on.
    pub fn handle_failure(&mut self, now: MonotonicMicros) {
        self.handle_switched(now, false);
    }

    /// The last place, and when it was new.
    #[must_use]
    pub fn place(&self, now: MonotonicMicros) -> Option<(&Fix, MonotonicMicros)> {
        let (fix, at) = self.place.as_ref()?;
        (now.since(*at) <= FORGET).then_some((fix, *at))
    }
}
