//! An AT modem without hardware. It has two pseudo terminals and behaves like a u-blox LARA-R2 in
//! bridge mode; or it has one line, over which data flow during a call, as with PPP.

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
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Names of the modem's ports.
const PORTS: [&str; 2] = ["ttyACM0", "ttyACM1"];

/// A handle to the modem. What a method does happens at once.
#[derive(Clone)]
pub struct AtModem {
    device: Arc<Mutex<Device>>,
    lines: Arc<Vec<Line>>,
}

/// A serial line.
struct Line {
    stream: File,
    /// The other end of a pseudo terminal, and its path. It is held open so that the line is not
    /// hung up when ModemManager closes its own.
    terminal: Option<(OwnedFd, PathBuf)>,
    port: Mutex<Port>,
    /// The stream for the data of a call; `None` without a call.
    call: Mutex<Option<UnixStream>>,
}

impl AtModem {
    /// Starts a modem, whose data `path` carries.
    ///
    /// # Errors
    /// There are no pseudo terminals left.
    pub fn start(path: Arc<dyn DataPath>) -> io::Result<Self> {
        let lines = PORTS.iter().map(|_| Line::open()).collect::<io::Result<Vec<_>>>()?;
        let modem =
            Self { device: Arc::new(Mutex::new(Device::new(path))), lines: Arc::new(lines) };
        for index in 0..PORTS.len() {
            let serving = modem.clone();
            // Never joined: nothing but the end of the process wakes a terminal's reader.
            std::thread::spawn(move || serving.serve(index));
        }
        Ok(modem)
    }

    /// Is a modem at the other end of a stream until the stream ends. A shell command answers its
    /// calls over its standard input and output. When the command ends, so does the call.
    pub fn answer(stream: UnixStream, path: Arc<dyn DataPath>, command: &str) {
        let mut device = Device::new(path);
        device.answerer = Some(command.to_owned());
        let lines = vec![Line::new(OwnedFd::from(stream).into(), None)];
        Self { device: Arc::new(Mutex::new(device)), lines: Arc::new(lines) }.serve(0);
    }

    /// Names of the ports, each with the path of its terminal.
    pub(crate) fn terminals(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        PORTS
            .into_iter()
            .zip(self.lines.iter().filter_map(|line| line.terminal.as_ref().map(|(_, path)| path)))
    }

    /// Changes the registration. The modem reports it.
    pub fn register(&self, registration: AtRegistration) {
        self.device().registration = registration;
        self.report_registration();
    }

    /// Lets the network end the packet service. The modem reports it.
    pub fn detach(&self) {
        let mut device = self.device();
        device.registration = AtRegistration::Searching;
        device.deactivate();
        drop(device);
        self.report_registration();
        self.report("+CGEV: NW DETACH");
    }

    /// Lets the network end the connection. The modem reports it.
    pub fn deactivate(&self) {
        let ended = self.device().deactivate();
        for context in ended {
            self.report(&format!("+CGEV: NW PDN DEACT {context}"));
        }
    }

    /// Lets the network end the connection. The modem does not report it.
    pub fn deactivate_silently(&self) {
        self.device().deactivate();
    }

    /// Makes the firmware hang, or work again.
    pub fn hang(&self, hangs: bool) {
        self.device().hangs = hangs;
    }

    /// Removes the SIM. Call it before ModemManager starts: this modem does not report it later.
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
        while let Ok(length @ 1..) = (&line.stream).read(&mut buffer) {
            if let Some(call) = &mut *line.call() {
                // A call that has just ended takes no more data.
                let _ = call.write_all(&buffer[..length]);
                continue;
            }
            if line.port().echo {
                line.write(&String::from_utf8_lossy(&buffer[..length]));
            }
            pending.extend_from_slice(&buffer[..length]);
            // PPP's last frames may come after the end of the call. Each ends with a flag (`~`),
            // which no command has: all up to it is dropped.
            if let Some(end) = pending.iter().rposition(|byte| *byte == b'~') {
                pending.drain(..=end);
            }
            while let Some(end) = pending.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
                let command: Vec<u8> = pending.drain(..=end).collect();
                self.handle(index, String::from_utf8_lossy(&command).trim());
            }
        }
    }

    /// Answers one line: `AT`, then commands that are separated by semicolons. The first error ends
    /// it.
    fn handle(&self, index: usize, text: &str) {
        let line = &self.lines[index];
        let mut device = self.device();
        if device.answerer.is_some() && !text.is_empty() {
            eprintln!("{text}");
        }
        if device.hangs {
            return;
        }
        let Some(commands) =
            text.get(..2).filter(|start| start.eq_ignore_ascii_case("AT")).map(|_| &text[2..])
        else {
            return;
        };
        let mut answer = String::new();
        for command in commands.split(';') {
            match device.answer(&mut line.port(), command) {
                Reply::Ok => {}
                Reply::Line(text) => answer.push_str(&format!("\r\n{text}\r\n")),
                Reply::Connect => {
                    let answerer = device.answerer.clone().unwrap_or_default();
                    drop(device);
                    return self.call(index, &answerer);
                }
                Reply::Error => return line.write("\r\nERROR\r\n"),
                Reply::EquipmentError(number) => {
                    return line.write(&format!("\r\n+CME ERROR: {number}\r\n"));
                }
            }
        }
        drop(device);
        line.write(&format!("{answer}\r\nOK\r\n"));
    }

    /// Begins a call: data flow between the line and the answerer until the answerer ends.
    fn call(&self, index: usize, answerer: &str) {
        let line = &self.lines[index];
        // One stream for both directions, like a terminal.
        let begin = || {
            let (ours, theirs) = UnixStream::pair()?;
            let input = OwnedFd::from(theirs.try_clone()?);
            let command = ["-c", answerer];
            let child = Command::new("sh")
                .args(command)
                .stdin(Stdio::from(input))
                .stdout(Stdio::from(OwnedFd::from(theirs)))
                .spawn()?;
            Ok::<_, io::Error>((ours.try_clone()?, ours, child))
        };
        let Ok((to, mut from, mut child)) = begin() else {
            return line.write("\r\nNO CARRIER\r\n");
        };
        line.write("\r\nCONNECT 115200\r\n");
        *line.call() = Some(to);
        let modem = self.clone();
        std::thread::spawn(move || {
            let line = &modem.lines[index];
            // Ends when either side is gone.
            let _ = io::copy(&mut from, &mut &line.stream);
            let _ = child.wait();
            *line.call() = None;
            line.write("\r\nNO CARRIER\r\n");
        });
    }
}

impl Line {
    fn new(stream: File, terminal: Option<(OwnedFd, PathBuf)>) -> Self {
        Self { stream, terminal, port: Mutex::default(), call: Mutex::default() }
    }

    fn open() -> io::Result<Self> {
        let pair = openpty(None, None)?;
        let mut settings = tcgetattr(&pair.slave)?;
        cfmakeraw(&mut settings);
        tcsetattr(&pair.slave, SetArg::TCSANOW, &settings)?;
        let path = ttyname(&pair.slave)?;
        Ok(Self::new(pair.master.into(), Some((pair.slave, path))))
    }

    fn port(&self) -> MutexGuard<'_, Port> {
        self.port.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self) -> MutexGuard<'_, Option<UnixStream>> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, text: &str) {
        // A terminal that nobody reads becomes full. A modem would drop the text, too.
        let _ = (&self.stream).write_all(text.as_bytes());
    }
}
