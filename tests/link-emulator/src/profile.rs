//! Properties of a link, and the links that have names.

use crate::Dice;
use std::sync::Arc;
use std::time::Duration;

/// One direction of a link.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Time on the way, without queues.
    pub delay: Duration,
    /// Standard deviation of the delay. Packets never overtake each other.
    pub jitter: Duration,
    pub loss: Loss,
    pub rate: Rate,
    /// Longest time that a packet may wait for its turn at the present rate. One that would wait
    /// longer is dropped (droptail).
    pub queue: Duration,
}

/// Packets that are lost on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    None,
    /// Each packet with this probability.
    Random(f64),
    /// In bursts (Gilbert): all packets of a bad time are lost.
    Bursts {
        /// Probability that a bad time begins with a packet.
        begin: f64,
        /// Probability that it ends with the next packet. Its inverse is the mean length of a
        /// burst.
        end: f64,
    },
}

/// How much a link carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Rate {
    Unlimited,
    /// In kbit/s.
    Steady(u32),
    /// In kbit/s from each time on, counted from the moment at which the profile was set. 0 carries
    /// nothing.
    Steps(Vec<(Duration, u32)>),
    /// Opportunities to send 1500 bytes.
    Trace(Arc<Trace>),
}

impl Rate {
    /// Bits that a link can carry between these times, counted from the moment at which it was set.
    #[must_use]
    pub fn carries(&self, from: Duration, to: Duration) -> f64 {
        let seconds = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64();
        match self {
            Self::Unlimited => f64::INFINITY,
            Self::Steady(kbps) => f64::from(*kbps) * 1e3 * seconds(from, to),
            Self::Steps(steps) => {
                let ends = steps.iter().map(|(at, _)| *at).skip(1).chain([Duration::MAX]);
                let parts = steps.iter().zip(ends);
                parts
                    .map(|((at, kbps), end)| {
                        f64::from(*kbps) * 1e3 * seconds((*at).max(from), end.min(to))
                    })
                    .sum()
            }
            Self::Trace(trace) => {
                #[allow(clippy::cast_precision_loss, reason = "traces are short")]
                let opportunities = (trace.before(to) - trace.before(from)) as f64;
                opportunities * Trace::OPPORTUNITY as f64 * 8.0
            }
        }
    }
}

/// Times at which a link can carry 1500 bytes. They repeat after the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Milliseconds, rising. Several packets in one millisecond are several entries.
    pub at_ms: Vec<u64>,
}

impl Trace {
    /// Bytes of one opportunity.
    pub const OPPORTUNITY: usize = 1500;

    /// An invented drive past cells. The rate wanders between `low` and `high` kbit/s: a little
    /// every 100 ms, sometimes a lot.
    #[must_use]
    pub fn invented(seed: u64, length: Duration, low: u32, high: u32) -> Self {
        let mut dice = Dice::new(seed);
        let (low, high) = (f64::from(low), f64::from(high));
        let (mut rate, mut credit, mut at_ms) = ((low + high) / 2.0, 0.0, Vec::new());
        for ms in 0..u64::try_from(length.as_millis()).unwrap_or(u64::MAX) {
            if ms % 100 == 0 {
                let jump = if dice.chance(0.02) { 0.5 } else { 0.06 };
                rate = (rate + dice.normal() * jump * (high - low)).clamp(low, high);
            }
            // Bytes in a millisecond.
            credit += rate / 8.0;
            while credit >= 1500.0 {
                credit -= 1500.0;
                at_ms.push(ms);
            }
        }
        Self { at_ms }
    }

    /// Mean rate in bytes per second.
    pub(crate) fn mean(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "traces are short")]
        let (packets, ms) = (self.at_ms.len() as f64, self.period_ms() as f64);
        packets * 1_500_000.0 / ms
    }

    /// Number of opportunities before this time.
    fn before(&self, time: Duration) -> u64 {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (rounds, rest) = (ms / self.period_ms(), ms % self.period_ms());
        let within = self.at_ms.partition_point(|&at| at < rest);
        rounds * self.at_ms.len() as u64 + within as u64
    }

    pub(crate) fn period_ms(&self) -> u64 {
        self.at_ms.last().map_or(1, |last| last + 1)
    }
}

