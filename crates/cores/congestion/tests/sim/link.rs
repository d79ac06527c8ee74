//! The way there: a policer, a bottleneck with a queue, loss, delay.

use super::dice::Dice;
use super::{Load, Micros, Packet, SECOND};
use rccar_link_emulator as emulator;
use std::collections::VecDeque;
use std::time::Duration;

/// What the bottleneck carries (bit/s) over time.
#[derive(Debug, Clone)]
pub enum Capacity {
    /// From each second on, this.
    Steps(Vec<(f64, f64)>),
    /// One value for each 100 ms.
    Trace(Vec<f64>),
}

impl Capacity {
    pub fn at(&self, now: Micros) -> f64 {
        match self {
            Self::Steps(steps) => {
                let past = |(from, _): &&(f64, f64)| now as f64 >= from * 1e6;
                steps.iter().rev().find(past).map_or(0.0, |(_, rate)| *rate)
            }
            Self::Trace(slots) => {
                slots[usize::try_from(now / (SECOND / 10)).unwrap().min(slots.len() - 1)]
            }
        }
    }
}

/// How much waits at the bottleneck before it drops what comes.
#[derive(Debug, Clone, Copy)]
pub enum Buffer {
    /// At the present rate.
    Seconds(f64),
    /// As a modem has it.
    Bytes(f64),
}

#[derive(Debug, Clone, Copy)]
pub enum Loss {
    Nothing,
    /// Each packet with this probability.
    Random(f64),
    /// Everything for so long, so often (both in seconds, the pause exponential).
    Bursts {
        every: f64,
        length: f64,
    },
}

/// Drops what exceeds a rate, without a queue.
#[derive(Debug, Clone, Copy)]
pub struct Policer {
    pub rate: f64,
    pub burst: f64,
}

#[derive(Debug, Clone)]
pub struct Way {
    pub capacity: Capacity,
    pub buffer: Buffer,
    /// The bottleneck sends once in this time, as a cell grants its phones.
    pub slot: Micros,
    /// One way, when nothing waits.
    pub there: Micros,
    pub back: Micros,
    pub loss: Loss,
    pub policer: Option<Policer>,
    /// Deviation of the delay (µs). Order is kept, as LTE keeps it.
    pub jitter: f64,
    /// The network lab's link instead of this model: queue, loss and delay are then its own.
    pub emulated: Option<emulator::Path>,
}

impl emulator::Packet for Packet {
    fn size(&self) -> usize {
        self.bytes.round() as usize
    }
}

pub struct Link {
    pub way: Way,
    queue: VecDeque<Packet>,
    queued: f64,
    /// Bytes that the bottleneck may send.
    credit: f64,
    /// Bytes that the policer lets through.
    tokens: f64,
    flying: VecDeque<(Micros, Packet)>,
    burst: (Micros, Micros),
    emulated: Option<emulator::Direction<Packet>>,
    /// Packets lost, of each car.
    pub lost: Vec<u64>,
}

impl Link {
    pub fn new(way: Way, cars: usize, seed: u64) -> Self {
        let dice = emulator::Dice::new(seed);
        let emulated = way.emulated.clone();
        Self {
            emulated: emulated.map(|path| emulator::Direction::new(path, Duration::ZERO, dice)),
            way,
            queue: VecDeque::new(),
            queued: 0.0,
            credit: 0.0,
            tokens: 0.0,
            flying: VecDeque::new(),
            burst: (0, 0),
            lost: vec![0; cars],
        }
    }

    /// How long a packet would wait now.
    pub fn wait(&self, now: Micros) -> Micros {
        (self.queued * 8e6 / self.way.capacity.at(now).max(1e3)) as Micros
    }

    /// Whether the packet was taken.
    pub fn send(&mut self, now: Micros, packet: Packet) -> bool {
        if let Some(link) = &mut self.emulated {
            let missing = |link: &emulator::Direction<Packet>| {
                link.counters().lost + link.counters().tail_dropped
            };
            let before = missing(link);
            link.handle_input(duration(now), packet);
            let taken = missing(link) == before;
            if !taken {
                self.lose(packet);
            }
            return taken;
        }
        let most = match self.way.buffer {
            Buffer::Seconds(seconds) => (seconds * self.way.capacity.at(now) / 8.0).max(3_000.0),
            Buffer::Bytes(bytes) => bytes,
        };
        let policed = self.way.policer.is_some() && self.tokens < packet.bytes;
        if policed || self.queued + packet.bytes > most {
            self.lose(packet);
            return false;
        }
        self.tokens -= packet.bytes;
        self.queued += packet.bytes;
        self.queue.push_back(packet);
        true
    }

    /// Another path: what is under way on the old one is lost.
    pub fn change(&mut self, there: Micros, back: Micros) {
        (self.way.there, self.way.back) = (there, back);
        let gone: Vec<_> =
            self.queue.drain(..).chain(self.flying.drain(..).map(|(_, p)| p)).collect();
        gone.into_iter().for_each(|packet| self.lose(packet));
        self.queued = 0.0;
    }

    /// Time has passed; what has arrived?
    pub fn step(&mut self, now: Micros, step: Micros, dice: &mut Dice) -> Vec<Packet> {
        if let Some(link) = &mut self.emulated {
            link.handle_timeout(duration(now));
            return std::iter::from_fn(|| link.poll_output(duration(now))).collect();
        }
        if let Some(policer) = self.way.policer {
            self.tokens = (self.tokens + policer.rate * step as f64 / 8e6).min(policer.burst);
        }
        self.credit += self.way.capacity.at(now) * step as f64 / 8e6;
        if now % self.way.slot < step {
            while let Some(packet) = self.queue.pop_front_if(|packet| packet.bytes <= self.credit) {
                self.queued -= packet.bytes;
                self.credit -= packet.bytes;
                self.fly(now, packet, dice);
            }
            if self.queue.is_empty() {
                self.credit = 0.0;
            }
        }
        let mut arrived = Vec::new();
        while let Some((_, packet)) = self.flying.pop_front_if(|(at, _)| *at <= now) {
            arrived.push(packet);
        }
        arrived
    }

    fn fly(&mut self, now: Micros, packet: Packet, dice: &mut Dice) {
        let lost = match self.way.loss {
            Loss::Nothing => false,
            Loss::Random(probability) => dice.chance(probability),
            Loss::Bursts { every, length } => {
                if now >= self.burst.1 {
                    let from = now + (-every * dice.share().max(1e-12).ln() * 1e6) as Micros;
                    self.burst = (from, from + (length * 1e6) as Micros);
                }
                now >= self.burst.0
            }
        };
        if lost {
            self.lose(packet);
            return;
        }
        let jitter = match self.way.jitter > 0.0 {
            true => (self.way.jitter * dice.normal()).abs() as Micros,
            false => 0,
        };
        let last = self.flying.back().map_or(0, |(at, _)| *at);
        self.flying.push_back(((now + self.way.there + jitter).max(last), packet));
    }

    fn lose(&mut self, packet: Packet) {
        if matches!(packet.load, Load::Media { .. }) {
            self.lost[packet.car] += 1;
        }
    }
}

fn duration(micros: Micros) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap())
}
