//! Network namespaces of a story, inside its own mount and process namespaces.

use std::io::{self, Write};
use std::process::{Command, Stdio};

/// A network namespace by its name; `None` is the story's own, where the driver is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace(Option<String>);

impl Namespace {
    /// The story's own.
    #[must_use]
    pub fn own() -> Self {
        Self(None)
    }

    /// Makes a namespace, which ends with the story.
    pub fn make(name: &str) -> io::Result<Self> {
        run(Command::new("ip").args(["netns", "add", name]))?;
        let namespace = Self(Some(name.to_owned()));
        namespace.prepare()?;
        Ok(namespace)
    }

    /// Brings the loopback device up, and switches the search for duplicate IPv6 addresses off: it
    /// would take a second before an address can be used.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        self.ip("link set lo up")?;
        let settings =
            "for s in default all; do echo 0 > /proc/sys/net/ipv6/conf/$s/accept_dad; done";
        run(self.command("sh").args(["-c", settings]))
    }

    /// A command that runs a program in this namespace.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        match &self.0 {
            None => Command::new(program),
            Some(name) => {
                // `ip` becomes the program, so that the process id is the program's.
                let mut command = Command::new("ip");
                command.args(["netns", "exec", name, program]);
                command
            }
        }
    }

    /// Runs `ip` in this namespace with the words of `line`.
    pub fn ip(&self, line: &str) -> io::Result<()> {
        let mut command = Command::new("ip");
        if let Some(name) = &self.0 {
            command.args(["-n", name]);
        }
        run(command.args(line.split_ascii_whitespace()))
    }

    /// Moves a device of the story's own namespace here and calls it `name`.
    pub fn take(&self, device: &str, name: &str) -> io::Result<()> {
        match &self.0 {
            Some(namespace) => {
                run(Command::new("ip")
                    .args(["link", "set", device, "netns", namespace, "name", name]))
            }
            None => run(Command::new("ip").args(["link", "set", device, "name", name])),
        }
    }

    /// Loads nftables rules.
    pub fn nft(&self, rules: &str) -> io::Result<()> {
        let mut command = self.command("nft");
        let mut child = command.args(["-f", "-"]).stdin(Stdio::piped()).spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(rules.as_bytes())?;
        }
        let status = child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("nft: {status} for\n{rules}")))
        }
    }

    /// Lets packets pass from one interface to another.
    pub fn forward(&self) -> io::Result<()> {
        let settings = "echo 1 > /proc/sys/net/ipv4/ip_forward && \
                        echo 1 > /proc/sys/net/ipv6/conf/all/forwarding";
        run(self.command("sh").args(["-c", settings]))
    }
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    )))
}
