//! Promises that hold whatever the browser says, and whenever.

use proptest::prelude::*;
use rccar_congestion::{Controller, FarMicros, Limits, Packet, Verdict};
use rccar_protocol::units::MonotonicMicros;
use std::collections::VecDeque;

const INTERVAL: u64 = 33_333;
/// A frame is admitted at least this often, beside the interval of the camera.
const FEELER: u64 = 400_000;
/// While arrivals are reported, a frame comes at least this often.
const LONGEST: u64 = 1_200_000;
/// The round trip that is assumed before the first report (ms), the interval of reports, and how
/// soon a frame must be through.
const UNKNOWN: u32 = 200;
const INTERVAL_OF_REPORTS: f64 = 50.0;
const SOON: f64 = 75.0;
/// Less than this counts as nothing.
const EMPTY: f64 = 100.0;

/// What happens to a controller.
#[derive(Debug, Clone)]
enum Act {
    /// A frame, if it is admitted, in packets of this size.
    Frame {
        bytes: u32,
        packets: u32,
        keyframe: bool,
    },
    /// All packets since the last honest report came, this long after they were sent.
    Honest {
        transit: i64,
    },
    /// Anything: numbers from the newest backwards.
    Forged(Vec<(i64, Option<i64>)>),
    Waiting(usize),
    Limits(Limits),
    NewPath,
    Wait(u64),
}

fn limits() -> impl Strategy<Value = Limits> {
    let rate = prop_oneof![3 => 50_000u32..5_000_000, 1 => any::<u32>()];
    (rate.clone(), rate.clone(), rate, 0u32..120).prop_map(
        |(least_bps, start_bps, most_bps, fps)| Limits { least_bps, start_bps, most_bps, fps },
    )
}

fn far() -> impl Strategy<Value = i64> {
    prop_oneof![2 => -1_000_000i64..10_000_000, 1 => any::<i64>()]
}

fn act() -> impl Strategy<Value = Act> {
    let number = prop_oneof![5 => 0i64..40, 1 => any::<i64>()];
    let wait = prop_oneof![6 => 0u64..100_000, 2 => 0u64..5_000_000, 1 => 0u64..1 << 40];
    prop_oneof![
        8 => (1u32..1_500, 1u32..20, prop::bool::weighted(0.1))
            .prop_map(|(bytes, packets, keyframe)| Act::Frame { bytes, packets, keyframe }),
        4 => (0i64..400_000).prop_map(|transit| Act::Honest { transit }),
        3 => prop::collection::vec((number, prop::option::of(far())), 0..40).prop_map(Act::Forged),
        1 => prop_oneof![4 => 0usize..100_000, 1 => any::<usize>()].prop_map(Act::Waiting),
        1 => limits().prop_map(Act::Limits),
        1 => Just(Act::NewPath),
        8 => wait.prop_map(Act::Wait),
    ]
}

/// A controller, and what its shell knows.
struct Bench {
    control: Controller,
    limits: Limits,
    now: u64,
    sent: VecDeque<(u64, u64)>,
    frames: u32,
    waiting: usize,
    admitted_at: Option<u64>,
}

impl Bench {
    fn new(limits: Limits) -> Self {
        Self {
            control: Controller::new(limits),
            limits,
            now: 7_000_000,
            sent: VecDeque::new(),
            frames: 0,
            waiting: 0,
            admitted_at: None,
        }
    }

    fn now(&self) -> MonotonicMicros {
        MonotonicMicros(self.now)
    }

    fn play(&mut self, act: Act) -> Result<(), TestCaseError> {
        match act {
            Act::Frame { bytes, packets, keyframe } => self.frame(bytes, packets, keyframe)?,
            Act::Honest { transit } => {
                let arrived = |(number, at): (u64, u64)| Verdict {
                    number,
                    arrival: Some(FarMicros(at as i64 + transit)),
                };
                let verdicts: Vec<_> = self.sent.drain(..).map(arrived).collect();
                self.control.handle_feedback(self.now(), &verdicts);
            }
            Act::Forged(verdicts) => {
                let newest = self.control.next_number();
                let verdict = |(back, arrival): (i64, Option<i64>)| Verdict {
                    number: newest.wrapping_add_signed(back.wrapping_neg()),
                    arrival: arrival.map(FarMicros),
                };
                let verdicts: Vec<_> = verdicts.into_iter().map(verdict).collect();
                self.control.handle_feedback(self.now(), &verdicts);
            }
            Act::Waiting(bytes) => {
                self.waiting = bytes;
                self.control.handle_waiting(bytes);
            }
            Act::Limits(limits) => {
                self.limits = limits;
                self.control.handle_limits(limits);
            }
            Act::NewPath => {
                self.sent.clear();
                self.admitted_at = None;
                self.control.handle_new_path(self.now());
            }
            Act::Wait(micros) => self.now = self.now.saturating_add(micros),
        }
        self.check()
    }

