use super::mock::{Act, BITRATE, Build, FORCE_KEY_FRAME, LEVEL, Machine, PROFILE};
use super::*;
use crate::encoder::Encoded;
use crate::frame::{I420Frame, PlanesMut, VideoFormat};
use openh264::decoder::Decoder;
use openh264::formats::YUVSource;
use proptest::prelude::*;
use rccar_protocol::video::Level;
use session::{MOST_SILENT, Session};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn a_device_is_found_by_what_it_can_do() {
    let found = find(&Machine::with(Build::default()), *b"H264", false).unwrap();
    assert_eq!(found.to_string(), "/dev/video11 (bcm2835-codec)");
    let decoder = Build { takes: vec![*b"H264"], gives: vec![*b"YU12"], ..Build::default() };
    let why = find(&Machine::with(decoder), *b"H264", true).unwrap_err();
    assert_eq!(why, "no device gives H264");
    let odd = Build { takes: vec![*b"RGB3"], ..Build::default() };
    assert!(find(&Machine::with(odd), *b"H264", true).is_err());
    let why = find(&Machine::default(), *b"H264", true).unwrap_err();
    assert!(why.starts_with("no device gives H264 (/dev/video11: "), "{why}");
}

#[test]
fn a_driver_that_nobody_knows_is_used_only_if_asked_for() {
    let machine = Machine::with(Build { driver: "vpu", ..Build::default() });
    let why = find(&machine, *b"H264", false).unwrap_err();
    assert_eq!(why, "/dev/video11 (vpu) is not known to work");
    assert!(find(&machine, *b"H264", true).is_ok());
}

#[test]
fn formats_and_controls_come_before_memory_and_memory_before_the_start() {
    let machine = Machine::with(Build::default());
    open(&machine, 640, 360).unwrap();
    let calls = machine.calls();
    let place = |words: &str| {
        calls.iter().position(|call| call.starts_with(words)).unwrap_or_else(|| panic!("{words}"))
    };
    let order = [
        "take",
        "format Capture",
        "format Output",
        "rate 30",
        "control",
        "buffers Output",
        "buffers Capture",
        "queue Capture",
        "stream Output true",
        "stream Capture true",
    ];
    let places = order.map(place);
    assert!(places.is_sorted(), "{calls:?}");
    let last_control = calls.iter().rposition(|call| call.starts_with("control")).unwrap();
    assert!(last_control < place("buffers"), "{calls:?}");
}

#[test]
fn the_stream_has_the_profile_and_the_level_that_are_offered() {
    for (width, height, fps, kbps) in
        [(320, 240, 30, 500), (640, 360, 30, 1_000), (640, 360, 60, 1_000), (1280, 720, 30, 2_000)]
    {
        let machine = Machine::with(Build::default());
        let offered = Level::lowest_for(width, height, fps, kbps);
        let format = VideoFormat::new(width, height, fps).unwrap();
        let settings = Settings { format, coding: Coding::H264(offered), bitrate_kbps: kbps };
        let device = machine.open("/dev/video11".as_ref()).unwrap();
        let mut session = Session::open(device, settings, true).unwrap();
        let keyframe = session.encode(&I420Frame::new(format), false).unwrap().unwrap();
        // Constrained baseline is item 1 of its menu. Of levels, item 8 is 3.0 and 9 is 3.1.
        let item = match offered.idc() {
            13 => 4,
            20 => 5,
            30 => 8,
            31 => 9,
            other => panic!("{other}"),
        };
        assert!(machine.calls().contains(&format!("control {PROFILE:#x} = 1")));
        assert!(machine.calls().contains(&format!("control {LEVEL:#x} = {item}")));
        let profile = crate::encoder::h264::profile(&keyframe.data).unwrap();
        assert!(offered.covers(profile), "{profile:?}");
        assert_eq!(offered.profile_level_id()[4..], format!("{:02x}", profile[2]));
    }
}

#[test]
fn a_stream_that_does_not_fit_the_offer_is_not_sent() {
    let machine = Machine::with(Build { level_idc: Some(52), ..Build::default() });
    let trouble = open(&machine, 640, 360).unwrap().encode(&frame(640, 360, 0), false);
    let words = trouble.unwrap_err().to_string();
    assert!(words.ends_with("34; 42e01e was offered"), "{words}");
}

