//! No order, loss or repetition of frames makes the driver's input look fresher than it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;
use rccar_car_core::freshness::Freshness;
use rccar_protocol::control::ControlFrame;
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// How fast the floor may rise, and how fast two clocks may drift apart.
const PPM: i64 = 200;

/// A frame on its way, in µs by the car's clock.
#[derive(Debug, Clone)]
struct Frame {
    sent: i64,
    /// How long each of its copies is under way. A lost frame has none.
    transits: Vec<i64>,
    sample_age_ms: u16,
}

/// A copy of a frame that reaches the car.
#[derive(Debug, Clone)]
struct Arrival {
    at: i64,
    transit: i64,
    sample_age_ms: u16,
}

/// Frames close together, with a gap of minutes now and then. Each is queued for a while, lost, or
/// comes twice.
fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let gap = prop_oneof![8 => 0i64..40_000, 1 => 0i64..600_000_000];
    let transit =
        prop_oneof![4 => 1_000i64..60_000, 2 => 1_000i64..3_000_000, 1 => 1_000i64..900_000_000];
    let frame = (gap, prop::collection::vec(transit, 0..3), 0u16..200);
    prop::collection::vec(frame, 1..120).prop_map(|frames| {
        let sent = frames.into_iter().scan(0i64, |sent, (gap, transits, sample_age_ms)| {
            *sent += gap;
            Some(Frame { sent: *sent, transits, sample_age_ms })
        });
        sent.collect()
    })
}

fn arrivals(frames: &[Frame]) -> Vec<Arrival> {
    let copies = frames.iter().flat_map(|frame| {
        frame.transits.iter().map(|&transit| Arrival {
            at: frame.sent + transit,
            transit,
            sample_age_ms: frame.sample_age_ms,
        })
    });
    let mut arrivals: Vec<_> = copies.collect();
    arrivals.sort_by_key(|arrival| arrival.at);
    arrivals
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_order_loss_or_repetition_of_frames_makes_input_look_fresher_than_it_is(
        frames in frames(),
        rests in prop::collection::vec(prop::bool::weighted(0.05), 240),
        parting_ppm in -PPM..=PPM,
        car_started in 0u64..1 << 40,
        page_started in any::<u32>(),
    ) {
        let mut freshness = Freshness::default();
        // The frames that arrived since the car began to move.
        let mut moving: Vec<Arrival> = Vec::new();
        let mut at_rest = true;
        let turns = rests.into_iter().chain(std::iter::repeat(false));
        for (arrival, turns) in arrivals(&frames).into_iter().zip(turns) {
            at_rest ^= turns;
            let sent = arrival.at - arrival.transit;
            let by_page = sent + sent * parting_ppm / 1_000_000;
            let frame = ControlFrame {
                sent_us: u32::try_from((i64::from(page_started) + by_page) % (1 << 32)).unwrap(),
                sample_age_ms: arrival.sample_age_ms,
                ..ControlFrame::default()
            };
            let now = MonotonicMicros(car_started + u64::try_from(arrival.at).unwrap());
            let age = freshness.handle_frame(now, &frame, at_rest);
            let at_sending = Duration::from_millis(arrival.sample_age_ms.into());
            prop_assert!(age >= at_sending, "{age:?} is less than at sending");
            if at_rest {
                moving.clear();
                continue;
            }
            moving.push(arrival.clone());
            let waited = i64::try_from((age - at_sending).as_micros()).unwrap();
            for earlier in &moving {
                // The clocks drift apart between the moments of sending, and the floor rises
                // between the arrivals; 2 µs are rounding.
                let between = sent - (earlier.at - earlier.transit);
                let parted = (between * parting_ppm / 1_000_000).abs();
                let risen = (arrival.at - earlier.at) * PPM / 1_000_000;
                let least = arrival.transit - earlier.transit - parted - risen - 2;
                prop_assert!(
                    waited >= least,
                    "{waited} µs, at least {least} µs were spent in queues: \
                     {arrival:?} after {earlier:?}"
                );
            }
        }
    }
}
