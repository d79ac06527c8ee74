//! Links that are narrower than the picture.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests; the figures are for the reader"
)]

use rccar_link_emulator::{Path, Profile, Rate};
use rccar_netlab::{Access, Lab, Picture, story};
use std::time::Duration;
use tokio::time::sleep;

/// Seconds with 2500, 800 and 2500 kbit/s.
const PHASES: [u64; 3] = [10, 20, 12];

/// Bytes of video in one line of the car's log, and bytes that had entered the uplink by then.
#[derive(Debug, Clone, Copy)]
struct Moment {
    encoded: u64,
    first: u64,
    resent: u64,
    uplink: u64,
}

/// The car's newest line about its video, and the number of such lines. One comes each 5 s.
fn last_words(log: &str) -> Option<(usize, [u64; 3])> {
    let lines: Vec<_> = log.lines().filter(|line| line.contains("video sent so far")).collect();
    let line = lines.last()?;
    let number = |name: &str| {
        let (_, rest) = line.split_once(&format!(" {name}=")).unwrap();
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    Some((lines.len(), ["encoded_bytes", "first_bytes", "resent_bytes"].map(number)))
}

/// One moment for each such line, until the watcher has gone.
async fn moments(lab: &Lab, mut watching: impl FnMut() -> bool) -> Vec<Moment> {
    let (mut heard, mut moments) = (0, vec![]);
    while watching() {
        sleep(Duration::from_millis(50)).await;
        let uplink = lab.uplink("wwan0").link().counters()[0].taken_bytes;
        let log = std::fs::read_to_string(lab.folder().join("rccar-car.log")).unwrap();
        if let Some((lines, [encoded, first, resent])) =
            last_words(&log).filter(|(lines, _)| *lines > heard)
        {
            heard = lines;
            if encoded > 0 {
                moments.push(Moment { encoded, first, resent, uplink });
            }
        }
    }
    moments
}

/// A browser asks for each lost packet up to a hundred times. The car must not answer each time.
#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn a_link_that_is_too_narrow_for_the_picture_is_not_flooded_with_copies() {
    story(async |lab| {
        lab.picture(Picture { fps: 30, kbps: 1000, restless: true, ..Picture::default() });
        lab.car_log("info,rccar_car::video=debug");
        let path =
            Path { queue: Duration::from_millis(300), ..Path::of(Duration::from_millis(10)) };
        let profile = |rate| Profile { up: Path { rate, ..path.clone() }, down: path.clone() };
        let (car, driver) = (
            (Access::Cgnat, profile(Rate::Steady(2500))),
            (Access::PortRestricted, Profile::cable()),
        );
        lab.start_world(car, driver).await;
        let [wide, narrow, again] = PHASES;
        let steps = [(0, 2500), (wide, 800), (wide + narrow, 2500)];
        let steps = steps.map(|(at, kbps)| (Duration::from_secs(at), kbps)).to_vec();
        let (gone, still) = std::sync::mpsc::channel::<()>();
        let watching = || matches!(still.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty));
        let lab = &*lab;
        let watch = async move {
            let watched = lab
                .watch(wide + narrow + again, || {
                    lab.uplink("wwan0").link().set(profile(Rate::Steps(steps)))
                })
                .await;
            drop(gone);
            watched
        };
        let (watched, moments) = tokio::join!(watch, moments(lab, watching));
        let phases = [(0, wide), (wide, wide + narrow), (wide + narrow, wide + narrow + again)];
        for (from, to) in phases {
            println!("{from} to {to} s: {}", watched.seen(from..to));
        }
        let frames = watched.frames;
        println!("frames in each second: {frames:?}");
        let parts: Vec<_> = moments.windows(2).map(|pair| (pair[0], pair[1])).collect();
        assert!(parts.len() >= 7, "the car has spoken {} times", moments.len());
        for (before, after) in parts {
            let [encoded, first, resent, uplink] = [
                after.encoded - before.encoded,
                after.first - before.first,
                after.resent - before.resent,
                after.uplink - before.uplink,
            ];
            println!(
                "5 s: encoded {encoded}, sent {first} and {resent} once more, \
                 {uplink} bytes into the uplink"
            );
            assert!(resent * 4 <= first * 11 / 10, "copies are more than a quarter of the video");
            assert!(
                uplink * 2 <= encoded * 3,
                "1.5 times what was encoded, and not {uplink} of {encoded}"
            );
        }
        let rate = |from: u64, to: u64| {
            let seconds = frames
                .iter()
                .skip(usize::try_from(from).unwrap())
                .take(usize::try_from(to - from).unwrap());
            seconds.sum::<u64>() / (to - from)
        };
        // The picture does not stand still. There are many more frames than the browser's own
        // requests would bring, and a wide link shows all of them again.
        assert!(rate(wide + 2, wide + narrow) >= 4, "{frames:?}");
        let longest = frames.split(|&seen| seen > 0).map(<[u64]>::len).max().unwrap_or_default();
        assert!(longest <= 4, "{longest} seconds without a picture: {frames:?}");
        assert!(rate(wide + narrow + 4, wide + narrow + again) >= 20, "{frames:?}");
    });
}

/// Better a small picture that can be seen than a large one that cannot.
#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn the_picture_shrinks_on_a_narrow_link_and_grows_again_on_a_wide_one() {
    story(async |lab| {
        let size = (1280, 720);
        lab.picture(Picture { size, fps: 30, kbps: 2500, restless: false });
        let profile = |rate| {
            let path = Path::of(Duration::from_millis(25));
            Profile { up: Path { rate, ..path.clone() }, down: path }
        };
        let car = (Access::Cgnat, profile(Rate::Steady(5000)));
        lab.start_world(car, (Access::PortRestricted, Profile::cable())).await;
        let lab = &*lab;
        // To 480 and to 360 lines after two seconds each, and back after ten each.
        let steps = [(0, 5000), (5, 250), (15, 5000)];
        let steps = steps.map(|(at, kbps)| (Duration::from_secs(at), kbps)).to_vec();
        let watched =
            lab.watch(48, || lab.uplink("wwan0").link().set(profile(Rate::Steps(steps)))).await;
        println!("heights {:?}\nframes {:?}", watched.heights, watched.frames);
        let at = |second: usize| watched.heights.get(second).copied();
        assert_eq!([at(3), at(14), at(47)], [Some(720), Some(360), Some(720)]);
        assert!(watched.heights.contains(&480), "over the size between: {:?}", watched.heights);
        println!("narrow: {}", watched.seen(8..15));
    });
}
