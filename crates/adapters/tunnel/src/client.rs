//! One client: a socket of the WebRTC stack.

use crate::Local;
use crate::dial::{Dialer, Stream};
use crate::outbox::Outbox;
use crate::probe;
use crate::refusal::refusal;
use rccar_causes::causes;
use rccar_turn_stream::{Messages, padding};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::UdpSocket;
use tokio::time::sleep;

/// Pause after a failed dial, doubled each time up to [`BACKOFF_MOST`].
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
const BACKOFF_MOST: Duration = Duration::from_secs(8);
/// Bytes read at once.
const BUFFER: usize = 4096;

pub(crate) struct Client {
    near: Arc<UdpSocket>,
    address: SocketAddr,
    local: Local,
    dialer: Arc<Dialer>,
    outbox: Arc<Outbox>,
}

impl Client {
    pub(crate) fn new(
        near: Arc<UdpSocket>,
        address: SocketAddr,
        local: Local,
        dialer: Arc<Dialer>,
        outbox: Arc<Outbox>,
    ) -> Self {
        Self { near, address, local, dialer, outbox }
    }

    pub(crate) async fn run(self) {
        if probe::answers(&self.dialer.options.datagrams, &self.local).await {
            return self.refuse_all().await;
        }
        let mut backoff = BACKOFF_FIRST;
        loop {
            // Before dialling: without something to send, no connection is needed.
            let first = self.outbox.next().await;
            match self.dialer.dial(&self.local).await {
                Ok(stream) => {
                    backoff = BACKOFF_FIRST;
                    let ended = self.carry(stream, first).await;
                    tracing::info!(
                        reason = ended.err().map(|error| causes(&error).to_string()),
                        "the tunnel's connection has ended"
                    );
                }
                Err(error) => {
                    tracing::warn!(
                        error = %causes(&error),
                        "no TURN server can be reached, neither over UDP nor over TCP or TLS"
                    );
                    sleep(backoff).await;
                    backoff = (backoff * 2).min(BACKOFF_MOST);
                }
            }
        }
    }

    async fn refuse_all(&self) {
        tracing::debug!("TURN works over UDP: the tunnel stays closed");
        loop {
            if let Some(refusal) = refusal(&self.outbox.next().await) {
                self.answer(&refusal).await;
            }
        }
    }

    async fn carry(&self, stream: Box<dyn Stream>, first: Vec<u8>) -> io::Result<()> {
        let (reader, writer) = tokio::io::split(stream);
        tokio::select! {
            ended = self.carry_back(reader) => ended,
            ended = self.carry_there(writer, first) => ended,
        }
    }

    async fn carry_there(
        &self,
        mut writer: WriteHalf<Box<dyn Stream>>,
        first: Vec<u8>,
    ) -> io::Result<()> {
        let mut message = first;
        loop {
            message.extend(padding(&message));
            writer.write_all(&message).await?;
            writer.flush().await?;
            message = self.outbox.next().await;
        }
    }

    async fn carry_back(&self, mut reader: ReadHalf<Box<dyn Stream>>) -> io::Result<()> {
        let (mut messages, mut buffer) = (Messages::default(), vec![0; BUFFER]);
        loop {
            let length = reader.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            messages.extend(&buffer[..length]);
            while let Some(message) = messages
                .next_message()
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?
            {
                self.answer(&message).await;
            }
        }
    }

    async fn answer(&self, message: &[u8]) {
        if let Err(error) = self.near.send_to(message, self.address).await {
            // The stack has closed the socket.
            tracing::trace!(
                error = %causes(&error), client = %self.address,
                "message to a client not sent"
            );
        }
    }
}
