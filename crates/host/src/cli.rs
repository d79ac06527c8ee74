//! The command line.

use clap::{Parser, Subcommand};
use rccar_daemon::cli::CommonArgs;
use rccar_protocol::text::{CarId, Name};

/// Signaling host of rccar: accounts, cars, the web page, STUN and TURN
#[derive(Debug, Parser)]
#[command(name = "rccar-host", version)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve until stopped (the default)
    Run,
    /// Check the configuration and say so
    CheckConfig,
    /// Print a link that signs a user in once, within 15 minutes
    SignInLink {
        /// The user's name
        #[arg(long, value_parser = name)]
        user: Name,
    },
    /// Print the provision.toml for a new car's SD card; the token in it works once, for 24 hours
    Enrol {
        /// Name of the car; without it the car's own choice counts
        #[arg(long, value_parser = name)]
        name: Option<Name>,
        /// Whose the car is to be; without it only the command line may revoke it
        #[arg(long, value_parser = name)]
        owner: Option<Name>,
        /// Print JSON: token, expires_at (seconds since 1970), config (lines for car.toml), provision (the file)
        #[arg(long)]
        json: bool,
    },
    /// Manage the people who may drive
    #[command(subcommand)]
    User(UserCommand),
    /// Manage the cars
    #[command(subcommand)]
    Car(CarCommand),
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
    /// List all users
    List,
    /// Remove a user and end all of the user's sign-ins
    Remove {
        /// The name
        #[arg(value_parser = name)]
        name: Name,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CarCommand {
    /// List all cars
    List,
    /// Send a car away, whoever owns it; it waits to be claimed then, by whoever sees its code
    Revoke {
        /// The car's identifier, as `car list` shows it
        #[arg(value_parser = car)]
        id: CarId,
    },
}

fn name(text: &str) -> Result<Name, String> {
    Name::new(text).map_err(|error| error.to_string())
}

fn car(text: &str) -> Result<CarId, String> {
    CarId::new(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }
}
