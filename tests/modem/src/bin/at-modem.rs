//! `at-modem SOCKET COMMAND`: a modem that speaks AT, for the serial port of a machine emulator.
//!
//! It listens on the Unix socket SOCKET, which is its serial line. The shell command COMMAND
//! answers calls over its standard input and output. The program ends when the line does.

use rccar_modem_lab::{Addresses, AtModem, DataPath};
use std::error::Error;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

/// Does nothing, because the calls carry the data.
struct Calls;

impl DataPath for Calls {
    fn carry(&self, _: Option<Addresses>) {}
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(socket), Some(command), None) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: at-modem SOCKET COMMAND".into());
    };
    let (stream, _) = UnixListener::bind(socket)?.accept()?;
    AtModem::answer(stream, Arc::new(Calls), &command);
    Ok(())
}
