//! The commands of `rccar-update`.

use crate::config::{Config, DEFAULT_PATH};
use crate::error::UpdateError;
use crate::run;
use crate::status::Details;
use clap::{Parser, Subcommand};
use rccar_bus::update::UpdateClient;
use rccar_daemon::cli::{CommonArgs, print, print_no_mistakes};
use rccar_daemon::logging;
use rccar_rauc::{BootStatus, Rauc, Slot};
use std::fmt::Write as _;
use std::path::Path;

/// Keeps the car's image up to date: streams releases into the idle slot, reboots when parked, and
/// lets a new version prove itself.
#[derive(Debug, Parser)]
#[command(name = "rccar-update", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep the image up to date (the default)
    Run,
    /// Check the configuration and name what is wrong
    CheckConfig,
    /// Show the running version, the slots, how the last update ended, and the next check
    Status,
    /// Ask the host for a release now
    Check,
    /// Install a release that the host has, or a bundle on this machine, and reboot as soon as
    /// nobody drives
    Install {
        /// A version such as 1.2.3, or the path of a bundle
        what: String,
        /// Also if it is older than the running version, or the same
        #[arg(long)]
        allow_downgrade: bool,
    },
}

impl Cli {
    pub(crate) fn execute(&self) -> Result<(), UpdateError> {
        let path = self.common.config_or(Path::new(DEFAULT_PATH));
        let config = Config::load(path)?;
        let run = match &self.command {
            Some(Command::CheckConfig) => return Ok(print_no_mistakes(path)?),
            Some(command) => {
                Box::pin(ask(config, command)) as std::pin::Pin<Box<dyn Future<Output = _>>>
            }
            None => Box::pin(ask(config, &Command::Run)),
        };
        // Two threads: one for the loop, one for the transfer.
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.map_err(UpdateError::Runtime)?.block_on(run)
    }
}

async fn ask(config: Config, command: &Command) -> Result<(), UpdateError> {
    if matches!(command, Command::Run) {
        logging::init("rccar-update");
        return Box::pin(run::run(config)).await;
    }
    let connection = config.bus.address.connect().await?;
    let update = UpdateClient::new(connection.clone());
    match command {
        Command::Check => {
            update.check().await?;
            Ok(print("the host is asked; `rccar-update status` shows the result\n")?)
        }
        Command::Install { what, allow_downgrade } => {
            // The service has another working directory, so it needs the whole path.
            let what = if what.contains('/') || Path::new(what).exists() {
                std::path::absolute(what)
                    .map(|path| path.display().to_string())
                    .unwrap_or_else(|_| what.clone())
            } else {
                what.clone()
            };
            update.install_for_owner(&what, *allow_downgrade).await?;
            Ok(print("accepted; `rccar-update status` shows the progress\n")?)
        }
        Command::Run | Command::CheckConfig | Command::Status => {
            let properties = update.properties().await?;
            let details = serde_json::from_str(&properties.details).unwrap_or_default();
            let slots = Rauc::new(connection).slots().await;
            let mut text = format!("running    {}\n", properties.running_version);
            text += &describe_state(
                &properties.state,
                &properties.version,
                properties.percent,
                &properties.reason,
            );
            text += &describe_details(&details);
            text += &slots.map_or_else(|error| format!("slots      {error}\n"), describe_slots);
            Ok(print(&text)?)
        }
    }
}

fn describe_state(state: &str, version: &str, percent: u8, reason: &str) -> String {
    let version = if version.is_empty() { String::new() } else { format!(" {version}") };
    let percent = if state == "installing" { format!(", {percent} %") } else { String::new() };
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    format!("state      {state}{version}{percent}{reason}\n")
}

fn describe_details(details: &Details) -> String {
    let mut text = String::new();
    if let Some(last) = &details.last {
        let outcome = last.failed.as_deref().unwrap_or("proved itself");
        let _ = writeln!(text, "last       {}: {outcome}", last.version);
    }
    for failure in &details.failures {
        let _ = writeln!(
            text,
            "failed     {}, {} times: {}",
            failure.version, failure.tries, failure.reason
        );
    }
    let link = if details.metered { "metered" } else { "not metered" };
    let megabytes = |bytes: u64| format!("{}.{}", bytes / 1_000_000, bytes / 100_000 % 10);
    let _ = writeln!(
        text,
        "link       {link}; {} of {} MB used this month",
        megabytes(details.meter.bytes),
        megabytes(details.metered_cap)
    );
    let _ = writeln!(
        text,
        "next check in {} min, while registered and not driven",
        details.next_check_s.div_ceil(60)
    );
    text
}

fn describe_slots(mut slots: Vec<Slot>) -> String {
    slots.retain(|slot| slot.bootname.is_some());
    slots.sort_by(|one, other| one.bootname.cmp(&other.bootname));
    let describe = |slot: &Slot| {
        let boots = match slot.boot_status {
            Some(BootStatus::Good) => "good",
            Some(BootStatus::Bad) => "not to be started",
            None => "unknown to the bootloader",
        };
        let booted = if slot.booted { ", booted" } else { "" };
        let version = slot.version.as_deref().unwrap_or("as flashed");
        format!("slot {}     {version}, {boots}{booted}\n", slot.bootname.as_deref().unwrap_or("?"))
    };
    slots.iter().map(describe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn states_are_described_in_a_line() {
        assert_eq!(describe_state("idle", "", 0, ""), "state      idle\n");
        assert_eq!(
            describe_state("installing", "1.2.0", 41, "the car is armed"),
            "state      installing 1.2.0, 41 %: the car is armed\n"
        );
    }
}
