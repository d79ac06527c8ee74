//! A skipped test fails when nothing may be skipped, in scripts, in Rust and in JavaScript alike.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Environment variable of this test when it runs itself: the name that it skips.
const SKIPPED: &str = "RCCAR_REQUIRE_TEST_SKIPS";
/// A name in `tests/require/exceptions.txt`.
const EXCEPTED: &str = "libcamera";

#[test]
fn what_is_skipped_passes_on_a_machine_of_somebodys_own() {
    for (language, run) in languages() {
        let (output, summary) = run("tunnels", None);
        assert!(output.status.success(), "{language}: {output:?}");
        assert!(
            text(&output).contains("SKIPPED: tunnels: there are none here"),
            "{language}: {output:?}"
        );
        assert_eq!(summary, "SKIPPED tunnels: there are none here\n", "{language}");
    }
}

#[test]
fn what_is_skipped_fails_where_everything_is_required() {
    for (language, run) in languages() {
        let (output, summary) = run("tunnels", Some("1"));
        assert!(!output.status.success(), "{language}: {output:?}");
        assert!(
            text(&output).contains("tunnels would be skipped: there are none here"),
            "{language}: {output:?}"
        );
        assert_eq!(summary, "", "{language}");
    }
}

#[test]
fn an_exception_passes_and_its_reason_is_remembered() {
    let list = std::fs::read_to_string(root().join("tests/require/exceptions.txt")).unwrap();
    let reason = list.lines().find_map(|line| line.strip_prefix("libcamera: ")).unwrap();
    for (language, run) in languages() {
        let (output, summary) = run(EXCEPTED, Some("1"));
        assert!(output.status.success(), "{language}: {output:?}");
        assert_eq!(summary, format!("EXCEPTION {EXCEPTED}: {reason}\n"), "{language}");
    }
}

#[test]
fn nobody_skips_in_another_way() {
    let mut git = Command::new("git");
    git.args(["grep", "--files-with-matches", "SKIPPED", "--", ":/ci", ":/crates", ":/tests"])
        .current_dir(root());
    let output = git.output().unwrap();
    let helpers = [
        "ci/lib.sh",
        "tests/e2e/lib/require.mjs",
        "tests/require/src/lib.rs",
        "tests/require/tests/languages.rs",
    ];
    assert_eq!(text(&output).lines().collect::<Vec<_>>(), helpers, "use `skip` instead");
}

/// Not a test of its own: the tests above run it as one that skips.
#[test]
fn skips_when_it_is_told_to() {
    if let Ok(what) = std::env::var(SKIPPED) {
        rccar_require::skip(&what, "there are none here");
    }
}

type Run = fn(&str, Option<&str>) -> (Output, String);

fn languages() -> [(&'static str, Run); 3] {
    [("shell", shell), ("Rust", rust), ("JavaScript", javascript)]
}

fn shell(what: &str, required: Option<&str>) -> (Output, String) {
    let mut bash = Command::new("bash");
    // The exit after `skip` must not run.
    bash.args(["-c", r#". ci/lib.sh; skip "$1" "there are none here"; exit 7"#, "bash", what]);
    finish(bash, required)
}

fn rust(what: &str, required: Option<&str>) -> (Output, String) {
    let mut test = Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", "skips_when_it_is_told_to", "--nocapture"]).env(SKIPPED, what);
    finish(test, required)
}

fn javascript(what: &str, required: Option<&str>) -> (Output, String) {
    let mut node = Command::new("node");
    let program = "import { skip } from './tests/e2e/lib/require.mjs'; \
        if (skip(process.argv[1], 'there are none here') !== 'there are none here') \
        process.exit(7)";
    node.args(["--input-type=module", "--eval", program, what]);
    finish(node, required)
}

fn finish(mut command: Command, required: Option<&str>) -> (Output, String) {
    let directory = tempfile::tempdir().unwrap();
    let summary = directory.path().join("summary.txt");
    command.current_dir(root()).env("RCCAR_SUMMARY", &summary).env_remove("RCCAR_REQUIRE");
    command.envs(required.map(|value| ("RCCAR_REQUIRE", value)));
    let output = command.output().unwrap();
    (output, std::fs::read_to_string(summary).unwrap_or_default())
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
