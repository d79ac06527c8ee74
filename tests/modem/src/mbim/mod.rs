//! An MBIM modem without hardware. It takes the place of `mbim-proxy`, on the abstract socket to
//! which libmbim connects first. Abstract sockets belong to the network namespace, so each story
//! has a modem of its own.

mod device;
mod wire;

pub use device::{Addresses, Counters, Registration};

use crate::DataPath;
use device::{Device, Sim, cid};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast;
use wire::{BASIC_CONNECT, CLOSE, COMMAND, Command, HEADER, LONGEST, OPEN, PROXY_CONTROL};

/// Abstract socket of libmbim's proxy.
const PROXY: &str = "mbim-proxy";

/// A handle to the modem. What a method does happens at once.
#[derive(Clone)]
pub struct MbimModem {
    device: Arc<Mutex<Device>>,
    indications: broadcast::Sender<Vec<u8>>,
}

impl MbimModem {
    /// Starts a modem in the network namespace of the calling thread. `path` carries its data.
    ///
    /// # Errors
    /// Another proxy is there.
    pub fn start(addresses: Addresses, path: Arc<dyn DataPath>) -> io::Result<Self> {
        let listener =
            std::os::unix::net::UnixListener::bind_addr(&SocketAddr::from_abstract_name(PROXY)?)?;
        listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(listener)?;
        let modem = Self {
            device: Arc::new(Mutex::new(Device::new(addresses, path))),
            indications: broadcast::channel(64).0,
        };
        let accepting = modem.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        Ok(modem)
    }

    /// Changes the registration. The modem reports it.
    pub fn register(&self, registration: Registration) {
        self.device().registration = registration;
        self.indicate(&[cid::REGISTER_STATE]);
    }

    /// Lets the network end the connection. The modem reports it, with a cause of 3GPP TS 24.008 (0
    /// for none).
    pub fn deactivate(&self, network_error: u32) {
        let mut device = self.device();
        device.drop_connection();
        device.network_error = network_error;
        drop(device);
        self.indicate(&[cid::CONNECT]);
        // The cause is for this indication only.
        self.device().network_error = 0;
    }

    /// Lets the network end the connection. The modem does not report it.
    pub fn deactivate_silently(&self) {
        self.device().drop_connection();
    }

    /// Lets the network end the packet service. The modem reports it.
    pub fn detach(&self) {
        self.device().detach();
        self.indicate(&[cid::PACKET_SERVICE, cid::CONNECT]);
    }

    /// Lets the network refuse the next connects, so many times.
    pub fn refuse(&self, times: u32) {
        self.device().refuse = times;
    }

    /// Lets the network take these families only (`MBIM_CONTEXT_IP_TYPE`: 1 IPv4, 2 IPv6, 3 both),
    /// and refuse others with this cause of TS 24.301.
    pub fn take_only(&self, ip_type: u32, cause: u32) {
        self.device().only = Some((ip_type, cause));
    }

    /// Lets the network take this way to authenticate only (`MBIM_AUTH_PROTOCOL`: 1 PAP, 2 CHAP).
    pub fn take_only_auth(&self, protocol: u32) {
        self.device().only_auth = Some(protocol);
    }

    pub fn remove_sim(&self) {
        let mut device = self.device();
        device.sim = Sim::Missing;
        device.detach();
        drop(device);
        self.indicate(&[
            cid::SUBSCRIBER_READY_STATUS,
            cid::REGISTER_STATE,
            cid::PACKET_SERVICE,
            cid::CONNECT,
        ]);
    }

    pub fn insert_sim(&self) {
        let mut device = self.device();
        device.sim = Sim::Ready;
        device.attach();
        drop(device);
        self.indicate(&[cid::SUBSCRIBER_READY_STATUS, cid::REGISTER_STATE]);
    }

    /// Makes the SIM want this PIN. Call it before ModemManager starts.
    pub fn lock(&self, pin: &str) {
        let mut device = self.device();
        pin.clone_into(&mut device.pin);
        device.sim = Sim::Locked;
    }

    /// Makes the firmware hang, or work again.
    pub fn hang(&self, hangs: bool) {
        self.device().hangs = hangs;
    }

    /// Sets the signal strength, from 0 to 31, or 99 for unknown. The modem reports it.
    pub fn rssi(&self, rssi: u32) {
        self.device().rssi = rssi;
        self.indicate(&[cid::SIGNAL_STATE]);
    }

    /// Sets the addresses that the network gives from the next connection on.
    pub fn addresses(&self, addresses: Addresses) {
        self.device().addresses = addresses;
    }

    #[must_use]
    pub fn counters(&self) -> Counters {
        self.device().counters
    }

    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.device().is_connected()
    }

    fn device(&self) -> MutexGuard<'_, Device> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn indicate(&self, cids: &[u32]) {
        let device = self.device();
        for &cid in cids {
            if let (Some(body), false) = (device.information(cid), device.hangs) {
                // Perhaps no client is connected.
                let _ = self.indications.send(wire::indication(cid, &body));
            }
        }
    }

    async fn serve(self, stream: UnixStream) {
        let (mut reader, mut writer) = stream.into_split();
        let mut indications = self.indications.subscribe();
        let mut open = false;
        loop {
            let outcome = tokio::select! {
                frame = read_frame(&mut reader) => match frame {
                    Ok(frame) => self.handle(&frame, &mut open, &mut writer).await,
                    Err(_) => return,
                },
                Ok(indication) = indications.recv() => match open {
                    true => writer.write_all(&indication).await,
                    false => Ok(()),
                },
            };
            if outcome.is_err() {
                return;
            }
        }
    }

    async fn handle(
        &self,
        frame: &[u8],
        open: &mut bool,
        writer: &mut OwnedWriteHalf,
    ) -> io::Result<()> {
        let kind = wire::read_u32(frame, 0).unwrap_or(0);
        let transaction = wire::read_u32(frame, 8).unwrap_or(0);
        match kind {
            OPEN | CLOSE if self.device().hangs => Ok(()),
            OPEN | CLOSE => {
                *open = kind == OPEN;
                writer.write_all(&wire::done(kind, transaction)).await
            }
            COMMAND => match Command::parse(frame) {
                Some(command) => self.handle_command(&command, writer).await,
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    async fn handle_command(
        &self,
        command: &Command<'_>,
        writer: &mut OwnedWriteHalf,
    ) -> io::Result<()> {
        if command.service == PROXY_CONTROL {
            return writer.write_all(&wire::command_done(command, device::status::NONE, &[])).await;
        }
        if self.device().hangs {
            return Ok(());
        }
        let (status, body, after) = match command.service {
            BASIC_CONNECT => self.device().answer(command.cid, command.set),
            _ => (device::status::NO_DEVICE_SUPPORT, vec![], vec![]),
        };
        writer.write_all(&wire::command_done(command, status, &body)).await?;
        self.indicate(&after);
        Ok(())
    }
}

/// Reads a frame. To cancel this half-way would lose bytes, but that does not happen: a frame of
/// libmbim arrives in one piece, and waiting for its beginning may be cancelled.
async fn read_frame(reader: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    reader.readable().await?;
    let mut frame = vec![0; HEADER];
    reader.read_exact(&mut frame).await?;
    let length =
        wire::read_u32(&frame, 4).and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if !(HEADER..=LONGEST).contains(&length) {
        return Err(io::Error::other("not a frame"));
    }
    frame.resize(length, 0);
    reader.read_exact(&mut frame[HEADER..]).await?;
    Ok(frame)
}
