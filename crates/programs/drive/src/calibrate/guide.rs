//! What the person at the terminal sees, presses, and gets: decided without terminal and socket.
//!
//! A terminal says that a key was pressed, and repeats it while it is held; it never says that it
//! was let go. So **each press jogs for [`HELD`] and no longer**: while the keyboard repeats the
//! key the jog goes on, and ends a quarter of a second after the last repetition. Between the first
//! press and the first repetition (a quarter to two thirds of a second) it may pause.

use rccar_protocol::calibration::{
    Calibration, CalibrationAction, CalibrationState, EscWord, Share,
};
use rccar_protocol::units::{MonotonicMicros, Steering, Throttle};
use std::fmt::Write;
use std::time::Duration;

/// How long a key counts as held after it came. Keyboards repeat 10 to 30 times a second.
pub(super) const HELD: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Left,
    Right,
    Next,
    Back,
    /// Jogs.
    Space,
    /// The brake.
    Brake,
    Forget,
    Quit,
}

/// What servo and motor are to do now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Jog {
    pub(super) steering: Steering,
    pub(super) throttle: Throttle,
    pub(super) brake: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) action: CalibrationAction,
    pub(super) values: Option<Calibration>,
}

struct Step {
    title: &'static str,
    text: &'static str,
    jog: Option<Jog>,
    brakes: bool,
    change: fn(&mut Calibration, i16),
    value: fn(&Calibration) -> String,
}

const LEFT: Jog = Jog { steering: Steering::MIN, throttle: Throttle::NEUTRAL, brake: false };
const RIGHT: Jog = Jog { steering: Steering::MAX, throttle: Throttle::NEUTRAL, brake: false };
const FORWARD: Jog = Jog { steering: Steering::NEUTRAL, throttle: Throttle::MAX, brake: false };
const REVERSE: Jog = Jog { steering: Steering::NEUTRAL, throttle: Throttle::MIN, brake: false };
const BRAKE: Jog = Jog { steering: Steering::NEUTRAL, throttle: Throttle::NEUTRAL, brake: true };

/// In 1/10000.
const FINE: i16 = 50;
const COARSE: i16 = 250;

const STEPS: [Step; 9] = [
    Step {
        title: "Straight ahead",
        text: "Do the wheels point straight ahead? If not, move them with ← and →.",
        jog: None,
        brakes: false,
        change: |values, by| {
            let trim = (values.trim.permyriad() + by * FINE).clamp(-5_000, 5_000);
            values.trim = Steering::from_permyriad(trim).unwrap_or_default();
        },
        value: |values| percent(values.trim.permyriad()),
    },
    Step {
        title: "Direction of the steering",
        text: "Hold the space bar: the wheels turn left. If they turn right, press →.",
        jog: Some(LEFT),
        brakes: false,
        change: |values, _| values.steering_reversed = !values.steering_reversed,
        value: |values| direction(values.steering_reversed),
    },
    Step {
        title: "Left end",
        text: "Hold the space bar: full left. The servo must not hum against its end: ← is less.",
        jog: Some(LEFT),
        brakes: false,
        change: |values, by| values.left = moved(values.left, by * FINE * 2, 1_000),
        value: |values| share(values.left),
    },
    Step {
        title: "Right end",
        text: "Hold the space bar: full right. ← is less, → is more.",
        jog: Some(RIGHT),
        brakes: false,
        change: |values, by| values.right = moved(values.right, by * FINE * 2, 1_000),
        value: |values| share(values.right),
    },
    Step {
        title: "Direction of the motor",
        text: "Hold the space bar: the wheels turn forward. If they turn backward, press →.",
        jog: Some(FORWARD),
        brakes: false,
        // What was the brake is now forward to a controller that brakes first.
        change: |values, _| {
            values.motor_reversed = !values.motor_reversed;
            values.esc = EscWord::Direct;
        },
        value: |values| direction(values.motor_reversed),
    },
    Step {
        title: "Speed controller",
        text: "Hold the space bar for a second, then B for the brake. With brake-first the wheels \
               must stop; if they turn backward, press → for direct.",
        jog: Some(FORWARD),
        brakes: true,
        change: |values, _| {
            values.esc = match values.esc {
                EscWord::BrakeFirst => EscWord::Direct,
                EscWord::Direct | EscWord::Other(_) => EscWord::BrakeFirst,
            };
        },
        value: |values| values.esc.to_string(),
    },
    Step {
        title: "Top speed forward",
        text: "Hold the space bar: as fast as a driver gets it. ← is less, → is more.",
        jog: Some(FORWARD),
        brakes: false,
        change: |values, by| values.max_forward = moved(values.max_forward, by * COARSE, 0),
        value: |values| share(values.max_forward),
    },
    Step {
        title: "Top speed backward",
        text: "Hold the space bar: as fast as a driver gets it. ← is less, → is more.",
        jog: Some(REVERSE),
        brakes: false,
        change: |values, by| values.max_reverse = moved(values.max_reverse, by * COARSE, 0),
        value: |values| share(values.max_reverse),
    },
    Step {
        title: "Dead band",
        text: "How far a driver's stick may rest from its middle without moving the motor.",
        jog: None,
        brakes: false,
        change: |values, by| {
            values.dead_band = moved(values.dead_band, by * FINE * 2, 0).min(Share::HALF);
        },
        value: |values| share(values.dead_band),
    },
];

