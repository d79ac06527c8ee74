//! A driver in a real browser.

use crate::lab::{HOST, Lab};
use crate::watched::Watched;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// The path that the browser reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Browsed {
    /// Whether packets pass through a TURN server.
    pub relayed: bool,
    /// How the browser speaks to a TURN server of its own: "udp", "tcp" or "tls"; `None` without.
    pub relay_protocol: Option<String>,
}

/// Milliseconds to each step of a session.
pub type Steps = BTreeMap<String, f64>;

impl Lab {
    /// Lets a driver with Chromium sign in, watch, arm and drive.
    ///
    /// # Panics
    /// Any of that fails.
    pub async fn browse(&self) -> Browsed {
        let seen = self.run_chromium("chromium.mjs", &[], || {}).await;
        Browsed {
            relayed: seen["relayed"] == true,
            relay_protocol: seen["relayProtocol"].as_str().map(str::to_owned),
        }
    }

    /// Lets somebody with Chromium watch for so many seconds. Calls `begin` when the picture is
    /// there.
    ///
    /// # Panics
    /// There is no picture.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub async fn watch(&self, seconds: u64, begin: impl FnOnce()) -> Watched {
        let seen = self.run_chromium("watching.mjs", &[&seconds.to_string()], begin).await;
        serde_json::from_value(seen).expect("frames and when they were shown")
    }

    /// Lets a driver with Chromium open the car so many times in each way, one after the other. For
    /// each way and time, milliseconds from the click, or from the beginning of the navigation, to
    /// each step of the session, to the first `picture` at last.
    ///
    /// # Panics
    /// There is no picture.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub async fn open_again_and_again(&self, times: usize) -> BTreeMap<String, Vec<Steps>> {
        let seen = self.run_chromium("first-picture.mjs", &[&times.to_string()], || {}).await;
        serde_json::from_value(seen["ways"].clone()).expect("steps of sessions")
    }

    /// Lets a driver with Chromium do what a script says. Calls `begin` at its first line.
    ///
    /// # Panics
    /// It fails.
    pub async fn sit(&self, script: &str, arguments: &[&str], begin: impl FnOnce()) {
        self.run_chromium(script, arguments, begin).await;
    }

    /// Runs a script with a one-time link and more arguments. Calls `begin` at its first line, and
    /// returns its last line, which is JSON.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    async fn run_chromium(
        &self,
        script: &str,
        arguments: &[&str],
        begin: impl FnOnce(),
    ) -> serde_json::Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
        let link = format!("http://{HOST}/#/link?token={}", self.sign_in_token());
        let mut command = Command::new("node");
        command
            .arg(script)
            .arg(link)
            .args(arguments)
            .env("HOME", self.folder())
            .kill_on_drop(true)
            .stderr(Stdio::inherit());
        let mut browser = command.stdout(Stdio::piped()).spawn().expect("node runs");
        let mut lines = BufReader::new(browser.stdout.take().expect("a pipe")).lines();
        let mut last = lines.next_line().await.expect("the browser's words");
        begin();
        while let Some(line) = lines.next_line().await.expect("the browser's words") {
            last = Some(line);
        }
        let status = browser.wait().await.expect("the browser ends");
        assert!(status.success(), "the browser's story failed: {status}");
        let seen: serde_json::Value =
            serde_json::from_str(last.unwrap_or_default().trim()).expect("JSON");
        assert_eq!(seen["errors"], serde_json::json!([]), "errors on the page");
        seen
    }
}
