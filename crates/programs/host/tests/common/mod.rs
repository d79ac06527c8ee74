//! The real program in a directory of its own.
#![allow(
    unreachable_pub,
    dead_code,
    reason = "shared by the test files, each of which uses a part"
)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

pub mod bundles;
pub mod car;
pub mod fleet;
pub mod scale;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_rccar-host");
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Host {
    pub directory: TempDir,
    running: Option<Child>,
    pub address: String,
    pub log_level: &'static str,
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub cookie: Option<String>,
    pub body: String,
}

impl Host {
    pub fn start() -> Self {
        Self::start_with("max_connections = 2000\n")
    }

    /// With these lines in `[http]`.
    pub fn start_with(http: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().display();
        let config = format!(
            "[http]\nlisten = [\"127.0.0.1:0\"]\n{http}[database]\npath = \"{at}/host.db\"\n\
             [turn]\nlisten = [\"127.0.0.1:0\"]\nsecret_file = \"{at}/turn.secret\"\n\
             allow_loopback_peers = true\n\
             [releases]\ndir = \"{at}/releases\"\nkeyring = \"{at}/keyring.pem\"\n\
             max_bytes = 16000000\nmax_downloads_per_car = 2\n\
             announce_spread_s = 0\n"
        );
        std::fs::write(directory.path().join("host.toml"), config).unwrap();
        let mut host = Self { directory, running: None, address: String::new(), log_level: "info" };
        host.launch();
        host
    }

    pub fn launch(&mut self) {
        let create = |name: &str| std::fs::File::create(self.directory.path().join(name)).unwrap();
        let mut child =
            self.command(&["run"]).stdout(create("output")).stderr(create("log")).spawn().unwrap();
        eventually("the first line", || {
            assert!(child.try_wait().unwrap().is_none(), "the host has ended: {}", self.log());
            self.output().contains('\n')
        });
        let output = self.output();
        let line = output.lines().next().unwrap();
        let address = line.strip_prefix("listening on http://").map(str::to_owned);
        self.address = address.unwrap_or_else(|| panic!("{line:?}: {}", self.log()));
        self.running = Some(child);
    }

    /// As a power cut ends it.
    pub fn kill(&mut self) {
        let mut child = self.running.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts the host again, where its clients look for it.
    pub fn launch_again(&mut self) {
        let path = self.directory.path().join("host.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        let http = format!("[http]\nlisten = [\"{}\"]", self.address);
        let config = config.replace("[http]\nlisten = [\"127.0.0.1:0\"]", &http);
        std::fs::write(&path, config).unwrap();
        self.launch();
    }

    /// Memory of the running program that is not on disk, in kB (proc(5), `status`).
    pub fn resident_kb(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Processor time of the running program in seconds (proc(5), `stat`: fields 14 and 15, in
    /// hundredths).
    pub fn cpu_s(&self) -> f64 {
        let stat = self.proc("stat");
        let after_name = stat.rsplit_once(')').unwrap().1;
        let fields: Vec<_> = after_name.split_whitespace().collect();
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
    }

    fn proc(&self, file: &str) -> String {
        let id = self.running.as_ref().unwrap().id();
        std::fs::read_to_string(format!("/proc/{id}/{file}")).unwrap()
    }

    /// As the service manager stops it. The exit code has to be 0.
    pub fn stop(&mut self) {
        let mut child = self.running.take().unwrap();
        assert!(
            Command::new("kill")
                .args(["-TERM", &child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        assert!(child.wait().unwrap().success(), "{}", self.log());
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .arg("--config")
            .arg(self.directory.path().join("host.toml"))
            .args(args)
            .env("RCCAR_LOG", self.log_level)
            .env("NO_COLOR", "1");
        command
    }

    /// Runs a command that has to succeed; its standard output.
    pub fn admin(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", words(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// The standard output of the newest start.
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("output")).unwrap()
    }

    /// The token of the newest set-up link.
    pub fn setup_token(&self) -> String {
        token(&self.output(), "#/setup?token=")
    }

    pub fn post(&self, path: &str, cookie: &str, body: &str) -> Reply {
        self.request("POST", path, cookie, body)
    }

    pub fn sign_in_state(&self, cookie: &str) -> serde_json::Value {
        serde_json::from_str(&self.request("GET", "/api/v1/sign-in", cookie, "").body).unwrap()
    }

    pub fn request(&self, method: &str, path: &str, cookie: &str, body: &str) -> Reply {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (address, length) = (&self.address, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             content-type: application/json\r\n\
             cookie: {cookie}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
        Reply {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            cookie,
            body: body.to_owned(),
        }
    }

    /// A request whose answer may be binary: status, head, body.
    pub fn transfer(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let headers: String =
            headers.iter().map(|(key, value)| format!("{key}: {value}\r\n")).collect();
        let (address, length) = (&self.address, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             content-length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        // A host that refuses a request for its head may hang up before it has read everything.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer");
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head, answer.split_off(end + 4))
    }

    /// Sets the host up and returns the cookie of its first user.
    pub fn set_up(&self) -> String {
        let body = format!(
            r#"{{"token":"{}","name":"Ada","password":"correct horse"}}"#,
            self.setup_token()
        );
        let reply = self.post("/api/v1/setup", "", &body);
        assert_eq!(reply.status, 204, "{reply:?}");
        reply.cookie.unwrap()
    }

    pub fn sign_in(&self, name: &str, password: &str) -> Reply {
        self.post("/api/v1/sign-in", "", &format!(r#"{{"name":"{name}","password":"{password}"}}"#))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(child) = &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What follows `before` up to white space.
pub fn token(text: &str, before: &str) -> String {
    let (_, after) = text.rsplit_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    after.split_whitespace().next().unwrap().to_owned()
}

/// Waits for something that happens by itself.
pub fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < PATIENCE, "{what}: did not happen within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