    fn frame(&mut self, bytes: u32, packets: u32, keyframe: bool) -> Result<(), TestCaseError> {
        let before = self.control.insight();
        if !self.control.admit(self.now(), keyframe) {
            let since = self.admitted_at.map(|last| self.now - last);
            prop_assert!(since.is_some_and(|since| since <= LONGEST), "nothing for {since:?} µs");
            return Ok(());
        }
        let is_feeler = self.admitted_at.is_none_or(|last| self.now - last > FEELER);
        self.admitted_at = Some(self.now);
        // What is under way, beyond what may have drained since the newest report could be written,
        // is through within 75 ms. A feeler may be more, and into an empty link goes any frame.
        let under_way = f64::from(before.under_way) + self.waiting as f64;
        let round_trip = before.round_trip_ms.max(UNKNOWN);
        let time = f64::from(round_trip) + INTERVAL_OF_REPORTS + SOON;
        let limit = f64::from(before.capacity_bps) / 8e3 * time + EMPTY;
        prop_assert!(is_feeler || under_way <= limit + 1.0, "{under_way} of {limit} under way");
        self.frames += 1;
        for _ in 0..packets {
            let packet = Packet { bytes, frame: Some(self.frames) };
            self.sent.push_back((self.control.handle_sent(self.now(), packet), self.now));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let (rate, insight) = (self.control.poll_rate(), self.control.insight());
        let most = self.limits.most_bps.max(1);
        let least = self.limits.least_bps.clamp(1, most);
        prop_assert!((least..=most).contains(&rate), "{rate} of {:?}", self.limits);
        prop_assert!(self.control.poll_pacing() >= rate);
        prop_assert_eq!(insight.rate_bps, rate);
        // One that is no number would be shown as 0, and one without end as the most.
        let most = 4 * u64::from(most);
        let capacity = u64::from(insight.capacity_bps);
        prop_assert!(capacity > 0 || least < 4, "{insight:?}");
        prop_assert!(capacity <= most, "{insight:?}");
        Ok(())
    }
}

proptest! {
    #[test]
    fn no_order_of_reports_panics_or_leaves_the_limits(
        limits in limits(),
        acts in prop::collection::vec(act(), 1..300),
    ) {
        let mut bench = Bench::new(limits);
        for act in acts {
            bench.play(act)?;
        }
    }

    /// A camera goes on while the browser says anything or nothing.
    #[test]
    fn admission_never_wedges(
        limits in limits(),
        acts in prop::collection::vec(act(), 1..100),
        frames in 20usize..60,
    ) {
        let mut bench = Bench::new(limits);
        for act in acts {
            bench.play(act)?;
        }
        let mut admitted_at = bench.now;
        for _ in 0..frames {
            bench.now += INTERVAL;
            if bench.control.admit(bench.now(), false) {
                bench.admitted_at = Some(bench.now);
                admitted_at = bench.now;
            }
            prop_assert!(bench.now - admitted_at <= LONGEST + INTERVAL);
        }
    }

    /// Nothing is heard: what is sent has an end, but for a frame each 400 ms.
    #[test]
    fn silence_ends_the_sending(transit in 1_000i64..150_000, bytes in 200u32..1_200) {
        let limits =
            Limits { least_bps: 150_000, start_bps: 500_000, most_bps: 2_500_000, fps: 30 };
        let mut bench = Bench::new(limits);
        for _ in 0..60 {
            bench.play(Act::Frame { bytes, packets: 4, keyframe: false })?;
            bench.play(Act::Wait(INTERVAL))?;
            bench.play(Act::Honest { transit })?;
        }
        let mut admitted = Vec::new();
        for _ in 0..90 {
            let before = bench.frames;
            bench.play(Act::Frame { bytes, packets: 4, keyframe: false })?;
            admitted.push(bench.frames > before);
            bench.play(Act::Wait(INTERVAL))?;
        }
        // Half a second is more than reports take on this path.
        let later = admitted[15..].iter().filter(|admitted| **admitted).count();
        prop_assert!((1..=7).contains(&later), "{later} frames in 2.5 s of silence");
    }
}