#[test]
fn a_frame_that_the_firmware_leaves_out_is_none_and_the_next_ones_come() {
    let machine = Machine::with(Build::default());
    let mut session = open(&machine, 320, 240).unwrap();
    machine.script([Act::Encode, Act::Drop, Act::Encode, Act::Drop, Act::Drop, Act::Encode]);
    let given: Vec<bool> = (0..6)
        .map(|shade| session.encode(&frame(320, 240, shade), false).unwrap().is_some())
        .collect();
    assert_eq!(given, [true, false, true, false, false, true]);
}

#[test]
fn ten_in_a_row_are_a_failure_and_nine_are_not() {
    let machine = Machine::with(Build::default());
    let mut session = open(&machine, 320, 240).unwrap();
    let mut next = || session.encode(&frame(320, 240, 9), false);
    assert!(next().unwrap().is_some());
    machine.script(vec![Act::Drop; MOST_SILENT as usize - 1]);
    (1..MOST_SILENT).for_each(|_| assert_eq!(next(), Ok(None)));
    assert!(next().unwrap().is_some());
    machine.always(Act::Drop);
    (1..MOST_SILENT).for_each(|_| assert_eq!(next(), Ok(None)));
    assert_eq!(next().unwrap_err().to_string(), "it left 10 frames in a row out");
}

#[test]
fn an_access_unit_that_comes_late_is_not_taken_for_that_of_another_frame() {
    let machine = Machine::with(Build::default());
    let mut session = open(&machine, 320, 240).unwrap();
    machine.script([Act::Encode, Act::Late, Act::Encode, Act::Encode]);
    let mut decoder = Decoder::new().unwrap();
    let mut show = |encoded: &Encoded| shade_of(&mut decoder, encoded);
    let first = session.encode(&frame(320, 240, 40), false).unwrap().unwrap();
    assert!(show(&first).abs_diff(40) < 4);
    assert_eq!(session.encode(&frame(320, 240, 120), false), Ok(None));
    let third = session.encode(&frame(320, 240, 200), false).unwrap().unwrap();
    // The next one refers to what was thrown away unless it is a keyframe.
    let fourth = session.encode(&frame(320, 240, 80), false).unwrap().unwrap();
    assert!(!third.keyframe && fourth.keyframe);
    assert!(show(&fourth).abs_diff(80) < 4);
}

#[test]
fn the_two_queues_may_come_in_any_order() {
    let machine = Machine::with(Build::default());
    let mut session = open(&machine, 320, 240).unwrap();
    machine.always(Act::KeepInput);
    for shade in 0..20 {
        assert!(session.encode(&frame(320, 240, shade), false).unwrap().is_some());
    }
}

