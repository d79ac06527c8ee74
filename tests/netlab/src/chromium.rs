//! A driver in a real browser.

use crate::lab::{HOST, Lab};
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// What the browser saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Browsed {
    /// Whether packets pass through a TURN server.
    pub relayed: bool,
    /// How the browser speaks to a TURN server of its own: "udp", "tcp" or "tls".
    pub relay_protocol: Option<String>,
}

impl Lab {
    /// Lets a driver with Chromium sign in, watch, arm and drive.
    ///
    /// # Panics
    /// Any of that fails.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub async fn browse(&self) -> Browsed {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("chromium.mjs");
        let link = format!("http://{HOST}/#/link?token={}", self.sign_in_token());
        let mut command = Command::new("node");
        command.arg(script).arg(link).env("HOME", self.folder()).kill_on_drop(true).stderr(Stdio::inherit());
        let output = command.output().await.expect("node runs");
        assert!(output.status.success(), "the browser's story failed: {}", output.status);
        let words = String::from_utf8_lossy(&output.stdout);
        let seen: serde_json::Value = serde_json::from_str(words.trim()).expect("JSON");
        assert_eq!(seen["errors"], serde_json::json!([]), "errors on the page");
        Browsed { relayed: seen["relayed"] == true, relay_protocol: seen["relayProtocol"].as_str().map(str::to_owned) }
    }
}
