//! Plays what a car has recorded to the controller again, and prints what it knows at each report
//! and what became of each frame.
//!
//! `cargo run --example replay -- FILE [SESSION]`: `FILE` is a car's trace (docs/debugging.md),
//! without a session the longest one in it is played.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "that is what it is for")]

use rccar_congestion::trace::{Entry, Line};
use rccar_congestion::{Controller, Limits};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Error};

/// What became of a frame.
#[derive(Debug, Default)]
struct Frame {
    bytes: u32,
    first: u64,
    last: u64,
    packets: u32,
    /// By the browser's clock.
    arrived: Option<i64>,
    reported: u32,
}

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or_else(|| Error::other("which file?"))?;
    let wanted: Option<u32> = arguments.next().and_then(|number| number.parse().ok());
    // Each start of the car counts its sessions from 1; the file goes on.
    let mut sessions = BTreeMap::<u32, Vec<Line>>::new();
    let mut begun = BTreeMap::new();
    for (number, text) in BufReader::new(File::open(&path)?).lines().enumerate() {
        // A power cut may have left a part of the last line.
        match serde_json::from_str::<Line>(&text?) {
            Ok(line) => {
                let next = u32::try_from(sessions.len()).map_or(u32::MAX, |number| number + 1);
                let number = begun.entry(line.session).or_insert(next);
                if matches!(line.entry, Entry::Begin { .. }) {
                    *number = next;
                }
                sessions.entry(*number).or_default().push(line);
            }
            Err(error) => eprintln!("{path}:{}: {error}", number + 1),
        }
    }
    let longest = sessions.iter().max_by_key(|(_, lines)| lines.len()).map(|(number, _)| *number);
    let lines = wanted.or(longest).and_then(|number| sessions.remove(&number));
    play(&lines.ok_or_else(|| Error::other("it has no such session"))?);
    Ok(())
}

fn play(lines: &[Line]) {
    let limits = Limits { least_bps: 1, start_bps: 1, most_bps: 1, fps: 30 };
    let mut control = Controller::new(limits);
    let begin = lines.first().map_or(0, |line| line.at);
    let (mut waiting, mut admitted, mut left_out, mut differ) = (0, 0, 0, 0);
    let mut frames = BTreeMap::<u32, Frame>::new();
    let mut of_number = BTreeMap::new();
    println!("     s  kbit/s capacity queue, ms  trip way, B wait, B encoded left out lost, o/oo");
    for line in lines {
        let again = line.entry.play(line.at, &mut control);
        match &line.entry {
            Entry::Waiting { bytes } => waiting = *bytes,
            Entry::Missing { lines } => println!("{lines} lines are missing here"),
            Entry::Admit { admitted: was, .. } => {
                differ += u32::from(again != Some(*was));
                if *was { admitted += 1 } else { left_out += 1 }
            }
            Entry::Sent { number, bytes, frame: Some(rtp) } => {
                let frame = frames.entry(*rtp).or_default();
                (frame.bytes, frame.packets) = (frame.bytes + bytes, frame.packets + 1);
                frame.last = line.at;
                if frame.first == 0 {
                    frame.first = line.at;
                }
                of_number.insert(*number, (*rtp, line.at));
            }
            Entry::Report { verdicts } => {
                let insight = control.insight();
                println!(
                    "{:>6.2} {:>7} {:>8} {:>9} {:>5} {:>6} {:>7} {admitted:>7} {left_out:>8} {:>10}",
                    seconds(line.at, begin),
                    insight.rate_bps / 1_000,
                    insight.capacity_bps / 1_000,
                    insight.standing_queue_ms,
                    insight.round_trip_ms,
                    insight.under_way,
                    waiting,
                    insight.lost_permille,
                );
                for (number, at) in verdicts {
                    let Some((rtp, _)) = of_number.get(number) else { continue };
                    let frame = frames.entry(*rtp).or_default();
                    if let Some(at) = at {
                        frame.arrived = frame.arrived.max(Some(*at));
                        frame.reported += 1;
                    }
                }
            }
            _ => {}
        }
    }
    println!("\n{differ} of {} decisions are others now\n", admitted + left_out);
    let delay = |frame: &Frame| Some(frame.arrived? - i64::try_from(frame.last).ok()?);
    let least = frames.values().filter_map(delay).min().unwrap_or_default();
    println!("frame, s  bytes packets, came  pacing, ms  longer than the fastest, ms");
    for (_, frame) in frames {
        let longer =
            delay(&frame).map_or("-".to_owned(), |delay| ((delay - least) / 1_000).to_string());
        println!(
            "{:>8.2} {:>6} {:>7} {:>5} {:>11} {longer:>28}",
            seconds(frame.first, begin),
            frame.bytes,
            frame.packets,
            frame.reported,
            frame.last.saturating_sub(frame.first) / 1_000,
        );
    }
}

#[allow(clippy::cast_precision_loss, reason = "seconds of a drive")]
fn seconds(at: u64, begin: u64) -> f64 {
    at.saturating_sub(begin) as f64 / 1e6
}