/// Both directions of a link.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// From the car or the driver to the network.
    pub up: Path,
    pub down: Path,
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

impl Path {
    /// A path that only delays.
    #[must_use]
    pub const fn of(delay: Duration) -> Self {
        Self {
            delay,
            jitter: Duration::ZERO,
            loss: Loss::None,
            rate: Rate::Unlimited,
            queue: ms(300),
        }
    }
}

impl Profile {
    /// The same both ways.
    #[must_use]
    pub fn symmetric(path: Path) -> Self {
        Self { down: path.clone(), up: path }
    }

    /// A cable: nothing is lost, a millisecond there and a millisecond back.
    #[must_use]
    pub fn cable() -> Self {
        Self::symmetric(Path::of(ms(1)))
    }

    /// "good-4g": 10 Mbit/s up, 25 ms one way, hardly any loss.
    #[must_use]
    pub fn good_4g() -> Self {
        let up = Path {
            delay: ms(25),
            jitter: ms(3),
            loss: Loss::Random(0.001),
            rate: Rate::Steady(10_000),
            queue: ms(300),
        };
        Self { down: Path { rate: Rate::Steady(30_000), ..up.clone() }, up }
    }

    /// "weak-4g": the edge of a cell. The rate wanders between 0.6 and 2.5 Mbit/s, 60 ms one way,
    /// 2 % loss in bursts of four packets.
    #[must_use]
    pub fn weak_4g() -> Self {
        let rate = Rate::Trace(Arc::new(Trace::invented(4, Duration::from_secs(60), 600, 2_500)));
        let loss = Loss::Bursts { begin: 0.005, end: 0.25 };
        let up = Path { delay: ms(60), jitter: ms(10), loss, rate, queue: ms(400) };
        Self { down: Path { rate: Rate::Steady(4_000), ..up.clone() }, up }
    }

    /// "tunnel": good until `enter`, then nothing passes for `length`, then good again.
    #[must_use]
    pub fn tunnel(enter: Duration, length: Duration) -> Self {
        let good = Self::good_4g();
        let steps =
            |kbps| Rate::Steps(vec![(Duration::ZERO, kbps), (enter, 0), (enter + length, kbps)]);
        Self {
            up: Path { rate: steps(10_000), ..good.up },
            down: Path { rate: steps(30_000), ..good.down },
        }
    }

    /// "cell-change": good, but for 400 ms nothing passes while the modem moves to another cell.
    /// Packets that wait meanwhile arrive late.
    #[must_use]
    pub fn cell_change(at: Duration) -> Self {
        let mut profile = Self::tunnel(at, ms(400));
        (profile.up.queue, profile.down.queue) = (ms(500), ms(500));
        profile
    }

    /// A profile by its name, for command lines. Tunnels and cell changes come after two seconds;
    /// the tunnel is four seconds long.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "cable" => Self::cable(),
            "good-4g" => Self::good_4g(),
            "weak-4g" => Self::weak_4g(),
            "tunnel" => Self::tunnel(Duration::from_secs(2), Duration::from_secs(4)),
            "cell-change" => Self::cell_change(Duration::from_secs(2)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invented_trace_stays_within_its_bounds() {
        let trace = Trace::invented(4, Duration::from_secs(60), 600, 2_500);
        let kbps = trace.mean() * 8.0 / 1000.0;
        assert!((700.0..2_400.0).contains(&kbps), "{kbps}");
        assert!(trace.at_ms.is_sorted());
        assert_eq!(trace, Trace::invented(4, Duration::from_secs(60), 600, 2_500));
    }

    #[test]
    fn every_name_has_a_profile() {
        for name in ["cable", "good-4g", "weak-4g", "tunnel", "cell-change"] {
            assert!(Profile::named(name).is_some(), "{name}");
        }
        assert_eq!(Profile::named("5g"), None);
    }
}
