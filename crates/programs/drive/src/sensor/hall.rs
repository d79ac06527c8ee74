//! The speed by a sensor at a wheel, whose pulses come in on a GPIO line.
//!
//! As with the battery, **a thread of its own reads**, and the loop only looks at what it made
//! last: a reading older than `STALE` is none. The thread wakes for pulses at most every
//! `PAUSE`, and lets go of a line that is noisy for `NOISE_PAUSE`: a wire that floats does not
//! eat the processor.

use super::Sensor;
use crate::config::LineName;
use gpiocdev::Request;
use gpiocdev::line::{Bias, EdgeDetection, EventClock};
use rccar_causes::causes;
use rccar_daemon::clock;
use rccar_drive_core::speed::{SpeedSettings, Speedometer};
use rccar_protocol::units::MonotonicMicros;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Longest wait for a pulse: without one the speed falls.
const WAIT: Duration = Duration::from_millis(50);
/// The thread looks no more often, however many pulses come.
const PAUSE: Duration = Duration::from_millis(5);
/// How long a reading counts.
const STALE: Duration = Duration::from_millis(500);
/// How long a noisy line is left alone.
const NOISE_PAUSE: Duration = Duration::from_secs(10);
/// Time between two tries to open the line.
const AGAIN: Duration = Duration::from_secs(1);
/// Edges that the kernel keeps, and that one look takes. Lost ones are counted by their numbers.
const EDGES: u32 = 64;
/// Longest time that the kernel waits for a quiet line: a reed contact bounces for about 1 ms.
const LONGEST_DEBOUNCE: Duration = Duration::from_millis(2);

/// Bits of a speed in [`Latest`].
const SPEED_BITS: u32 = 16;

/// The last reading in one word: ms of the clock, and below them mm/s. Zero is none.
type Latest = AtomicU64;

/// A line with edges.
pub trait Edges {
    /// Waits for edges, not longer than `within`, and calls `each` with time and number of those
    /// that came.
    ///
    /// # Errors
    /// If the line is lost.
    fn wait(
        &mut self,
        within: Duration,
        each: &mut dyn FnMut(MonotonicMicros, u32),
    ) -> io::Result<()>;
}

/// Measures the speed of a wheel. When it is dropped, its thread ends.
#[derive(Debug)]
pub struct Hall {
    latest: Arc<Latest>,
}

impl Hall {
    /// Starts the thread, which opens the line and goes on trying while it cannot.
    ///
    /// # Errors
    /// If a setting is out of range, or the system refuses the thread.
    pub fn start(line: &LineName, settings: SpeedSettings) -> io::Result<Self> {
        let name = line.0.clone();
        let debounce = (settings.shortest_period() / 2).min(LONGEST_DEBOUNCE);
        let open = move || Line::open(&name, debounce).map(|line| Box::new(line) as Box<dyn Edges>);
        Self::start_with(settings, open)
    }

    fn start_with(
        settings: SpeedSettings,
        open: impl Fn() -> io::Result<Box<dyn Edges>> + Send + 'static,
    ) -> io::Result<Self> {
        let meter = Speedometer::new(settings).map_err(io::Error::other)?;
        let latest = Arc::new(Latest::default());
        let reader = Reader { meter, latest: Arc::downgrade(&latest), open };
        std::thread::Builder::new().name("speed".into()).spawn(move || reader.run())?;
        Ok(Self { latest })
    }

    fn speed_at(&self, now: MonotonicMicros) -> Option<u16> {
        let word = self.latest.load(Ordering::Relaxed);
        let at = MonotonicMicros((word >> SPEED_BITS).saturating_mul(1_000));
        let speed = u16::try_from(word & u64::from(u16::MAX)).ok()?;
        (word != 0 && now.since(at) <= STALE).then_some(speed)
    }
}

impl Sensor for Hall {
    fn speed_mm_s(&self) -> Option<u16> {
        self.speed_at(clock::now())
    }
}

