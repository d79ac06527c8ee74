//! A test that this machine cannot run calls [`skip`] and returns.
//!
//! **With `RCCAR_REQUIRE=1`, as CI sets it, skipping is a failure**, unless `exceptions.txt` beside
//! this crate has the name and says why. Scripts have the same function in `ci/lib.sh`, JavaScript
//! in `tests/e2e/lib/require.mjs`; `tests/languages.rs` tests that the three do the same.
//!
//! ```
//! if cfg!(not(target_os = "linux")) {
//!     rccar_require::skip("kernel", "this is not Linux");
//! }
//! ```

use std::fs::OpenOptions;
use std::io::Write;

const EXCEPTIONS: &str = include_str!("../exceptions.txt");

/// Reports that a test is left out, and why. `what` is a name without blanks; tests that lack the
/// same thing use the same name.
///
/// # Panics
///
/// With `RCCAR_REQUIRE=1`, if `what` is not in `tests/require/exceptions.txt`.
#[allow(
    clippy::panic,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "this is what a failed test is"
)]
pub fn skip(what: &str, why: &str) {
    let required = std::env::var("RCCAR_REQUIRE").is_ok_and(|value| value == "1");
    let line = match exception(EXCEPTIONS, what) {
        Some(reason) => format!("EXCEPTION {what}: {reason}"),
        None if required => panic!(
            "{what} would be skipped: {why}. RCCAR_REQUIRE=1 forbids that; what a machine really \
             cannot do is in tests/require/exceptions.txt"
        ),
        None => format!("SKIPPED {what}: {why}"),
    };
    eprintln!("SKIPPED: {what}: {why}");
    if let Some(summary) = std::env::var_os("RCCAR_SUMMARY").filter(|path| !path.is_empty()) {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(summary)
            .expect("RCCAR_SUMMARY can be written");
        // One write, because other tests append at the same time.
        file.write_all(format!("{line}\n").as_bytes()).expect("RCCAR_SUMMARY can be written");
    }
}

/// The reason of an exception; `None` if `what` is none.
fn exception<'a>(list: &'a str, what: &str) -> Option<&'a str> {
    list.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_found_by_their_whole_name() {
        let list = "# words: of explanation\ncamera: no room\n";
        assert_eq!(exception(list, "camera"), Some("no room"));
        assert_eq!(
            [exception(list, "cam"), exception(list, "amera"), exception(list, "words")],
            [None; 3]
        );
    }
}
