//! The outcome, in words for a person and as JSON for the car's page.

use crate::fault::Fault;
use serde::Serialize;
use std::fmt::Write as _;

/// The state of `provision.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileState {
    /// Everything in it was right.
    Good,
    /// It has faults, or a service does not take it.
    Faulty,
    Missing,
    /// Nothing stands in it: the card may have been pulled out while it was written.
    Empty,
    /// The partition or the file cannot be read.
    Unreadable,
}

/// The settings that take the place of a table with faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Instead {
    /// Those of the file when it was last right.
    Kept,
    /// Those of the image.
    Default,
    /// None: the car cannot be armed.
    Off,
}

/// A table that was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unused {
    pub table: &'static str,
    pub instead: Instead,
}

/// As JSON this is `/run/rccar/provision.json`, which everybody may read: it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    pub file: FileState,
    /// The file can be read and holds no setting, as the template does.
    #[serde(skip)]
    pub sets_nothing: bool,
    /// Sorted by line.
    pub faults: Vec<Fault>,
    pub unused: Vec<Unused>,
    /// Other things that a person should know.
    pub notices: Vec<String>,
    /// The car's name on its network, without `.local`.
    pub host_name: String,
}

/// The report. It is deterministic, because it is written only when it changes. Its line ends are
/// those of Windows, because simple editors there need them.
pub(super) fn text(outcome: &Outcome, car: Option<&str>, access_code: Option<&str>) -> String {
    let mut out = String::from(
        "What the car made of provision.toml\n===================================\n\n",
    );
    out.push_str(match (outcome.file, outcome.faults.len()) {
        (FileState::Good, _) if outcome.sets_nothing => {
            "There is no setting in it: each line still has its # or is blank. The car does \
             something sensible.\n"
        }
        (FileState::Good, _) => "Everything in it was right and is used.\n",
        (FileState::Faulty, 0) => {
            "The car cannot use all of it. Below stands why; mend it and switch the car on \
             again.\n"
        }
        (FileState::Faulty, 1) => "There is one mistake. Mend it and switch the car on again.\n",
        (FileState::Faulty, _) => "There are mistakes. Mend them and switch the car on again.\n",
        (FileState::Missing, _) => {
            "There is no provision.toml beside this file. The settings from before are used, if \
             there were any.\n"
        }
        (FileState::Empty, _) => {
            "It is empty, which changes nothing: the settings from before are used, if there were \
             any.\n"
        }
        (FileState::Unreadable, _) => {
            "It cannot be read. The settings from before are used, if there were any.\n"
        }
    });
    for fault in &outcome.faults {
        let _ = writeln!(out, "\n* {fault}");
    }
    for Unused { table, instead } in &outcome.unused {
        let what = match instead {
            Instead::Kept => "the settings from before hold for it",
            Instead::Default => "the defaults hold for it",
            Instead::Off => "the car cannot be armed",
        };
        let _ = writeln!(out, "\nUntil [{table}] is right, {what}.");
    }
    if !outcome.notices.is_empty() {
        out.push_str("\nWhat else the car noticed\n-------------------------\n");
        outcome.notices.iter().for_each(|notice| {
            let _ = writeln!(out, "* {notice}");
        });
    }
    out.push_str("\nThis car\n--------\n");
    let _ = writeln!(out, "Its page, on the same network: http://{}.local", outcome.host_name);
    if let Some(code) = access_code {
        let _ = writeln!(out, "Access code of that page: {code}");
    }
    let _ = writeln!(out, "Its id: {}", car.unwrap_or("known after its first start"));
    out.replace('\n', "\r\n")
}