struct Reader<O> {
    meter: Speedometer,
    latest: Weak<Latest>,
    open: O,
}

/// Why the thread no longer reads.
enum End {
    /// Its owner is gone.
    Owner,
    Noise,
    Lost(io::Error),
}

impl<O: Fn() -> io::Result<Box<dyn Edges>>> Reader<O> {
    fn run(mut self) {
        // How often something went wrong: one line for each doubling.
        let mut troubles = 0_u64;
        while self.latest.strong_count() > 0 {
            let end = match (self.open)() {
                Ok(mut line) => self.read(&mut *line),
                Err(error) => End::Lost(error),
            };
            if let Some(latest) = self.latest.upgrade() {
                latest.store(0, Ordering::Relaxed);
            }
            troubles += 1;
            let loud = troubles.is_power_of_two();
            let pause = match end {
                End::Owner => return,
                End::Noise => {
                    if loud {
                        tracing::warn!("the line of the speed sensor is noisy: is its wire off?");
                    }
                    NOISE_PAUSE
                }
                End::Lost(error) => {
                    if loud {
                        let error = causes(&error).to_string();
                        tracing::warn!(error, "cannot read the line of the speed sensor");
                    }
                    AGAIN
                }
            };
            self.rest(pause);
        }
    }

    fn read(&mut self, line: &mut dyn Edges) -> End {
        self.meter.restart();
        loop {
            let meter = &mut self.meter;
            let waited = line.wait(WAIT, &mut |at, number| meter.handle_edge(at, number));
            if let Err(error) = waited {
                return End::Lost(error);
            }
            let now = clock::now();
            let Some(latest) = self.latest.upgrade() else { return End::Owner };
            let Some(speed) = self.meter.speed(now) else { return End::Noise };
            latest.store(((now.0 / 1_000) << SPEED_BITS) | u64::from(speed), Ordering::Relaxed);
            drop(latest);
            std::thread::sleep(PAUSE);
        }
    }

    /// Sleeps, and ends soon after its owner.
    fn rest(&self, pause: Duration) {
        let until = clock::now().plus(pause);
        while clock::now() < until && self.latest.strong_count() > 0 {
            std::thread::sleep(WAIT.min(pause));
        }
    }
}

/// A line of the kernel.
struct Line(Request);

impl Line {
    fn open(name: &str, debounce: Duration) -> io::Result<Self> {
        let other = |error: gpiocdev::Error| io::Error::other(format!("{name}: {error}"));
        let found = gpiocdev::find_named_line(name).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("{name}: no GPIO chip has a line of this name"),
            )
        })?;
        Request::builder()
            .with_consumer("rccar-drive")
            .with_kernel_event_buffer_size(EDGES)
            .with_found_line(&found)
            // Such sensors only pull to ground.
            .with_bias(Bias::PullUp)
            .with_edge_detection(EdgeDetection::FallingEdge)
            .with_event_clock(EventClock::Monotonic)
            .with_debounce_period(debounce)
            .request()
            .map(Self)
            .map_err(other)
    }
}