/// One person at one terminal.
pub(super) struct Guide {
    step: usize,
    state: CalibrationState,
    /// What the person has set, until it was asked for.
    wanted: Option<Calibration>,
    forget: bool,
    held: Option<(Jog, MonotonicMicros)>,
    over: bool,
}

impl Guide {
    pub(super) fn new(state: CalibrationState) -> Self {
        Self { step: 0, state, wanted: None, forget: false, held: None, over: false }
    }

    pub(super) fn handle_key(&mut self, now: MonotonicMicros, key: Key) {
        let Some(step) = STEPS.get(self.step) else { return };
        // Any other key ends a jog at once.
        self.held = match key {
            Key::Space => step.jog,
            Key::Brake if step.brakes => Some(BRAKE),
            _ => None,
        }
        .map(|jog| (jog, now.plus(HELD)));
        match key {
            Key::Left => self.change(step.change, -1),
            Key::Right => self.change(step.change, 1),
            Key::Next if self.step + 1 == STEPS.len() => self.over = true,
            Key::Next => self.step += 1,
            Key::Back => self.step = self.step.saturating_sub(1),
            Key::Forget => (self.forget, self.wanted) = (true, None),
            Key::Quit => self.over = true,
            Key::Space | Key::Brake => {}
        }
    }

    fn change(&mut self, change: fn(&mut Calibration, i16), by: i16) {
        let mut values = self.values();
        change(&mut values, by);
        self.wanted = Some(values);
    }

    /// The drive's answer.
    pub(super) fn handle_state(&mut self, state: CalibrationState) {
        self.state = state;
    }

    /// What to ask the drive for next; `None`: nothing.
    pub(super) fn poll_wish(&mut self) -> Option<Wish> {
        if std::mem::take(&mut self.forget) {
            return Some(Wish { action: CalibrationAction::Forget, values: None });
        }
        let values = self.wanted.take()?;
        // Shown until the answer comes.
        self.state.values = values;
        Some(Wish { action: CalibrationAction::Set, values: Some(values) })
    }

    /// What is held at this moment.
    pub(super) fn jog(&self, now: MonotonicMicros) -> Option<Jog> {
        self.held.filter(|(_, until)| now < *until).map(|(jog, _)| jog)
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// The screen.
    pub(super) fn text(&self) -> String {
        let Some(step) = STEPS.get(self.step) else { return String::new() };
        let values = self.values();
        let mut text = format!(
            "{} of {}: {}   {}\n{}\n",
            self.step + 1,
            STEPS.len(),
            step.title,
            (step.value)(&values),
            step.text
        );
        let mut line = |what: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{what}");
        };
        if let Some(refused) = &self.state.refused {
            line(&format!("The drive refuses: {}.", refused.text));
        }
        if let Some(fault) = &self.state.fault {
            line(&format!("Not kept: {fault}"));
        }
        line("Enter: next · Backspace: back · F: forget all · Q: end");
        text
    }