#[test]
fn a_firmware_that_gives_no_memory_back_hangs_and_does_not_hold_the_caller() {
    let machine = Machine::with(Build::default());
    let mut session = open(&machine, 320, 240).unwrap();
    session.encode(&frame(320, 240, 0), false).unwrap();
    machine.always(Act::Swallow);
    let begun = Instant::now();
    let results: Vec<_> = (0..3).map(|_| session.encode(&frame(320, 240, 1), false)).collect();
    assert_eq!(results, [Ok(None), Ok(None), Err(Trouble::Hangs)]);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[test]
fn a_damaged_access_unit_is_left_out_and_the_next_is_a_keyframe() {
    let machine = Machine::with(Build::default());
    let mut session = open(&machine, 320, 240).unwrap();
    machine.script([Act::Encode, Act::Damage]);
    assert!(session.encode(&frame(320, 240, 0), false).unwrap().is_some());
    assert_eq!(session.encode(&frame(320, 240, 1), false), Ok(None));
    assert!(session.encode(&frame(320, 240, 2), false).unwrap().unwrap().keyframe);
}

#[test]
fn a_keyframe_is_asked_for_before_its_frame_and_until_it_comes() {
    let machine = Machine::with(Build::default());
    let mut session = open(&machine, 320, 240).unwrap();
    machine.script([Act::Encode, Act::IgnoreKeyframe]);
    let mut next = |force| session.encode(&frame(320, 240, 1), force).unwrap().unwrap().keyframe;
    assert_eq!([next(false), next(true), next(false), next(false)], [true, false, true, false]);
    let calls = machine.calls();
    let pressed: Vec<usize> = (0..calls.len())
        .filter(|&at| calls[at].starts_with(&format!("control {FORCE_KEY_FRAME:#x}")))
        .collect();
    assert_eq!(pressed.len(), 2);
    assert!(pressed.iter().all(|&at| calls[at + 1] == "queue Output"), "{calls:?}");
}

#[test]
fn the_bit_rate_changes_while_frames_come() {
    let machine = Machine::with(Build::default());
    let mut session = open(&machine, 640, 360).unwrap();
    session.encode(&frame(640, 360, 0), false).unwrap();
    assert_eq!(session.set_bitrate(1_490), Ok(1_475));
    assert!(machine.calls().contains(&format!("control {BITRATE:#x} = 1475000")));
    assert!(session.encode(&frame(640, 360, 0), false).unwrap().is_some());
    assert_eq!(machine.opened().0, 1);
}

#[test]
fn a_keyframe_without_parameter_sets_gets_those_of_the_one_before() {
    let machine = Machine::with(Build::default());
    let mut session = open(&machine, 320, 240).unwrap();
    machine.script([Act::Encode, Act::Bare]);
    let first = session.encode(&frame(320, 240, 0), false).unwrap().unwrap();
    let second = session.encode(&frame(320, 240, 90), true).unwrap().unwrap();
    assert!(second.keyframe);
    let head = crate::encoder::h264::head(&first.data);
    assert_eq!(crate::encoder::h264::head(&second.data), head);
    // A decoder that sees only the second.
    assert!(shade_of(&mut Decoder::new().unwrap(), &second).abs_diff(90) < 4);
}

#[test]
fn a_first_keyframe_without_parameter_sets_is_refused() {
    let machine = Machine::with(Build::default());
    machine.script([Act::Bare]);
    let trouble = open(&machine, 320, 240).unwrap().encode(&frame(320, 240, 0), false);
    assert!(matches!(trouble, Err(Trouble::Unfit(_))), "{trouble:?}");
}

#[test]
fn what_a_device_cannot_do_is_said_in_words() {
    for (build, words) in [
        (Build { short: 1_000, ..Build::default() }, "bytes; 345600 are needed"),
        (Build { without: vec![PROFILE], ..Build::default() }, "profile of H.264 cannot be set"),
        (Build { without: vec![BITRATE], ..Build::default() }, "the bit rate cannot be set"),
        (Build { align_rows: 16, cannot_crop: true, ..Build::default() }, "part of its frames"),
    ] {
        let error = open(&Machine::with(build), 640, 360).err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn one_program_at_a_time_has_the_device() {
    let machine = Machine::with(Build::default());
    let first = open(&machine, 320, 240).unwrap();
    assert_eq!(open(&machine, 320, 240).err(), Some(Trouble::Busy));
    drop(first);
    assert!(open(&machine, 320, 240).is_ok());
}

#[test]
fn one_that_is_unplugged_is_gone_at_once() {
    let machine = Machine::with(Build::default());
    let mut session = open(&machine, 320, 240).unwrap();
    session.encode(&frame(320, 240, 0), false).unwrap();
    machine.script([Act::Unplug]);
    assert_eq!(session.encode(&frame(320, 240, 0), false), Err(Trouble::Gone));
}

#[test]
fn the_thread_opens_the_device_again_after_a_failure() {
    let machine = Machine::with(Build::default());
    let mut keeper = Keeper::start(Arc::new(machine.clone()), settings(320, 240), false).unwrap();
    let mut next = || keeper.encode(&frame(320, 240, 5), false);
    assert!(next().unwrap().unwrap().keyframe);
    machine.script(vec![Act::Drop; MOST_SILENT as usize]);
    while next().is_ok() {}
    assert!(next().unwrap().unwrap().keyframe, "a new start begins with a keyframe");
    assert_eq!(machine.opened().0, 2);
}

#[test]
fn a_call_that_does_not_return_holds_nobody_for_long() {
    let machine = Machine::with(Build::default());
    let mut keeper = Keeper::start(Arc::new(machine.clone()), settings(320, 240), false)
        .unwrap()
        .with_patience(Duration::from_millis(200));
    machine.always(Act::Block);
    let begun = Instant::now();
    assert_eq!(keeper.encode(&frame(320, 240, 5), false), Err(Trouble::Hangs));
    assert_eq!(keeper.encode(&frame(320, 240, 5), false), Err(Trouble::Hangs));
    assert_eq!(keeper.set_bitrate(500), Err(Trouble::Hangs));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_picture_is_the_same_whatever_rows_and_layout_the_device_wants(
        half in (32u32..80, 24u32..60),
        align in prop_oneof![Just(1u32), Just(2), Just(32), Just(64), Just(129)],
        align_rows in prop_oneof![Just(1u32), Just(16)],
        takes_i420: bool,
    ) {
        let (width, height) = (half.0 * 2, half.1 * 2);
        let machine = Machine::with(Build { align, align_rows, ..Build::default() });
        let device = machine.open("/dev/video11".as_ref()).unwrap();
        let mut session = Session::open(device, settings(width, height), takes_i420).unwrap();
        let picture = gradient(width, height);
        let encoded = session.encode(&picture, false).unwrap().unwrap();
        let mut decoder = Decoder::new().unwrap();
        let decoded = decoder.decode(&encoded.data).unwrap().unwrap();
        prop_assert_eq!(decoded.dimensions(), (width as usize, height as usize));
        let near = |ours: &[u8], theirs: &[u8], width: usize, stride: usize| {
            let rows = ours.chunks_exact(width).zip(theirs.chunks(stride));
            rows.flat_map(|(ours, theirs)| ours.iter().zip(theirs))
                .all(|(ours, theirs)| ours.abs_diff(*theirs) < 24)
        };
        let (y, u, v) = decoded.strides();
        let half = picture.width() / 2;
        prop_assert!(near(picture.y(), decoded.y(), picture.width(), y));
        prop_assert!(near(picture.u(), decoded.u(), half, u));
        prop_assert!(near(picture.v(), decoded.v(), half, v));
    }
}

fn settings(width: u32, height: u32) -> Settings {
    let level = Level::lowest_for(width, height, 30, 1_000);
    let format = VideoFormat::new(width, height, 30).unwrap();
    Settings { format, coding: Coding::H264(level), bitrate_kbps: 1_000 }
}

fn open(machine: &Machine, width: u32, height: u32) -> Result<Session, Trouble> {
    let device = machine.open("/dev/video11".as_ref()).unwrap();
    Session::open(device, settings(width, height), true)
}

/// One shade of grey.
fn frame(width: u32, height: u32, shade: u8) -> I420Frame {
    let mut frame = I420Frame::new(VideoFormat::new(width, height, 30).unwrap());
    frame.planes_mut().y.fill(shade.max(16));
    frame
}

/// Luma, U and V rise in different directions.
fn gradient(width: u32, height: u32) -> I420Frame {
    let mut frame = I420Frame::new(VideoFormat::new(width, height, 30).unwrap());
    let (width, height) = (frame.width(), frame.height());
    let shade = |at: usize, of: usize| u8::try_from(40 + at * 160 / of).unwrap();
    let PlanesMut { y, u, v } = frame.planes_mut();
    y.iter_mut().enumerate().for_each(|(at, y)| *y = shade(at % width, width));
    u.iter_mut().enumerate().for_each(|(at, u)| *u = shade(at / (width / 2), height / 2));
    v.iter_mut().enumerate().for_each(|(at, v)| *v = shade(at % (width / 2), width / 2));
    frame
}

fn shade_of(decoder: &mut Decoder, encoded: &Encoded) -> u8 {
    decoder.decode(&encoded.data).unwrap().unwrap().y()[1_000]
}