impl Edges for Line {
    fn wait(
        &mut self,
        within: Duration,
        each: &mut dyn FnMut(MonotonicMicros, u32),
    ) -> io::Result<()> {
        let other = |error: gpiocdev::Error| io::Error::other(error.to_string());
        let mut waiting = self.0.wait_edge_event(within).map_err(other)?;
        for _ in 0..EDGES {
            if !waiting {
                break;
            }
            let event = self.0.read_edge_event().map_err(other)?;
            each(MonotonicMicros(event.timestamp_ns / 1_000), event.line_seqno);
            waiting = self.0.has_edge_event().map_err(other)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::AtomicU32;
    use std::time::Instant;

    const PATIENCE: Duration = Duration::from_secs(20);
    /// 20 mm from pulse to pulse.
    const SETTINGS: SpeedSettings = SpeedSettings { pulses_per_turn: 10, circumference_mm: 200 };

    /// A wheel that turns with a period; shared with the test.
    #[derive(Default)]
    struct Wheel {
        /// `None`: the line is lost.
        period: Mutex<Option<Duration>>,
        opened: AtomicU32,
        waits: AtomicU32,
    }

    struct Turning {
        wheel: Arc<Wheel>,
        next: MonotonicMicros,
        number: u32,
    }

    impl Edges for Turning {
        fn wait(
            &mut self,
            within: Duration,
            each: &mut dyn FnMut(MonotonicMicros, u32),
        ) -> io::Result<()> {
            self.wheel.waits.fetch_add(1, Ordering::Relaxed);
            let period = *self.wheel.period.lock().unwrap();
            let Some(period) = period else { return Err(io::ErrorKind::NotConnected.into()) };
            if self.next > clock::now() {
                std::thread::sleep(self.next.since(clock::now()).min(within));
            }
            for _ in 0..EDGES {
                if self.next > clock::now() {
                    break;
                }
                self.number += 1;
                each(self.next, self.number);
                self.next = self.next.plus(period);
            }
            Ok(())
        }
    }

    fn start(period: Option<Duration>) -> (Hall, Arc<Wheel>) {
        let wheel = Arc::new(Wheel { period: Mutex::new(period), ..Wheel::default() });
        let shared = Arc::clone(&wheel);
        let hall = Hall::start_with(SETTINGS, move || {
            shared.opened.fetch_add(1, Ordering::Relaxed);
            let wheel = Arc::clone(&shared);
            Ok(Box::new(Turning { wheel, next: clock::now(), number: 0 }) as Box<dyn Edges>)
        });
        (hall.unwrap(), wheel)
    }

    fn await_speed(hall: &Hall, wanted: impl Fn(Option<u16>) -> bool) {
        let started = Instant::now();
        while !wanted(hall.speed_mm_s()) {
            assert!(started.elapsed() < PATIENCE, "{:?}", hall.speed_mm_s());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn a_wheel_that_turns_has_a_speed_and_one_that_stops_has_none() {
        let (hall, wheel) = start(Some(Duration::from_millis(10)));
        await_speed(&hall, |speed| speed.is_some_and(|speed| (1_900..2_100).contains(&speed)));
        *wheel.period.lock().unwrap() = Some(Duration::from_secs(3_600));
        await_speed(&hall, |speed| speed == Some(0));
    }

    #[test]
    fn a_line_that_is_lost_is_said_so_and_opened_again() {
        let (hall, wheel) = start(Some(Duration::from_millis(10)));
        await_speed(&hall, |speed| speed.is_some_and(|speed| speed > 1_000));
        *wheel.period.lock().unwrap() = None;
        await_speed(&hall, |speed| speed.is_none());
        *wheel.period.lock().unwrap() = Some(Duration::from_millis(20));
        await_speed(&hall, |speed| speed.is_some_and(|speed| speed > 500));
        assert!(wheel.opened.load(Ordering::Relaxed) > 1);
    }

    #[test]
    fn a_line_that_floats_is_let_go_and_wakes_nobody() {
        let (hall, wheel) = start(Some(Duration::from_micros(20)));
        let noisy = || hall.speed_mm_s().is_none() && wheel.waits.load(Ordering::Relaxed) > 0;
        let started = Instant::now();
        let mut since = None;
        // It reads for a second at most, and then not at all for some.
        while since.is_none_or(|at: Instant| at.elapsed() < Duration::from_secs(2)) {
            assert!(started.elapsed() < PATIENCE);
            since = if noisy() { since.or_else(|| Some(Instant::now())) } else { None };
            std::thread::sleep(Duration::from_millis(5));
        }
        let waits = wheel.waits.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(wheel.waits.load(Ordering::Relaxed), waits);
        assert_eq!(wheel.opened.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_line_that_is_not_there_names_itself() {
        let error = Line::open("NO-SUCH-LINE", Duration::ZERO).err().unwrap().to_string();
        assert_eq!(error, "NO-SUCH-LINE: no GPIO chip has a line of this name");
    }
}
