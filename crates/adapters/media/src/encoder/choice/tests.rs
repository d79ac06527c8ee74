use super::*;
use crate::encoder::v4l2::mock::{Act, Build, Machine};
use std::time::{Duration, Instant};

#[test]
fn a_machine_without_a_device_encodes_in_software_and_says_why() {
    for wish in [Wish::Auto, Wish::V4l2] {
        let choice = choose(wish, order(1_000), &Machine::default());
        assert!(choice.device.is_none());
        let words = choice.to_string();
        assert!(words.starts_with("OpenH264, in software: no device gives H264"), "{words}");
        assert_eq!(choice.against_wish, wish == Wish::V4l2);
    }
    let words = describe(Wish::OpenH264, order(1_000));
    assert_eq!(words, "OpenH264, in software: the configuration says so");
}

#[test]
fn the_device_is_used_where_there_is_one_and_the_bit_rate_is_enough() {
    let machine = Machine::with(Build::default());
    let chosen = |wish, kbps| choose(wish, order(kbps), &machine);
    assert_eq!(chosen(Wish::Auto, 1_000).to_string(), "/dev/video11 (bcm2835-codec)");
    let low = chosen(Wish::Auto, 250);
    assert!(low.device.is_none() && low.words.contains("400 kbit/s"), "{low}");
    let low = chosen(Wish::V4l2, 250);
    assert!(low.device.is_some() && low.words.contains("least rate, 400 kbit/s"), "{low}");
    assert!(chosen(Wish::OpenH264, 1_000).device.is_none());
}

#[test]
fn the_least_rate_follows_the_size() {
    let floor = |width, height| floor_kbps(VideoFormat::new(width, height, 30).unwrap());
    assert_eq!([floor(640, 360), floor(1280, 720), floor(1920, 1080)], [400, 800, 1_200]);
}

#[test]
fn a_device_that_another_program_has_costs_no_frame() {
    let machine = Machine::with(Build::default());
    machine.set_busy();
    let mut encoder = open_on(&machine);
    assert!(next(encoder.as_mut()).unwrap().unwrap().keyframe);
    assert_eq!(machine.opened(), (0, 0));
}

#[test]
fn one_that_is_unplugged_or_hangs_costs_itself_and_not_the_picture() {
    for act in [Act::Unplug, Act::Block] {
        let machine = Machine::with(Build::default());
        let mut encoder = open_on(&machine);
        assert!(next(encoder.as_mut()).unwrap().is_some());
        machine.script([act]);
        let begun = Instant::now();
        assert_eq!(encoder.name(), "/dev/video11 (bcm2835-codec)");
        let after = next(encoder.as_mut()).unwrap().unwrap();
        assert_eq!(encoder.name(), "OpenH264");
        assert!(after.keyframe, "{act:?}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{act:?}");
        assert!(!next(encoder.as_mut()).unwrap().unwrap().keyframe);
    }
}

#[test]
fn one_that_fails_is_opened_again_and_given_up_after_three_times() {
    let machine = Machine::with(Build::default());
    let mut encoder = open_on(&machine);
    machine.always(Act::Drop);
    let mut failures = 0;
    let first = loop {
        match next(encoder.as_mut()) {
            Ok(Some(encoded)) => break encoded,
            Ok(None) => {}
            Err(error) => {
                failures += 1;
                assert!(error.to_string().contains("frames in a row"), "{error}");
            }
        }
    };
    assert!(first.keyframe);
    assert_eq!((failures, machine.opened().0), (MOST_FAILURES - 1, MOST_FAILURES));
}

#[test]
fn failures_of_long_ago_do_not_count() {
    let machine = Machine::with(Build::default());
    let mut encoder = open_on(&machine);
    for round in 1..=5 {
        machine.script(vec![Act::Drop; 10]);
        while next(encoder.as_mut()).is_ok() {}
        for _ in 0..FORGET_AFTER {
            assert!(next(encoder.as_mut()).unwrap().is_some());
        }
        assert_eq!(machine.opened().0, round + 1);
    }
}

#[test]
fn the_bit_rate_follows_to_the_spare_encoder() {
    let machine = Machine::with(Build::default());
    let mut encoder = open_on(&machine);
    next(encoder.as_mut()).unwrap();
    assert_eq!(encoder.set_bitrate(90).unwrap(), 125, "not below the least of this size");
    machine.script([Act::Unplug]);
    next(encoder.as_mut()).unwrap();
    assert_eq!(encoder.set_bitrate(90).unwrap(), 90);
    assert!(!next(encoder.as_mut()).unwrap().unwrap().keyframe);
}

fn order(bitrate_kbps: u32) -> Order {
    let level = Level::lowest_for(640, 360, 30, bitrate_kbps);
    Order { format: VideoFormat::new(640, 360, 30).unwrap(), level, bitrate_kbps }
}

/// A small picture, so that a test may have many.
fn open_on(machine: &Machine) -> Box<dyn Encoder> {
    let order = Order { format: VideoFormat::new(192, 144, 30).unwrap(), ..order(1_000) };
    open_with(Wish::Auto, order, Arc::new(machine.clone())).unwrap()
}

fn next(encoder: &mut dyn Encoder) -> Result<Option<Encoded>, EncoderError> {
    encoder.encode(&I420Frame::new(VideoFormat::new(192, 144, 30).unwrap()), false)
}
