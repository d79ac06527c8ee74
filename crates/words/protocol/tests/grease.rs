//! A receiver skips what only a later version says. This test has a file, and so a process, of its
//! own, because the switch is for the whole program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rccar_protocol::Layout;
use rccar_protocol::control::ControlFrame;
use rccar_protocol::grease;
use rccar_protocol::signaling::{FromDriver, Json, ToCar, ToDriver, parse};

#[test]
fn what_is_greased_reads_the_same() {
    let ping = FromDriver::Ping { id: 7 };
    assert_eq!(
        (ping.to_json(), grease::messages()),
        (r#"{"type":"ping","id":7}"#.into(), Vec::new())
    );
    let (plain_v1, plain) =
        (ControlFrame::default().encode(Layout::V1), ControlFrame::default().encode(Layout::V2));
    grease::enable();
    assert_eq!(ControlFrame::default().encode(Layout::V1), plain_v1, "version 1 is closed");
    for _ in 0..1000 {
        let text = ping.to_json();
        assert!(text.contains("grease"), "{text}");
        assert_eq!(parse(&text), Ok(ping.clone()));
        let bytes = ControlFrame::default().encode(Layout::V2);
        assert!(bytes.len() > plain.len() && bytes[3] != plain[3], "{bytes:?}");
        assert_eq!(ControlFrame::decode(&bytes), Ok(ControlFrame::default()));
    }
    let texts = grease::messages();
    assert!(parse::<ToDriver>(&texts[0]).is_err() && parse::<ToCar>(&texts[0]).is_err());
    for text in &texts[1..] {
        assert!(parse::<ToDriver>(text).is_ok() && parse::<ToCar>(text).is_ok(), "{text}");
    }
}
