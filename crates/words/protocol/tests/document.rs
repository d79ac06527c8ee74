//! `PROTOCOL.md` stays true: its examples parse, its layouts have the size of the frames, and its
//! lists hold every word.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rccar_protocol::calibration::{
    CalibrationAction, EscWord, FromDrive, MAX_DRIVE_MESSAGE_BYTES, RefusalCode, ToDrive,
};
use rccar_protocol::close::{Advice, CloseCode};
use rccar_protocol::control::{CONTROL_SIZE, ControlFrame, InputSource, MAX_SAMPLE_AGE};
use rccar_protocol::drive_hello::{DRIVE_HELLO_SIZE, DriveHello};
use rccar_protocol::events::{
    CarEvent, DriverEvent, HostLink, ModemRung, ModemState, NoticeLevel, UplinkKind,
};
use rccar_protocol::release::{
    AccessToken, BundlePath, Channel, Compatible, ReleaseNotes, ReleaseOffer, UpdateState, Version,
};
use rccar_protocol::sensors::{HeatLevel, SupplyLevel};
use rccar_protocol::setpoint::{SETPOINT_SIZE, SetPoint};
use rccar_protocol::signaling::{
    ByeReason, Candidate, CarPresence, CarRole, ErrorCode, FromCar, FromDriver, Json, ToCar,
    ToDriver, parse,
};
use rccar_protocol::state::{BatteryLevel, DriveState, LimitCause, StopReason};
use rccar_protocol::status::{DriveStatus, STATUS_HEAD, STATUS_SIZE};
use rccar_protocol::telemetry::{TELEMETRY_HEAD, TELEMETRY_SIZE, TelemetryFrame};
use rccar_protocol::text::{Name, Note, Sdp, Software};
use rccar_protocol::word::Word;
use rccar_protocol::{
    CONTROL_HZ, FrameBytes, FrameError, Layout, MAX_FRAME_BYTES, MAX_MESSAGE_BYTES, SUBPROTOCOL,
    VIDEO_CLOCK_HZ, grease,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_example_is_what_the_programs_write() {
    let examples = examples();
    assert!(
        examples.len() > 30,
        "only {} examples found: are the fences still tagged?",
        examples.len()
    );
    for Example { tag, text } in examples {
        match tag.as_str() {
            "text" => {}
            "json http" => drop(
                serde_json::from_str::<Value>(&text)
                    .unwrap_or_else(|error| panic!("{text}: {error}")),
            ),
            "json from-driver" => check_message::<FromDriver>(&text),
            "json to-driver" => check_message::<ToDriver>(&text),
            "json from-car" => check_message::<FromCar>(&text),
            "json to-car" => check_message::<ToCar>(&text),
            "json offer" => {
                assert_eq!(ReleaseOffer::parse(&text).expect(&text).to_json(), text.trim_end())
            }
            "json car-event" => check_message::<CarEvent>(&text),
            "json driver-event" => check_message::<DriverEvent>(&text),
            "json to-drive" => check_message::<ToDrive>(&text),
            "json from-drive" => check_message::<FromDrive>(&text),
            "hex control" => check_frame(&text, ControlFrame::decode, ControlFrame::encode),
            "hex telemetry" => check_frame(&text, TelemetryFrame::decode, TelemetryFrame::encode),
            "hex setpoint" => check_frame(&text, SetPoint::decode, SetPoint::encode),
            "hex status" => check_frame(&text, DriveStatus::decode, DriveStatus::encode),
            "hex drive-hello" => {
                assert_eq!(DriveHello::ours().encode()[..], bytes(&text));
                assert_eq!(DriveHello::decode(&bytes(&text)), Ok(DriveHello::ours()));
            }
            other => panic!("a block is tagged {other:?}, which nothing checks:\n{text}"),
        }
    }
}

#[test]
fn every_message_of_the_vectors_has_an_example() {
    let kind = |json: &str| {
        serde_json::from_str::<Value>(json).unwrap()["type"].as_str().unwrap().to_owned()
    };
    let shown: BTreeSet<(String, String)> = (examples().iter())
        .filter_map(|Example { tag, text }| Some((tag.strip_prefix("json ")?.to_owned(), text)))
        .filter(|(direction, _)| !["http", "offer"].contains(&direction.as_str()))
        .map(|(direction, text)| (direction, kind(text)))
        .collect();
    let sent: BTreeSet<(String, String)> = (accepted_vectors().into_iter())
        .map(|vector| {
            (
                vector["direction"].as_str().unwrap().to_owned(),
                kind(vector["json"].as_str().unwrap()),
            )
        })
        .collect();
    assert_eq!(shown, sent);
}

#[test]
fn every_field_of_the_vectors_is_listed_under_its_message() {
    let document = document();
    for vector in accepted_vectors().iter().filter(|vector| vector["canonical"] == true) {
        let message: Value = serde_json::from_str(vector["json"].as_str().unwrap()).unwrap();
        let fence = format!(
            "```json {}\n{{\"type\":{}",
            vector["direction"].as_str().unwrap(),
            message["type"]
        );
        let (before, _) = document.split_once(&fence).expect(&fence);
        let section = before.rsplit_once("\n#### ").unwrap().1;
        for field in message.as_object().unwrap().keys().filter(|field| *field != "type") {
            assert!(
                section.contains(&format!("\n| `{field}` | ")),
                "{fence}: {field} is not listed"
            );
        }
    }
}

#[test]
fn every_layout_is_without_gaps_and_has_the_size_of_its_frame() {
    let frames = [
        ("### Control frame", vec![CONTROL_SIZE]),
        ("### Telemetry frame", vec![TELEMETRY_SIZE, TELEMETRY_HEAD]),
        ("### Set-point", vec![SETPOINT_SIZE]),
        ("### Drive status", vec![STATUS_SIZE, STATUS_HEAD]),
        ("### Hello of car and drive", vec![DRIVE_HELLO_SIZE + 4]),
    ];
    for (heading, sizes) in frames {
        let section = section(heading);
        let prose = section.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut ends = Vec::new();
        for row in section.lines().filter_map(|line| line.strip_prefix("| ")) {
            let mut cells = row.split(" | ").map(str::parse::<usize>);
            if let (Some(Ok(offset)), Some(Ok(length))) = (cells.next(), cells.next()) {
                // A table begins.
                if offset == 0 {
                    ends.push(0);
                }
                let end = ends.last_mut().unwrap();
                assert_eq!(*end, offset, "{heading}: {row}");
                *end += length;
            }
        }
        for size in &sizes {
            assert!(
                prose.contains(&format!(" {size} bytes")),
                "{heading}: does not say {size} bytes"
            );
        }
        assert_eq!(ends, sizes, "{heading}");
    }
}

#[test]
fn every_word_is_listed_with_its_number() {
    fn check<T: Serialize>(section: &str, words: impl Iterator<Item = (u8, T)>) {
        let listed = section.lines().filter(|line| {
            line.starts_with("| ") && line[2..].starts_with(|c: char| c.is_ascii_digit())
        });
        let listed: Vec<_> =
            listed.map(|line| line.split(" | ").take(2).collect::<Vec<_>>().join(" | ")).collect();
        let words: Vec<_> =
            words.map(|(byte, word)| format!("| {byte} | {}", quoted(&word))).collect();
        assert_eq!(listed, words);
    }
    let sources =
        section("### Control frame").split("| value | source |").nth(1).unwrap().to_owned();
    check(&sources, InputSource::ALL.iter().map(|word| (word.to_byte(), word)));
    let causes = section("### Causes of a speed limit");
    check(&causes, LimitCause::ALL.iter().map(|word| (word.to_byte(), word)));
    let levels = section("### Battery levels");
    check(&levels, BatteryLevel::ALL.iter().map(|word| (word.to_byte(), word)));
    let levels = section("### Heat and supply");
    let (heat, supply) = levels.split_once("| value | supply |").unwrap();
    check(heat, HeatLevel::ALL.iter().map(|word| (word.to_byte(), word)));
    check(supply, SupplyLevel::ALL.iter().map(|word| (word.to_byte(), word)));
    let section = section("### States and reasons");
    let (states, reasons) = section.split_once("| value | reason |").unwrap();
    check(states, DriveState::ALL.iter().map(|word| (word.to_byte(), word)));
    check(reasons, StopReason::ALL.iter().map(|word| (word.to_byte(), word)));
}

#[test]
fn every_table_of_words_lists_those_of_the_code() {
    fn check<T: Serialize>(heading: &str, table: &str, words: &[T]) {
        let section = section(heading);
        let (_, rows) =
            section.split_once(table).unwrap_or_else(|| panic!("{heading}: no table {table}"));
        let listed: Vec<_> = rows
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
            .map(|(word, _)| format!("`{word}`"))
            .collect();
        assert_eq!(listed, words.iter().map(quoted).collect::<Vec<_>>(), "{heading}");
    }
    check("#### Error codes", "| code | meaning |", ErrorCode::ALL);
    check("#### Bye reasons", "| reason | meaning |", ByeReason::ALL);
    check("#### Update status", "| state | meaning |", UpdateState::ALL);
}

#[test]
fn every_field_that_holds_a_word_lists_those_of_the_code() {
    fn check<T: Serialize>(heading: &str, field: &str, words: &[T]) {
        let section = section(heading);
        let row = section
            .lines()
            .find(|line| line.starts_with(&format!("| `{field}` | word")))
            .expect(field);
        let meaning = row.splitn(4, '|').nth(3).unwrap();
        let listed: Vec<_> =
            meaning.split('`').skip(1).step_by(2).map(|word| format!("`{word}`")).collect();
        assert_eq!(listed, words.iter().map(quoted).collect::<Vec<_>>(), "{heading}, {field}");
    }
    check("#### Car information", "presence", CarPresence::ALL);
    check("#### Car information", "role", CarRole::ALL);
    check("#### link", "host", HostLink::ALL);
    check("#### link", "uplink", UplinkKind::ALL);
    check("#### link", "state", ModemState::ALL);
    check("#### link", "rung", ModemRung::ALL);
    check("#### notice", "level", NoticeLevel::ALL);
    check("#### calibrate", "action", CalibrationAction::ALL);
    check("#### Calibration values", "esc", EscWord::ALL);
    check("#### calibration", "code", RefusalCode::ALL);
}

#[test]
fn the_limits_are_those_of_the_code() {
    let prose = document().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(prose.contains(&format!("of at most {MAX_MESSAGE_BYTES} bytes")));
    assert!(prose.contains(&format!("Each has at most {MAX_DRIVE_MESSAGE_BYTES} bytes")));
    assert!(prose.contains(&format!("A frame has at most {MAX_FRAME_BYTES} bytes in all")));
    assert!(
        prose.contains(&format!("strings of 1 to {} of `a`–`z`, `0`–`9` and `-`", Word::MAX_BYTES))
    );
    assert!(prose.contains(&format!("Group kinds {} to 255", grease::FIRST_KIND)));
    assert!(prose.contains(&format!("subprotocol `{SUBPROTOCOL}`")));
    assert!(prose.contains(&format!("every {} ms ({CONTROL_HZ} Hz)", 1000 / CONTROL_HZ)));
    assert!(prose.contains(&format!("≤ {} ms old", MAX_SAMPLE_AGE.as_millis())));
    assert!(prose.contains(&format!("car_time × {VIDEO_CLOCK_HZ} / 10⁶")));
    assert!(prose.contains(&format!(
        "1…{} printable ASCII characters, such as `rccar-rpi-arm64`",
        Compatible::MAX_BYTES
    )));
    assert!(prose.contains(&format!("1…{} of `a`–`z`, `0`–`9` and `-`", Channel::MAX_BYTES)));
    assert!(prose.contains(&format!(
        "at most {} bytes, each of the first three numbers below 2⁶⁴",
        Version::MAX_BYTES
    )));
    assert!(prose.contains(&format!("1…{} letters, digits and `-._~+/`", AccessToken::MAX_BYTES)));
    assert!(prose.contains(&format!(
        "at most {} bytes, letters, digits and `-._~%+/`",
        BundlePath::MAX_BYTES
    )));
    assert!(prose.contains(&format!(
        "1…{} bytes of UTF-8, no control characters but tab and line feed",
        ReleaseNotes::MAX_BYTES
    )));
    for limit in [Name::MAX_BYTES, Note::MAX_BYTES, Sdp::MAX_BYTES] {
        assert!(prose.contains(&format!("1…{limit} bytes of UTF-8")), "{limit}");
    }
    assert!(prose.contains(&format!("1…{} printable ASCII", Software::MAX_BYTES)));
    assert!(
        prose.contains(&format!("string, ≤ {} bytes, no control characters", Candidate::MAX_BYTES))
    );
}

#[test]
fn the_table_of_close_codes_says_what_the_code_says() {
    let meaning = |code| match code {
        CloseCode::GoingAway => "the host is stopping",
        CloseCode::Internal => "a fault of the host",
        CloseCode::Handshake => "no usable first message",
        CloseCode::NotSignedIn => "nobody is signed in",
        CloseCode::Forbidden => "may not register here",
        CloseCode::SlowReader => "read too slowly",
        CloseCode::Replaced => "the same car connected again",
        CloseCode::TooLarge => "larger than 65536 bytes",
        CloseCode::RateLimited => "too many messages",
    };
    let section = section("## WebSocket");
    let (_, table) =
        section.split_once("| code | meaning | what to do |\n|---|---|---|\n").unwrap();
    let rows: Vec<Vec<&str>> =
        (table.lines().map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |")))
            .map(|row| row.split(" | ").collect())
            .collect();
    let listed: Vec<_> = rows.iter().map(|row| row[0].parse::<u16>().unwrap()).collect();
    assert_eq!(listed, CloseCode::ALL.map(CloseCode::code));
    for (code, row) in CloseCode::ALL.into_iter().zip(&rows) {
        let [_, means, todo] = row[..] else { panic!("{row:?}") };
        assert!(means.contains(meaning(code)), "{row:?}");
        let comes_back_soon =
            todo.starts_with("come back") && !todo.contains("slowly") && !todo.contains("after");
        let said = match code.advice() {
            Advice::ComeBack => comes_back_soon,
            Advice::ComeBackAfter(wait) => {
                todo == format!("come back after at least {} s", wait.as_secs())
            }
            Advice::ComeBackSlowly => todo.ends_with("; come back slowly"),
            Advice::StayAway => todo.contains("do not retry") || todo.contains("stay away"),
        };
        assert!(said, "{row:?}: {:?}", code.advice());
    }
}

#[test]
fn every_link_within_the_document_has_its_heading() {
    let document = document();
    // GitHub makes anchors like this: lower case, hyphens for spaces, no other punctuation.
    let anchor = |heading: &str| -> String {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || " -".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    let anchors: BTreeSet<String> =
        document.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
    let links: Vec<&str> =
        document.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert!(!links.is_empty());
    for link in links {
        assert!(anchors.contains(link), "nothing is called #{link}");
    }
}

/// The example reads as a frame, and the frame is written as the same bytes.
fn check_frame<F>(
    hex: &str,
    decode: fn(&[u8]) -> Result<F, FrameError>,
    encode: fn(&F, Layout) -> FrameBytes,
) {
    let bytes = bytes(hex);
    let frame = decode(&bytes).unwrap_or_else(|error| panic!("{hex}: {error}"));
    assert_eq!(encode(&frame, Layout::of(&bytes).unwrap())[..], bytes, "{hex}");
}

fn check_message<T: Serialize + DeserializeOwned>(text: &str) {
    let message: T = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(message.to_json(), text.trim_end());
}

struct Example {
    tag: String,
    text: String,
}

/// All fenced blocks of the document.
fn examples() -> Vec<Example> {
    let document = document();
    let blocks = document.split("\n```").collect::<Vec<_>>();
    let inside = blocks.iter().skip(1).step_by(2);
    inside
        .filter_map(|block| block.split_once('\n'))
        .map(|(tag, text)| Example { tag: tag.into(), text: text.into() })
        .collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex.split_whitespace().collect::<String>()).unwrap()
}

fn quoted(word: &impl Serialize) -> String {
    format!("`{}`", serde_json::to_value(word).unwrap().as_str().unwrap())
}

/// The text from a heading to the next one of the same or a higher rank.
fn section(heading: &str) -> String {
    let document = document();
    let (_, rest) = document
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("no heading {heading}"));
    let rank = heading.split(' ').next().unwrap();
    let end = |rank: &str| rest.find(&format!("\n{rank} ")).unwrap_or(rest.len());
    let end = (1..=rank.len()).map(|length| end(&rank[..length])).min().unwrap();
    rest[..end].to_owned()
}

fn accepted_vectors() -> Vec<Value> {
    let read =
        |file| serde_json::from_str::<Vec<Value>>(&read(&format!("tests/vectors/{file}"))).unwrap();
    let all = [read("signaling.json"), read("events.json"), read("drive.json")].concat();
    all.into_iter().filter(|vector| vector.get("error").is_none()).collect()
}

fn document() -> String {
    read("PROTOCOL.md")
}

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
