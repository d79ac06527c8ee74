//! Asks the services themselves whether they take the configurations that were made for them.
//!
//! This program judges `provision.toml` by rules of its own. A service whose rules are stricter, or
//! that was built without something, would refuse its configuration at every start, and **the car
//! would never come up**. A table that a service refuses is therefore replaced by what held before,
//! or by the defaults, and the person is told.

use super::files::{Readers, put, text};
use super::places::Places;
use super::report::{Instead, Unused};
use super::{ApplyError, Steps, access_code, configs, instead};
use crate::settings::Settings;
use rccar_causes::causes;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Exit code of our programs for a bad configuration (`rccar_daemon::run`).
const BAD_CONFIGURATION: i32 = 2;
/// Time for one answer: a start from a slow card. The service manager gives this program 90 s for
/// everything.
const PATIENCE: Duration = Duration::from_secs(5);

struct Service {
    program: &'static str,
    config: &'static str,
    /// The tables that its configuration is made of, in the order in which they are replaced to see
    /// whether that helps.
    tables: &'static [&'static str],
}

const SERVICES: [Service; 4] = [
    Service { program: "rccar-car", config: "car.toml", tables: &["camera", "lan", "host", "car"] },
    Service {
        program: "rccar-drive",
        config: "drive.toml",
        tables: &["battery", "speed", "switches", "drive"],
    },
    Service { program: "rccar-update", config: "update.toml", tables: &["update"] },
    Service { program: "rccar-modem", config: "modem.toml", tables: &["modem"] },
];

pub(super) struct Settled {
    /// The settings that the configurations are made of.
    pub(super) settings: Settings,
    pub(super) access_code: Option<String>,
    /// Tables that a service refused.
    pub(super) refused: Vec<Unused>,
}

/// Writes the configurations, without what a service refuses.
pub(super) fn settle(
    places: &Places,
    settings: Settings,
    kept: &Settings,
    steps: &mut Steps,
) -> Result<Settled, ApplyError> {
    let mut access_code = write(places, &settings, steps)?;
    let mut settled = Settled { settings, access_code: access_code.clone(), refused: Vec::new() };
    for service in &SERVICES {
        let Err(why) = service.verdict(places) else { continue };
        let why = without_secrets(&why, &settled.settings, access_code.as_deref());
        let (settings, tables) = service.mend(places, &settled.settings, kept, steps)?;
        settled.settings = settings;
        access_code = write(places, &settled.settings, steps)?;
        if tables.is_empty() {
            steps
                .notices
                .push(format!("{} refuses the image's own settings: {why}", service.program));
        }
        for table in tables {
            steps.notices.push(format!("{} does not take [{table}]: {why}", service.program));
            // The table that holds now: one that says nothing means the defaults.
            let mut without = settled.settings.clone();
            without.take_table(table, &Settings::default());
            let instead =
                if without == settled.settings { Instead::Default } else { instead(kept, table) };
            settled.refused.push(Unused { table, instead });
        }
    }
    settled.access_code = access_code;
    Ok(settled)
}

fn write(
    places: &Places,
    settings: &Settings,
    steps: &mut Steps,
) -> Result<Option<String>, ApplyError> {
    let code = steps.value("make the access code", access_code::code(places, &settings.lan));
    configs::write(places, settings, code.as_deref())?;
    Ok(code)
}

impl Service {
    /// Settings that the service takes, and the tables that were replaced for that. No tables:
    /// nothing helps, and the settings are as before.
    fn mend(
        &self,
        places: &Places,
        settings: &Settings,
        kept: &Settings,
        steps: &mut Steps,
    ) -> Result<(Settings, Vec<&'static str>), ApplyError> {
        let defaults = Settings::default();
        for &table in self.tables {
            for other in [kept, &defaults] {
                let mut candidate = settings.clone();
                candidate.take_table(table, other);
                if candidate != *settings {
                    write(places, &candidate, steps)?;
                    if self.verdict(places).is_ok() {
                        return Ok((candidate, vec![table]));
                    }
                }
            }
        }
        // More than one table is wrong: the defaults for all of them.
        let mut candidate = settings.clone();
        self.tables.iter().for_each(|table| candidate.take_table(table, &defaults));
        write(places, &candidate, steps)?;
        let changed = |table: &&&str| {
            let mut other = settings.clone();
            other.take_table(table, &defaults);
            other != *settings
        };
        match self.verdict(places) {
            Ok(()) => Ok((candidate, self.tables.iter().filter(changed).copied().collect())),
            Err(_) => Ok((settings.clone(), Vec::new())),
        }
    }

