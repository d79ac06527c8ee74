//! The work of `rccar-provision apply` at each start.
//!
//! Each step stands alone: one that fails is reported, and the others go on. Only the
//! configurations differ: without them the services cannot start, so failing to write them is an
//! error.

mod access_code;
mod beside;
mod card;
mod configs;
mod files;
mod overlays;
mod places;
mod report;
mod verdict;
mod wifi;

pub use places::Places;
pub use report::{FileState, Instead, Outcome, Unused};

use crate::parse::{Parsed, parse};
use crate::settings::{Battery, Settings};
use files::{Readers, put, remove};
use rccar_daemon::files::FileError;
use std::path::PathBuf;

/// Longest notice that is shown, in characters.
const NOTICE_LENGTH: usize = 300;
const MAX_NOTICES: usize = 30;

/// Something could not be read or written.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The services have no configurations.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The image's own configuration is damaged.
    #[error("cannot use the image's own {}", .path.display())]
    Defaults {
        path: PathBuf,
        #[source]
        failure: Failure,
    },
    #[error(transparent)]
    File(#[from] FileError),
}

/// Applies the card's file to this tree. Mistakes in the file are in the outcome, not an error.
pub fn apply(places: &Places) -> Result<Outcome, ApplyError> {
    let mut steps = Steps { notices: earlier_notices(places) };
    steps.notices.extend(
        lines(&[places.host_trouble()])
            .into_iter()
            .map(|why| format!("when the car was on last, its host did not let it in. {why}")),
    );
    let kept_file = places.kept().join("provision.toml");
    let kept = steps.value("read the settings from before", files::text(&kept_file)).flatten();
    let kept = parse(kept.unwrap_or_default().as_bytes()).settings_or(&Settings::default());
    let (file, parsed, settings) = read_card(places, &kept, &mut steps);

    let verdict::Settled { settings, access_code, refused } =
        verdict::settle(places, settings, &kept, &mut steps)?;
    // Those that hold now: without tables that are faulty or that a service refuses.
    steps.done(
        "keep the settings for the next start",
        put(&kept_file, &kept_text(&settings), Readers::Nobody),
    );
    steps.done("tell the Wi-Fi service its network", wifi::write(places, &settings.wifi));
    steps.done("set the SSH key", ssh(places, &settings));
    let host_name = settings.host_name();
    steps.done("set the host name", set_host_name(places, &host_name));

    let faulty =
        parsed.faulty.iter().map(|&table| Unused { table, instead: instead(&kept, table) });
    let mut unused: Vec<Unused> = faulty.chain(refused.iter().cloned()).collect();
    if !parsed.is_empty {
        let held = parsed.held.iter().filter(|table| !parsed.faulty.contains(*table));
        let held = held.map(|&table| Unused { table, instead: instead(&kept, table) });
        unused.extend(held.filter(|unused| unused.instead == Instead::Kept));
    }
    // Neither the default, a simulated car, nor a wiring from before may drive: the ESC may have
    // been changed for one that reverses where the old one braked.
    let mut held = settings.clone();
    if let Some(drive) = unused.iter_mut().find(|unused| unused.table == "drive") {
        drive.instead = Instead::Off;
        held.drive.actuator = Some("none".to_owned());
    }
    // Thresholds from before may be those of another battery. With none the car drives, and its
    // driver sees that nothing guards the battery.
    if let Some(battery) = unused.iter_mut().find(|unused| unused.table == "battery") {
        battery.instead = Instead::Default;
        held.battery = Battery { faulty: true, ..Battery::default() };
        steps.notices.push("until [battery] is right, nothing guards the battery".to_owned());
    }
    if held != settings {
        configs::write(places, &held, access_code.as_deref())?;
    }
    overlays::settle(places, &held, &mut steps);
    // A file that is right as such is faulty if a service refuses a table of it.
    let file = if refused.is_empty() || file != FileState::Good { file } else { FileState::Faulty };
    // What a person filled in may be in them, so they are named first.
    steps.notices.splice(0..0, beside::others(places));
    steps.notices.extend(parsed.remarks);
    let mut outcome = Outcome {
        file,
        sets_nothing: file == FileState::Good && parsed.settings == Settings::default(),
        faults: parsed.faults,
        unused,
        notices: steps.notices,
        host_name,
    };
    let car = files::text_of_service(&places.car_id()).ok().flatten();
    let text = report::text(&outcome, car.as_deref().map(str::trim), access_code.as_deref());
    // Before the JSON, which says so if this fails.
    if let Err(failure) = card::report(places, &text) {
        outcome
            .notices
            .push(format!("provision-report.txt could not be written to the card: {failure}"));
    }
    let json = serde_json::to_string_pretty(&outcome).unwrap_or_default();
    put(&places.json(), &json, Readers::Everybody)?;
    Ok(outcome)
}

