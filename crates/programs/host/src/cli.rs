//! The commands of `rccar-host`.

use crate::config::{Config, DEFAULT_PATH};
use crate::db::backup;
use crate::error::HostError;
use crate::{admin, releases, run};
use clap::{Parser, Subcommand, ValueEnum};
use rccar_daemon::cli::{CommonArgs, print, print_no_mistakes};
use rccar_daemon::logging;
use rccar_protocol::release::{Channel, Percent, ReleaseNotes, Version};
use rccar_protocol::signaling::CarRole;
use rccar_protocol::text::{CarId, Name};
use rccar_site::{PublicUrl, Role};
use std::path::{Path, PathBuf};

/// Signaling host of rccar: accounts, cars, the web page, STUN and TURN
#[derive(Debug, Parser)]
#[command(name = "rccar-host", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until stopped (the default)
    Run,
    /// Check the configuration and name what is wrong
    CheckConfig,
    /// Print a link that signs a user in once, within 15 minutes
    SignInLink {
        /// The user's name
        #[arg(long, value_parser = name)]
        user: Name,
    },
    /// Print a link by which a user chooses a new password, once, within 24 hours; it ends all of
    /// the user's sign-ins
    PasswordLink {
        /// The user's name
        #[arg(long, value_parser = name)]
        user: Name,
    },
    /// Print the provision.toml for a new car's SD card; the token in it works once, for 24 hours
    Enrol {
        /// Name of the car; without it the car's own choice counts
        #[arg(long, value_parser = name)]
        name: Option<Name>,
        /// Owner of the car; without one only the command line can revoke it
        #[arg(long, value_parser = name)]
        owner: Option<Name>,
        /// Address under which the car finds this host; without it http.public_url counts
        #[arg(long, value_parser = url)]
        url: Option<PublicUrl>,
        /// Print JSON: token, expires_at (seconds since 1970), url (null if no address for other
        /// machines is known), config (lines for car.toml), provision (the file)
        #[arg(long)]
        json: bool,
    },
    /// Write a copy of the database, also while the host runs
    Backup {
        /// A file that does not exist yet
        file: PathBuf,
    },
    /// Put a copy in the place of the database; the host must not run
    Restore {
        /// What `backup` has written
        file: PathBuf,
    },
    /// Manage the people who may drive
    #[command(subcommand)]
    User(UserCommand),
    /// Manage the cars
    #[command(subcommand)]
    Car(CarCommand),
    /// Manage the releases of the cars' image
    #[command(subcommand)]
    Release(ReleaseCommand),
}

impl Cli {
    pub(crate) fn execute(self) -> Result<(), HostError> {
        let path = self.common.config_or(Path::new(DEFAULT_PATH));
        logging::init("rccar-host");
        let config = Config::load(path)?;
        match self.command.unwrap_or(Command::Run) {
            Command::Run => run::run(&config)?,
            Command::CheckConfig => print_no_mistakes(path)?,
            Command::SignInLink { user } => admin::sign_in_link(&config, &user)?,
            Command::PasswordLink { user } => admin::password_link(&config, &user)?,
            Command::Enrol { name, owner, url, json } => {
                admin::enrol(&config, name.as_ref(), owner.as_ref(), url, json)?
            }
            Command::Backup { file } => backup::back_up(&config.database.path, &file)?,
            Command::Restore { file } => restore(&file, &config.database.path)?,
            Command::User(command) => admin::user(&config, &command)?,
            Command::Car(command) => admin::car(&config, &command)?,
            Command::Release(command) => releases::command(&config, command)?,
        }
        Ok(())
    }
}

fn restore(file: &Path, database: &Path) -> Result<(), HostError> {
    let kept = backup::restore(file, database)?;
    if let Some(kept) = kept {
        print(&format!("the database from before is {}\n", kept.display()))?;
    }
    Ok(())
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user, who signs in by link until there is a password
    Add {
        /// The name to sign in with
        #[arg(value_parser = name)]
        name: Name,
        /// Read the password from the first line of the standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List all users and their roles
    List,
    /// Make a user an admin, or a member again; there is always one admin
    Role {
        /// The name
        #[arg(value_parser = name)]
        name: Name,
        /// What the user is from now on
        role: RoleArg,
    },
    /// Remove a user and end all of the user's sign-ins; a new user of the same name gets the
    /// user's cars again
    Remove {
        /// The name
        #[arg(value_parser = name)]
        name: Name,
        /// The user who gets the cars
        #[arg(long, value_parser = name)]
        cars_to: Option<Name>,
    },
}

/// What a user may do on the host.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RoleArg {
    /// Manages people and releases, and counts as the owner of every car
    Admin,
    /// Has the rights that the owners of cars have given
    Member,
}

