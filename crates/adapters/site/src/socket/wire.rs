//! One WebSocket, with everything that is the same for drivers and cars.

use crate::close;
use crate::limits::{Budget, Gate, GateError, Limits, Place, Verdict};
use crate::outbox::{Out, Outgoing};
use crate::strangers::Stranger;
use axum::extract::ws::{Message, WebSocket};
use futures_util::FutureExt;
use rccar_protocol::MAX_MESSAGE_BYTES;
use rccar_protocol::close::CloseCode;
use rccar_protocol::grease;
use rccar_protocol::signaling::ErrorCode;
use rccar_protocol::text::{Name, Note};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// How long the last words to a client may take. Waiting longer helps nobody.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A socket with its budget, its pings and its outbox.
pub(crate) struct Wire {
    socket: WebSocket,
    /// What [`Self::is_open`] has received.
    received: Option<Received>,
    outgoing: Outgoing,
    budget: Budget,
    ping_interval: Duration,
    dead_after: Duration,
    ping_at: Instant,
    dead_at: Instant,
    /// Writes an `error`, which differs for drivers and cars.
    error_text: fn(ErrorCode, Note) -> String,
    standing: Standing,
}

/// Which of the two pools a connection has its place in.
#[derive(Debug)]
enum Standing {
    Stranger { _place: Stranger },
    Known { _place: Place },
}

/// `None`: the connection has ended.
type Received = Option<Result<Message, axum::Error>>;

/// Why a connection has to end.
enum End {
    /// The client left, or it is dead: nothing to say.
    Silently,
    /// With a close frame.
    Saying(CloseCode),
}

enum Step {
    Received(Received),
    Send(Option<Out>),
    Overflow,
    Tick,
}

impl Wire {
    pub(crate) fn new(
        socket: WebSocket,
        outgoing: Outgoing,
        limits: &Limits,
        place: Stranger,
        error_text: fn(ErrorCode, Note) -> String,
    ) -> Self {
        let now = Instant::now();
        Self {
            socket,
            received: None,
            outgoing,
            budget: Budget::new(limits, now),
            ping_interval: limits.ping_interval,
            dead_after: limits.dead_after,
            ping_at: now + limits.ping_interval,
            dead_at: now + limits.dead_after,
            error_text,
            standing: Standing::Stranger { _place: place },
        }
    }

