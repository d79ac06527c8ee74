//! Applies `provision.toml`, the file on an SD card's first partition with which a person sets up a
//! car.
//!
//! **A mistake in the file costs the table that it is in and nothing else: what is right is used,
//! what is wrong is named with line, key and example, in a file beside it, on the car's page and by
//! `check`.**
//!
//! At each boot, before any service that needs its outcome, `rccar-provision apply`
//! 1. reads the file, and the settings kept from the last boot ([`parse`],
//!    [`Parsed::settings_or`]);
//! 2. writes the services' configurations, without what a service refuses;
//! 3. keeps the settings that hold for the next boot;
//! 4. writes Wi-Fi, SSH key and host name;
//! 5. writes down which device-tree overlays the boot script applies at the next start;
//! 6. writes `provision-report.txt` beside the file, if it has changed, and `provision.json` for
//!    the car's page.
//!
//! ```
//! let parsed = rccar_provision::parse(b"[wifi]\nssid = \"Home\"\n[camera]\nfps = 99\n");
//! assert_eq!(parsed.settings.wifi.ssid.as_deref(), Some("Home"));
//! assert_eq!((parsed.faults[0].line, parsed.faults[0].key.as_str()), (4, "camera.fps"));
//! ```
//!
//! # Design decisions
//!
//! * The file is cut at its `[table]` lines and each table is parsed alone: one missing quotation
//!   mark does not hide the other tables from the parser.
//! * A table with a mistake is replaced as a whole, by the one kept: half of a table may mean
//!   something else, such as a Wi-Fi network without its password. The exceptions are the host's
//!   address and further Wi-Fi networks: without them nobody could help the car from afar.
//! * Without the file the kept settings hold: a card whose FAT is damaged still drives. So it is
//!   with an empty file, and with one that has no table. A table that is absent means the defaults,
//!   unless something in the file cannot be told to be that table.
//! * What cannot be misunderstood is put right and said: another case, `[wlan]` for `[wifi]`,
//!   UTF-16, characters that nobody sees. What moves the car is never guessed.
//! * A camera whose sensor has no driver in this image costs its line, not its table: nothing was
//!   misunderstood.
//! * Faults never quote a value that may be secret. The report lies on the card beside
//!   `provision.toml` and says no more than the card says anyway. The claim code is not in it,
//!   because that changes with each start.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod apply;
mod cli;
mod clock;
mod document;
mod error;
mod fault;
mod lines;
mod parse;
mod reader;
mod run;
pub mod schema;
mod settings;
mod values;
mod wifi;

pub use fault::Fault;
pub use parse::{Parsed, parse};
pub use settings::{
    Battery, Camera, Car, Drive, Host, Lan, Modem, Sensors, Settings, Speed, Ssh, Switches,
    Thousandths, Update, Wifi,
};

use clap::Parser;
use std::process::ExitCode;

#[must_use]
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    rccar_daemon::run(|| cli.execute())
}