    fn values(&self) -> Calibration {
        self.wanted.unwrap_or(self.state.values)
    }
}

fn moved(share: Share, by: i16, least: u16) -> Share {
    let moved = share.permyriad().saturating_add_signed(by).clamp(least, 10_000);
    Share::try_from(moved).unwrap_or(share)
}

fn share(share: Share) -> String {
    percent(i16::try_from(share.permyriad()).unwrap_or(i16::MAX))
}

fn percent(permyriad: i16) -> String {
    format!("{:.1} %", f64::from(permyriad) / 100.0)
}

fn direction(reversed: bool) -> String {
    if reversed { "reversed" } else { "as it is wired" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use rccar_protocol::calibration::{Refusal, RefusalCode};
    use rccar_protocol::text::Note;

    fn at(ms: u64) -> MonotonicMicros {
        MonotonicMicros(1_000_000 + ms * 1_000)
    }

    fn guide() -> Guide {
        let values = Config::default().calibration();
        Guide::new(CalibrationState {
            id: 1,
            open: true,
            values,
            own: false,
            fault: None,
            refused: None,
        })
    }

    #[test]
    fn a_key_jogs_for_a_quarter_of_a_second_after_its_last_repetition() {
        let mut guide = guide();
        guide.handle_key(at(0), Key::Next);
        assert_eq!(guide.jog(at(0)), None);
        for press in [0, 500, 540, 580] {
            guide.handle_key(at(press), Key::Space);
            assert_eq!(guide.jog(at(press + 249)), Some(LEFT));
        }
        assert_eq!(guide.jog(at(830)), None);
        guide.handle_key(at(900), Key::Space);
        guide.handle_key(at(910), Key::Right);
        assert_eq!(guide.jog(at(910)), None, "any other key ends it");
    }

    #[test]
    fn every_step_changes_its_value_within_the_rules_and_back() {
        for (number, step) in STEPS.iter().enumerate() {
            let mut guide = guide();
            for _ in 0..number {
                guide.handle_key(at(0), Key::Next);
            }
            let before = guide.values();
            guide.handle_key(at(0), Key::Right);
            let wish = guide.poll_wish().unwrap();
            assert_eq!(wish.action, CalibrationAction::Set);
            assert!(guide.text().contains(&(step.value)(&wish.values.unwrap())));
            guide.handle_key(at(0), Key::Left);
            let capped = step.title.ends_with(" end");
            assert!(capped || guide.poll_wish().unwrap().values == Some(before), "{}", step.title);
            for key in [Key::Left, Key::Right] {
                for _ in 0..500 {
                    guide.handle_key(at(0), key);
                }
                let values = guide.poll_wish().unwrap().values.unwrap();
                assert!(Config::default().with_calibration(&values).is_ok(), "{values:?}");
            }
        }
    }

    #[test]
    fn the_way_through_ends_after_the_last_step() {
        let mut guide = guide();
        guide.handle_key(at(0), Key::Back);
        for (number, _) in (1..).zip(&STEPS) {
            assert!(!guide.is_over() && guide.text().starts_with(&format!("{number} of 9")));
            guide.handle_key(at(0), Key::Next);
        }
        assert!(guide.is_over());
    }

    #[test]
    fn what_the_drive_refuses_is_said_and_its_values_are_shown() {
        let mut guide = guide();
        guide.handle_key(at(0), Key::Right);
        guide.poll_wish().unwrap();
        assert!(guide.text().contains("0.5 %"));
        let refused = Some(Refusal {
            code: RefusalCode::Busy,
            key: None,
            text: Note::lossy("somebody drives the car"),
        });
        let state = CalibrationState { refused, ..self::guide().state };
        guide.handle_state(state);
        assert!(guide.text().contains("somebody drives the car") && guide.text().contains("0.0 %"));
    }
}
