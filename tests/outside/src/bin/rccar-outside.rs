//! `rccar-outside FOLDER`: the car outside of an emulated card, with the sockets `i2c` and `gpio`
//! for QEMU and `control` for a story in that folder.

use rccar_outside::car::Car;
use rccar_outside::control;
use rccar_outside::virtio::{Gpio, I2c, serve};
use std::io;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("rccar-outside: which folder?");
        return ExitCode::from(2);
    };
    match run(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rccar-outside: {}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

/// Until one of the three ends.
fn run(folder: &std::path::Path) -> io::Result<()> {
    let car = Arc::new(Mutex::new(Car::default()));
    let (sender, ended) = channel();
    let (path, own, ends) = (folder.join("i2c"), Arc::clone(&car), sender.clone());
    thread::spawn(move || ends.send(serve(&path, &own, I2c::default)));
    let (path, own, ends) = (folder.join("gpio"), Arc::clone(&car), sender.clone());
    thread::spawn(move || ends.send(serve(&path, &own, Gpio::default)));
    let own = Arc::clone(&car);
    thread::spawn(move || control::run_clock(&own));
    let listener = UnixListener::bind(folder.join("control"))?;
    thread::spawn(move || sender.send(control::serve(&listener, &car)));
    ended.recv().map_err(io::Error::other)?
}
