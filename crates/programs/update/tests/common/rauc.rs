//! A stand-in for RAUC: it reads the whole bundle by parts, as RAUC's helper does, and records the
//! calls.
//!
//! The real RAUC needs the device mapper. `crates/adapters/rauc/tests/real.rs` tests what works
//! without it, and the tests of the image the rest.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code, reason = "tests")]

use rccar_bus::testing::TestBus;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedValue, Value};
use zbus::{Connection, fdo, interface};

type Dict = HashMap<String, OwnedValue>;

#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) booted: &'static str,
    /// The board in the manifest of every bundle.
    pub(crate) compatible: &'static str,
    pub(crate) version: &'static str,
    pub(crate) size: usize,
    /// The error with which every installation ends.
    pub(crate) refuses: Option<&'static str>,
    pub(crate) read: Vec<u8>,
    pub(crate) marks: Vec<String>,
    pub(crate) primary: &'static str,
    pub(crate) operation: &'static str,
    /// How often `operation` was read.
    pub(crate) looks: u32,
    last_error: String,
}

#[derive(Clone)]
pub(crate) struct Rauc {
    pub(crate) told: Arc<Mutex<Told>>,
}

impl Rauc {
    pub(crate) async fn start(
        bus: &TestBus,
        booted: &'static str,
        version: &'static str,
        size: usize,
    ) -> (Self, Connection) {
        let told = Told {
            booted,
            compatible: "rccar-test",
            version,
            size,
            refuses: None,
            read: Vec::new(),
            marks: Vec::new(),
            primary: if booted == "A" { "rootfs.0" } else { "rootfs.1" },
            operation: "idle",
            looks: 0,
            last_error: String::new(),
        };
        let rauc = Self { told: Arc::new(Mutex::new(told)) };
        let connection = bus.connect().await.unwrap();
        connection.object_server().at("/", rauc.clone()).await.unwrap();
        connection.request_name("de.pengutronix.rauc").await.unwrap();
        (rauc, connection)
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Told) -> T) -> T {
        change(&mut self.told.lock().unwrap())
    }

    async fn install(self, source: String, emitter: SignalEmitter<'static>) {
        let (size, refuses) = self.with(|told| (told.size, told.refuses));
        let mut error = refuses.map(str::to_owned);
        let mut at = 0;
        while at < size && error.is_none() {
            let last = (at + 65_535).min(size - 1);
            match read(&source, at, last).await {
                Some(part) => self.with(|told| told.read.extend(part)),
                None => error = Some("Failed to copy: Input/output error".to_owned()),
            }
            at = last + 1;
        }
        let failed = error.is_some();
        self.with(|told| {
            told.operation = "idle";
            told.last_error = error.unwrap_or_default();
            if !failed {
                told.primary = if told.booted == "A" { "rootfs.1" } else { "rootfs.0" };
            }
        });
        Self::completed(&emitter, failed.into()).await.unwrap();
    }
}

/// Reads a part over HTTP or from a file.
async fn read(source: &str, first: usize, last: usize) -> Option<Vec<u8>> {
    let Some(rest) = source.strip_prefix("http://") else {
        return Some(std::fs::read(source).ok()?[first..=last].to_vec());
    };
    let (address, path) = rest.split_once('/')?;
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!(
        "GET /{path} HTTP/1.1\r\nHost: {address}\r\n\
         Range: bytes={first}-{last}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    answer.starts_with(b"HTTP/1.1 206").then(|| answer[end + 4..].to_vec())
}

fn dict(entries: &[(&str, Value<'_>)]) -> Dict {
    entries.iter().map(|(key, value)| ((*key).to_owned(), value.try_to_owned().unwrap())).collect()
}

#[interface(name = "de.pengutronix.rauc.Installer")]
impl Rauc {
    async fn install_bundle(
        &self,
        source: String,
        args: HashMap<String, OwnedValue>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> fdo::Result<()> {
        if let Some(key) = args.keys().find(|key| *key != "require-manifest-hash") {
            return Err(fdo::Error::Failed(format!("Unsupported key: {key}")));
        }
        self.with(|told| told.operation = "installing");
        tokio::spawn(self.clone().install(source, emitter.to_owned()));
        Ok(())
    }

    async fn inspect_bundle(
        &self,
        source: String,
        _args: HashMap<String, OwnedValue>,
    ) -> fdo::Result<Dict> {
        read(&source, 0, 3)
            .await
            .ok_or_else(|| fdo::Error::Failed("Failed to stream bundle".into()))?;
        let (compatible, version) = self.with(|told| (told.compatible, told.version));
        let update = dict(&[("compatible", compatible.into()), ("version", version.into())]);
        // RAUC, too, wraps the dictionary in a second variant.
        let update = Value::Value(Box::new(Value::from(update)));
        Ok(dict(&[("update", update), ("manifest-hash", "00".repeat(32).into())]))
    }

    async fn mark(&self, state: String, slot: String) -> (String, String) {
        self.with(|told| told.marks.push(format!("{state} {slot}")));
        ("rootfs.0".into(), format!("marked slot rootfs.0 as {state}"))
    }

    async fn get_slot_status(&self) -> Vec<(String, Dict)> {
        let booted = self.with(|told| told.booted);
        let slot = |name: &str, bootname: &str| {
            let state = if booted == bootname { "booted" } else { "inactive" };
            (
                name.to_owned(),
                dict(&[
                    ("bootname", bootname.into()),
                    ("state", state.into()),
                    ("boot-status", "good".into()),
                ]),
            )
        };
        vec![slot("rootfs.0", "A"), slot("rootfs.1", "B")]
    }

    async fn get_primary(&self) -> String {
        self.with(|told| told.primary.to_owned())
    }

    #[zbus(signal)]
    async fn completed(emitter: &SignalEmitter<'_>, result: i32) -> zbus::Result<()>;

    #[zbus(property)]
    fn progress(&self) -> (i32, String, i32) {
        self.with(|told| {
            (
                i32::try_from(told.read.len() * 100 / told.size.max(1)).unwrap(),
                "Copying".to_owned(),
                1,
            )
        })
    }

    #[zbus(property)]
    fn operation(&self) -> String {
        self.with(|told| {
            told.looks += 1;
            told.operation.to_owned()
        })
    }

    #[zbus(property)]
    fn last_error(&self) -> String {
        self.with(|told| told.last_error.clone())
    }

    #[zbus(property)]
    fn compatible(&self) -> String {
        "rccar-test".to_owned()
    }

    #[zbus(property)]
    fn boot_slot(&self) -> String {
        self.with(|told| told.booted.to_owned())
    }
}
