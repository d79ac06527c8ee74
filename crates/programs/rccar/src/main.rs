//! `rccar`: the car's programs in one file. Like BusyBox, it is the program whose name it is called
//! by.
//!
//! Runtime, D-Bus, TLS and the parsers are in it once, instead of once for each program: the image
//! has less to store, an update less to fetch, and the programs share the memory of their code.
//! Each still runs as a process and a user of its own.
//!
//! `rccar-drive` is not in it: the process that moves the car locks its code into RAM, and shares
//! none with programs that listen to networks.

use std::path::Path;
use std::process::ExitCode;

/// Name of a program, and its entry.
type Program = (&'static str, fn() -> ExitCode);

const PROGRAMS: &[Program] = &[
    ("rccar-car", rccar_car::main),
    ("rccar-modem", rccar_modem::main),
    ("rccar-provision", rccar_provision::main),
    ("rccar-update", rccar_update::main),
];

#[expect(
    clippy::print_stderr,
    reason = "there is no logging before it is known which program this is"
)]
fn main() -> ExitCode {
    let called = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&called).file_name().unwrap_or_default();
    if let Some((_, program)) = PROGRAMS.iter().find(|(program, _)| name == *program) {
        return program();
    }
    let names: Vec<_> = PROGRAMS.iter().map(|(program, _)| *program).collect();
    eprintln!(
        "{} is no program of this file; call it by a link that is named {}",
        name.display(),
        names.join(", ")
    );
    ExitCode::from(2)
}