    /// The next text that keeps the limits. Sends meanwhile what waits in the outbox. `None`: the
    /// connection is over.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            match self.step().await {
                Ok(Some(text)) => return Some(text),
                Ok(None) => {}
                Err(End::Silently) => return None,
                Err(End::Saying(code)) => {
                    Box::pin(self.close(code)).await;
                    return None;
                }
            }
        }
    }

    /// The client is known now: `account` is that of a page, `None` is a car. Its place among
    /// strangers is free again. An error: there is none for it among those who are known.
    pub(crate) fn settle(
        &mut self,
        gate: &Arc<Gate>,
        address: IpAddr,
        account: Option<&Name>,
    ) -> Result<(), GateError> {
        if matches!(self.standing, Standing::Stranger { .. }) {
            self.standing = Standing::Known { _place: gate.enter(address, account)? };
        }
        Ok(())
    }

    /// Whether the client is still there, as far as the kernel knows. What it has said meanwhile is
    /// kept.
    pub(crate) fn is_open(&mut self) -> bool {
        if self.received.is_none() {
            self.received = self.socket.recv().now_or_never();
        }
        !matches!(self.received, Some(None | Some(Err(_) | Ok(Message::Close(_)))))
    }

    /// Sends past the outbox: before the client has joined, and errors. `false`: the connection is
    /// broken.
    pub(crate) async fn send(&mut self, text: String) -> bool {
        self.write(Message::Text(text.into())).await.is_ok()
    }

    /// Answers with an error; the connection stays. `false`: it is broken.
    pub(crate) async fn refuse(&mut self, code: ErrorCode, text: &str) -> bool {
        self.send((self.error_text)(code, Note::lossy(text))).await
    }

    /// Says why and hangs up. Reads on for a moment: a TCP socket that is closed with unread data
    /// sends a reset, which can destroy what was said.
    pub(crate) async fn close(&mut self, code: CloseCode) {
        tracing::debug!(code = code.code(), reason = code.text(), "closing a WebSocket");
        let farewell = async {
            if self.socket.send(Message::Close(Some(close::frame(code)))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        // Elapsed: the client does not listen.
        let _ = timeout(LAST_WORDS, farewell).await;
    }

    async fn step(&mut self) -> Result<Option<String>, End> {
        let step = tokio::select! {
            // Receiving comes last: a client that sends without a pause must not hold up the rest.
            biased;
            () = self.outgoing.overflow() => Step::Overflow,
            () = sleep_until(self.ping_at.min(self.dead_at)) => Step::Tick,
            out = self.outgoing.next() => Step::Send(out),
            received = receive(&mut self.received, &mut self.socket) => Step::Received(received),
        };
        match step {
            Step::Overflow => Err(End::Saying(CloseCode::SlowReader)),
            // Nothing will ever be sent again: the exchange has ended.
            Step::Send(None) => Err(End::Saying(CloseCode::GoingAway)),
            Step::Send(Some(Out::Text(text))) => {
                self.write(Message::Text(text.into())).await.map(|()| None)
            }
            Step::Send(Some(Out::Close(code))) => Err(End::Saying(code)),
            // In boxes: rare, and larger than everything else here.
            Step::Tick => Box::pin(self.tick()).await.map(|()| None),
            Step::Received(None) => Err(End::Silently),
            Step::Received(Some(Err(error))) => Err(Box::pin(self.broken(&error)).await),
            Step::Received(Some(Ok(message))) => Box::pin(self.received(message)).await,
        }
    }

    async fn received(&mut self, message: Message) -> Result<Option<String>, End> {
        let now = Instant::now();
        self.dead_at = now + self.dead_after;
        let size = match &message {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
            Message::Close(_) => {
                // The library has queued the answer; reading on sends it.
                let _ = timeout(LAST_WORDS, self.socket.recv()).await;
                return Err(End::Silently);
            }
        };
        match self.budget.charge(size, now) {
            Verdict::Accept => {}
            Verdict::Refuse { tell: false } => return Ok(None),
            Verdict::Refuse { tell: true } => {
                return self
                    .tell(ErrorCode::RateLimited, "too many messages; some were dropped")
                    .await;
            }
            Verdict::SendAway => return Err(End::Saying(CloseCode::RateLimited)),
        }
        if size > MAX_MESSAGE_BYTES {
            let text = format!("message has {size} bytes, at most {MAX_MESSAGE_BYTES} are allowed");
            self.tell(ErrorCode::TooLarge, &text).await?;
            return Err(End::Saying(CloseCode::TooLarge));
        }
        match message {
            Message::Text(text) => Ok(Some(text.as_str().to_owned())),
            Message::Binary(_) => {
                self.tell(ErrorCode::Malformed, "messages are text, this one was binary").await
            }
            // The library answers pings.
            _ => Ok(None),
        }
    }

    async fn tell(&mut self, code: ErrorCode, text: &str) -> Result<Option<String>, End> {
        if self.refuse(code, text).await { Ok(None) } else { Err(End::Silently) }
    }

    async fn tick(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if now >= self.dead_at {
            tracing::debug!("a WebSocket's client is silent and counts as dead");
            return Err(End::Silently);
        }
        self.ping_at = now + self.ping_interval;
        for text in grease::messages() {
            self.write(Message::Text(text.into())).await?;
        }
        self.write(Message::Ping(Vec::new().into())).await
    }

    /// Sends; a client that does not read is given up when its outbox is full or when it counts as
    /// dead.
    async fn write(&mut self, message: Message) -> Result<(), End> {
        let overflow = self.outgoing.overflow();
        tokio::select! {
            biased;
            sent = self.socket.send(message) => sent.map_err(|_| End::Silently),
            () = overflow => Err(End::Saying(CloseCode::SlowReader)),
            () = sleep_until(self.dead_at) => Err(End::Silently),
        }
    }

    async fn broken(&mut self, error: &axum::Error) -> End {
        let words = error.to_string();
        tracing::debug!(error = words, "a WebSocket broke");
        // axum does not export the library's error type: only its words say what happened.
        if !words.contains("too long") {
            return End::Silently;
        }
        let text = format!("at most {MAX_MESSAGE_BYTES} bytes are allowed");
        // Nothing may be read after this error: the library would take in the whole message. So
        // this does not wait for the client's answer.
        let farewell = async {
            if self.refuse(ErrorCode::TooLarge, &text).await {
                let _ =
                    self.socket.send(Message::Close(Some(close::frame(CloseCode::TooLarge)))).await;
            }
        };
        let _ = timeout(LAST_WORDS, farewell).await;
        End::Silently
    }
}

async fn receive(kept: &mut Option<Received>, socket: &mut WebSocket) -> Received {
    match kept.take() {
        Some(received) => received,
        None => socket.recv().await,
    }
}