    /// An error is why the service refuses its configuration. A service that is missing, does not
    /// answer or crashes says nothing about it, so the configuration stays.
    fn verdict(&self, places: &Places) -> Result<(), String> {
        let (program, config) =
            (places.programs().join(self.program), places.configs().join(self.config));
        let Ok(metadata) = program.metadata() else { return Ok(()) };
        // Asking each service costs time before the car can be driven. A configuration that the
        // same program of the same release has taken is not asked about again.
        let release = text(&places.os_release()).ok().flatten().unwrap_or_default();
        let content = text(&config).ok().flatten().unwrap_or_default();
        let taken = format!("{} of {} bytes\n{release}\n{content}", self.program, metadata.len());
        let memory = places.kept().join("taken").join(self.config);
        if text(&memory).ok().flatten().is_some_and(|before| before == taken) {
            return Ok(());
        }
        match ask(&program, &config) {
            Ok((Some(BAD_CONFIGURATION), words)) => return Err(gist(&words)),
            Ok((Some(0), _)) => {
                if let Err(error) = put(&memory, &taken, Readers::Nobody) {
                    tracing::debug!(
                        error = %causes(&error),
                        "it will be asked again at the next start"
                    );
                }
            }
            Ok((code, words)) => tracing::warn!(
                code,
                "{} cannot judge its configuration: {}",
                self.program,
                words.trim()
            ),
            Err(error) => {
                tracing::warn!(
                    error = %causes(&error),
                    "{} cannot be asked about its configuration",
                    self.program
                )
            }
        }
        Ok(())
    }
}

/// Exit code and words of `check-config`.
fn ask(program: &Path, config: &Path) -> std::io::Result<(Option<i32>, String)> {
    let mut command = Command::new(program);
    command.arg("--config").arg(config).arg("check-config");
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    // Read when it has ended: until then the pipe keeps 64 KiB of its words (pipe(7)).
    let code = wait(&mut child)?;
    let mut words = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        stderr.take(4096).read_to_end(&mut words)?;
    }
    Ok((code, String::from_utf8_lossy(&words).into_owned()))
}

/// `None`: a signal ended it, such as ours after [`PATIENCE`].
fn wait(child: &mut Child) -> std::io::Result<Option<i32>> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        if Instant::now() >= until {
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The last line, without the place: it is in a file that nobody edits.
fn gist(words: &str) -> String {
    let line = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
    let from = line.find("key `").unwrap_or(0);
    line[from..]
        .trim_start_matches("error: ")
        .chars()
        .filter(|c| !c.is_control())
        .take(super::NOTICE_LENGTH)
        .collect()
}

/// Everybody may read the reason, so secrets that it quotes are hidden.
fn without_secrets(words: &str, settings: &Settings, access_code: Option<&str>) -> String {
    let Settings { host, lan, modem, .. } = settings;
    let secrets = [&host.token, &lan.access_code, &modem.user, &modem.password, &modem.pin];
    let secrets = secrets
        .into_iter()
        .filter_map(Option::as_deref)
        .chain(access_code)
        .filter(|secret| !secret.is_empty());
    secrets.fold(words.to_owned(), |words, secret| words.replace(secret, "…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_says_is_told_without_place_and_secrets() {
        let words =
            "note\nerror: /run/rccar/config/car.toml:2:1: key `camera.source`: no such camera\n\n";
        assert_eq!(gist(words), "key `camera.source`: no such camera");
        assert_eq!(
            (gist("error: no\n").as_str(), gist("").as_str()),
            ("no", "it does not say why")
        );
        let mut settings = Settings::default();
        settings.host.token = Some("s3cret".to_owned());
        assert_eq!(
            without_secrets("`s3cret` is no token, nor is pa55", &settings, Some("pa55")),
            "`…` is no token, nor is …"
        );
    }
}