impl RoleArg {
    pub(crate) fn role(self) -> Role {
        match self {
            Self::Admin => Role::Admin,
            Self::Member => Role::Member,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum CarCommand {
    /// List all cars
    List,
    /// Share a car with a user or with everybody, or no longer
    Share {
        /// The car's identifier, as `car list` shows it
        #[arg(value_parser = car)]
        id: CarId,
        /// With whom
        #[command(flatten)]
        with: WithArgs,
        /// What they may do with it from now on
        #[arg(long)]
        role: ShareArg,
    },
    /// Send a car away, also one that has an owner; then anybody who sees its code can claim it
    Revoke {
        /// The car's identifier, as `car list` shows it
        #[arg(value_parser = car)]
        id: CarId,
    },
}

/// With whom a car is shared.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct WithArgs {
    /// This user
    #[arg(long, value_parser = name)]
    user: Option<Name>,
    /// Everybody who has an account on this host
    #[arg(long)]
    everybody: bool,
}

impl WithArgs {
    /// `None`: everybody.
    pub(crate) fn name(&self) -> Option<Name> {
        self.user.clone()
    }
}

/// What somebody may do with a car that is not theirs.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ShareArg {
    /// See it and drive it
    Driver,
    /// See it, and who drives it
    Spectator,
    /// Nothing
    None,
}

impl ShareArg {
    pub(crate) fn role(self) -> Option<CarRole> {
        match self {
            Self::Driver => Some(CarRole::Driver),
            Self::Spectator => Some(CarRole::Spectator),
            Self::None => None,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReleaseCommand {
    /// Check a signed bundle and offer it to cars
    Add {
        /// The bundle (.raucb, format verity)
        file: PathBuf,
        /// Channel that it is offered in
        #[arg(long, default_value = "stable", value_parser = channel)]
        channel: Channel,
        /// Percent of the cars that get it at first
        #[arg(long, default_value = "100", value_parser = percent)]
        rollout: Percent,
        /// What is new, for people
        #[arg(long, value_parser = notes)]
        notes: Option<ReleaseNotes>,
    },
    /// List all releases, the newest first
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change how many percent of the cars get a release; raising it only adds cars
    Rollout {
        /// The release
        version: Version,
        /// 0 to 100
        #[arg(value_parser = percent)]
        percent: Percent,
    },
    /// Hold a release back: no further car gets it
    Pause {
        /// The release
        version: Version,
    },
    /// Offer a paused release again
    Resume {
        /// The release
        version: Version,
    },
    /// Change the channels that a release is offered in
    Channel {
        /// The release
        version: Version,
        /// All channels from now on
        #[arg(required = true, value_parser = channel)]
        channels: Vec<Channel>,
    },
    /// Remove a release and its bundle
    Remove {
        /// The release
        version: Version,
    },
}

fn channel(text: &str) -> Result<Channel, String> {
    Channel::new(text).map_err(|error| error.to_string())
}

fn percent(text: &str) -> Result<Percent, String> {
    let number: u8 =
        text.trim_end_matches('%').parse().map_err(|_| "a number from 0 to 100 is needed")?;
    Percent::try_from(number).map_err(|error| error.to_string())
}

fn notes(text: &str) -> Result<ReleaseNotes, String> {
    ReleaseNotes::new(text).map_err(|error| error.to_string())
}

fn name(text: &str) -> Result<Name, String> {
    Name::new(text).map_err(|error| error.to_string())
}

fn url(text: &str) -> Result<PublicUrl, String> {
    PublicUrl::try_from(text.to_owned()).map_err(|error| error.to_string())
}

fn car(text: &str) -> Result<CarId, String> {
    CarId::new(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
