//! Takes TURN out of networks that let no UDP pass, for a WebRTC stack that speaks TURN only over
//! UDP.
//!
//! ```text
//!   WebRTC stack ──TURN over UDP──► this machine ─ tunnel ──TURN over TCP or TLS──► TURN server
//! ```
//!
//! **The tunnel is the last resort: as long as the server answers over UDP, it refuses and opens no
//! connection.**
//!
//! A [`Tunnel`] has a near end, a UDP socket, on each of the machine's addresses. The clients of a
//! near end are the machine's own sockets on the same address. Each client has a task:
//!
//! 1. Does a server answer STUN over UDP, asked through the client's own interface? Then the
//!    client's requests are refused with 508, and the stack gathers no candidate here.
//! 2. Otherwise all servers are dialled, one after the other with little time in between; the first
//!    that answers is taken.
//! 3. Messages pass both ways. Those that have waited for too long are dropped, the newest wins.
//! 4. A connection that breaks is dialled again when the client has something to send. The
//!    allocation has ended with the connection: the stack finds out and restarts ICE.
//!
//! # Design decisions
//!
//! * One connection for each client address, because an allocation belongs to the five-tuple. The
//!   stack has a socket for each interface, and new ones after an ICE restart: so a connection
//!   leaves by the interface of its socket, and one over a dead interface is left behind.
//! * A near end on each address, and not one on 127.0.0.1: a socket that is tied to an interface
//!   reaches that interface's addresses and no others. No other machine gets in: the kernel accepts
//!   no packet from outside that claims to come from the machine itself.
//! * The server's certificate is checked against the authorities that the system trusts; there is
//!   no switch to turn that off.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod client;
mod dial;
mod local;
mod outbox;
mod probe;
mod refusal;

use crate::client::Client;
use crate::dial::Dialer;
use crate::outbox::Outbox;
pub use local::Local;
use rccar_causes::causes;
use rccar_turn_stream::MAX_MESSAGE;
pub use rustls_pki_types::ServerName;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::task::{AbortHandle, JoinSet};

/// Clients at a time: the sockets of a machine with many interfaces, and after an ICE restart the
/// old ones beside the new.
const MAX_CLIENTS: usize = 16;
/// Pause after a failed read.
const PAUSE: Duration = Duration::from_millis(10);

/// A TURN server over a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub address: SocketAddr,
    /// TLS, with the name that the certificate has to be for; `None` is plain TCP.
    pub tls: Option<ServerName<'static>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// Servers over streams, the best one first.
    pub servers: Vec<Server>,
    /// The same servers' addresses for STUN over UDP: while one of them answers, the tunnel is not
    /// needed.
    pub datagrams: Vec<SocketAddr>,
}

/// Dropping it closes all its connections.
#[derive(Debug)]
pub struct Tunnel {
    dialer: Arc<Dialer>,
    ends: BTreeMap<Local, End>,
}

/// A near end; it closes when this is dropped.
#[derive(Debug)]
struct End {
    address: SocketAddr,
    task: AbortHandle,
}

impl Drop for End {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tunnel {
    /// A tunnel without near ends yet. Connections are made when they are needed.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { dialer: Arc::new(Dialer::new(options)), ends: BTreeMap::new() }
    }

    /// Opens near ends on these addresses and closes those on others, with their connections. Must
    /// be called within a Tokio runtime.
    pub fn follow(&mut self, locals: &[Local]) {
        self.ends.retain(|local, _| locals.contains(local));
        for local in locals {
            if self.ends.contains_key(local) {
                continue;
            }
            match End::open(local, &self.dialer) {
                Ok(end) => {
                    self.ends.insert(local.clone(), end);
                }
                // The address may be gone by now.
                Err(error) => {
                    tracing::debug!(
                        error = %causes(&error), address = %local.ip,
                        "no near end of the tunnel here"
                    )
                }
            }
        }
    }

    /// The near ends. To the stack's sockets on the same address, each is a TURN server over UDP.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.ends.values().map(|end| end.address).collect()
    }

    #[must_use]
    pub fn options(&self) -> &Options {
        &self.dialer.options
    }
}

impl End {
    fn open(local: &Local, dialer: &Arc<Dialer>) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind((local.ip, 0))?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let socket = Arc::new(UdpSocket::from_std(socket)?);
        let task = tokio::spawn(run(socket, local.clone(), Arc::clone(dialer))).abort_handle();
        Ok(Self { address, task })
    }
}

/// A client as the near end knows it.
struct Known {
    outbox: Arc<Outbox>,
    heard: Instant,
    task: AbortHandle,
}

/// Hands each datagram to its client's task. These tasks end with this one.
async fn run(socket: Arc<UdpSocket>, local: Local, dialer: Arc<Dialer>) {
    let mut clients: HashMap<SocketAddr, Known> = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut buffer = vec![0; MAX_MESSAGE];
    loop {
        let (length, from) = tokio::select! {
            received = socket.recv_from(&mut buffer) => match received {
                Ok(received) => received,
                Err(error) => {
                    // It may only be a client that has closed its socket.
                    tracing::trace!(error = %causes(&error), "cannot receive");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
            // Only so that ended tasks are freed.
            Some(_) = tasks.join_next() => continue,
        };
        if from.ip() != local.ip {
            // This client has a near end of its own; by this one it would leave through the wrong
            // interface.
            if let Some(refusal) = refusal::refusal(&buffer[..length]) {
                let _ = socket.send_to(&refusal, from).await;
            }
            continue;
        }
        let client = clients.entry(from).or_insert_with(|| {
            let outbox = Arc::new(Outbox::default());
            let client = Client::new(
                Arc::clone(&socket),
                from,
                local.clone(),
                Arc::clone(&dialer),
                Arc::clone(&outbox),
            );
            Known { outbox, heard: Instant::now(), task: tasks.spawn(client.run()) }
        });
        client.heard = Instant::now();
        client.outbox.push(buffer[..length].to_vec());
        if clients.len() > MAX_CLIENTS {
            forget_the_longest_silent(&mut clients);
        }
    }
}

fn forget_the_longest_silent(clients: &mut HashMap<SocketAddr, Known>) {
    let silent = clients.iter().min_by_key(|(_, client)| client.heard).map(|(address, _)| *address);
    if let Some(client) = silent.and_then(|address| clients.remove(&address)) {
        client.task.abort();
    }
}