fn read_card(places: &Places, kept: &Settings, steps: &mut Steps) -> (FileState, Parsed, Settings) {
    match card::read(places) {
        card::File::Read(bytes) => {
            let mut parsed = parse(&bytes);
            let state = match parsed.is_empty {
                true => FileState::Empty,
                false if parsed.faults.is_empty() => FileState::Good,
                false => FileState::Faulty,
            };
            if parsed.is_empty {
                parsed.faults.clear();
            }
            let settings = parsed.settings_or(kept);
            (state, parsed, settings)
        }
        card::File::Missing => (FileState::Missing, Parsed::default(), kept.clone()),
        card::File::Unreadable(failure) => {
            steps.notices.push(format!("provision.toml cannot be read: {failure}"));
            (FileState::Unreadable, Parsed::default(), kept.clone())
        }
    }
}

/// Collects notices about steps that failed.
struct Steps {
    notices: Vec<String>,
}

impl Steps {
    fn done<E: std::error::Error>(&mut self, what: &str, outcome: Result<(), E>) {
        self.value(what, outcome);
    }

    fn value<T, E: std::error::Error>(&mut self, what: &str, outcome: Result<T, E>) -> Option<T> {
        outcome
            .map_err(|error| {
                let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
                tracing::error!("cannot {what}: {error}{cause}");
                self.notices.push(format!("the car could not {what}: {error}{cause}"));
            })
            .ok()
    }
}

/// Notices for people that earlier steps of the system's start have left.
fn earlier_notices(places: &Places) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(places.notices()) else { return Vec::new() };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    lines(&paths)
}

/// The lines of files that other programs have written, fit for a report.
fn lines(paths: &[PathBuf]) -> Vec<String> {
    let texts: Vec<_> =
        paths.iter().filter_map(|path| files::text_of_service(path).ok().flatten()).collect();
    let lines = texts
        .iter()
        .flat_map(|text| text.lines())
        .map(|line| line.trim().chars().filter(|c| !c.is_control()));
    lines
        .map(|line| line.take(NOTICE_LENGTH).collect::<String>())
        .filter(|line| !line.is_empty())
        .take(MAX_NOTICES)
        .collect()
}

fn kept_text(settings: &Settings) -> String {
    let tables = toml::to_string(settings).unwrap_or_default();
    format!(
        "# The settings that hold, kept by rccar-provision for starts at which the card's \
         provision.toml is wrong or missing.\n\n{tables}"
    )
}

/// A kept table that says nothing is the same as the default.
fn instead(kept: &Settings, table: &str) -> Instead {
    let mut without = kept.clone();
    without.take_table(table, &Settings::default());
    if without == *kept { Instead::Default } else { Instead::Kept }
}

fn ssh(places: &Places, settings: &Settings) -> Result<(), FileError> {
    match &settings.ssh.public_key {
        Some(key) => put(&places.ssh_key(), &format!("{key}\n"), Readers::Everybody),
        None => remove(&places.ssh_key()),
    }
}

fn set_host_name(places: &Places, name: &str) -> Result<(), FileError> {
    put(&places.host_name(), &format!("{name}\n"), Readers::Everybody)?;
    if places.is_the_system() {
        let failed = |error: nix::Error| FileError::Io {
            action: "set",
            path: places.host_name(),
            source: error.into(),
        };
        nix::unistd::sethostname(name).map_err(failed)?;
    }
    Ok(())
}
