//! An AT modem without hardware: pseudo terminals behind which a u-blox LARA-R2 in bridge mode seems to sit.

mod commands;

pub use commands::AtRegistration;

use crate::DataPath;
use commands::{Device, Port, Reply};
use nix::pty::openpty;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::ttyname;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Names of the modem's ports.
const PORTS: [&str; 2] = ["ttyACM0", "ttyACM1"];

/// A handle to the modem; what it does to it happens at once.
#[derive(Clone)]
pub struct AtModem {
    device: Arc<Mutex<Device>>,
    lines: Arc<Vec<Line>>,
}

/// A pseudo terminal.
struct Line {
    master: File,
    /// Held open, so that the line is not hung up when ModemManager closes it.
    _slave: OwnedFd,
    path: PathBuf,
    port: Mutex<Port>,
}

impl AtModem {
    /// Starts a modem; `path` is told what it carries.
    ///
    /// # Errors
    /// There are no pseudo terminals left.
    pub fn start(path: Arc<dyn DataPath>) -> io::Result<Self> {
        let lines = PORTS.iter().map(|_| Line::open()).collect::<io::Result<Vec<_>>>()?;
        let modem = Self { device: Arc::new(Mutex::new(Device::new(path))), lines: Arc::new(lines) };
        for index in 0..PORTS.len() {
            let serving = modem.clone();
            // Ends with the process: a terminal's reader cannot be woken otherwise.
            std::thread::spawn(move || serving.serve(index));
        }
        Ok(modem)
    }

    /// Names of ports and the terminals that they are.
    pub(crate) fn terminals(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        PORTS.into_iter().zip(self.lines.iter().map(|line| &line.path))
    }

    /// Registration changes, and the modem says so.
    pub fn register(&self, registration: AtRegistration) {
        self.device().registration = registration;
        self.report_registration();
    }

    /// The network ends the packet service and the modem says so.
    pub fn detach(&self) {
        let mut device = self.device();
        device.registration = AtRegistration::Searching;
        device.deactivate();
        drop(device);
        self.report_registration();
        self.report("+CGEV: NW DETACH");
    }

    /// The network ends the connection and the modem says so.
    pub fn deactivate(&self) {
        let ended = self.device().deactivate();
        for context in ended {
            self.report(&format!("+CGEV: NW PDN DEACT {context}"));
        }
    }

    /// The network ends the connection and nobody is told.
    pub fn deactivate_silently(&self) {
        self.device().deactivate();
    }

    /// The firmware hangs, or comes back to itself.
    pub fn hang(&self, hangs: bool) {
        self.device().hangs = hangs;
    }

    /// There is no SIM in it. Before ModemManager starts: this modem does not notice later.
    pub fn without_sim(&self) {
        self.device().has_sim = false;
    }

    fn device(&self) -> MutexGuard<'_, Device> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report_registration(&self) {
        for line in self.lines.iter() {
            for report in self.device().registration_reports(&line.port()) {
                line.write(&format!("\r\n{report}\r\n"));
            }
        }
    }

    fn report(&self, text: &str) {
        self.lines.iter().for_each(|line| line.write(&format!("\r\n{text}\r\n")));
    }

    fn serve(self, index: usize) {
        let line = &self.lines[index];
        let (mut pending, mut buffer) = (Vec::new(), [0; 1024]);
        while let Ok(length @ 1..) = (&line.master).read(&mut buffer) {
            if line.port().echo {
                line.write(&String::from_utf8_lossy(&buffer[..length]));
            }
            pending.extend_from_slice(&buffer[..length]);
            while let Some(end) = pending.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
                let command: Vec<u8> = pending.drain(..=end).collect();
                self.handle(line, String::from_utf8_lossy(&command).trim());
            }
        }
    }

    /// One line: `AT`, then commands, separated by semicolons. The first error ends it.
    fn handle(&self, line: &Line, text: &str) {
        let mut device = self.device();
        if device.hangs {
            return;
        }
        let Some(commands) = text.get(..2).filter(|start| start.eq_ignore_ascii_case("AT")).map(|_| &text[2..]) else { return };
        let mut answer = String::new();
        for command in commands.split(';') {
            match device.answer(&mut line.port(), command) {
                Reply::Ok => {}
                Reply::Line(text) => answer.push_str(&format!("\r\n{text}\r\n")),
                Reply::Error => return line.write("\r\nERROR\r\n"),
                Reply::EquipmentError(number) => return line.write(&format!("\r\n+CME ERROR: {number}\r\n")),
            }
        }
        drop(device);
        line.write(&format!("{answer}\r\nOK\r\n"));
    }
}

impl Line {
    fn open() -> io::Result<Self> {
        let pair = openpty(None, None)?;
        let mut settings = tcgetattr(&pair.slave)?;
        cfmakeraw(&mut settings);
        tcsetattr(&pair.slave, SetArg::TCSANOW, &settings)?;
        let path = ttyname(&pair.slave)?;
        Ok(Self { master: pair.master.into(), _slave: pair.slave, path, port: Mutex::default() })
    }

    fn port(&self) -> MutexGuard<'_, Port> {
        self.port.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, text: &str) {
        // A terminal that nobody reads is full some day; a modem would drop it, too.
        let _ = (&self.master).write_all(text.as_bytes());
    }
}
