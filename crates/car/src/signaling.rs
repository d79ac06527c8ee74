//! The car's connection to its signaling host: register, keep alive, come back.

use crate::agent::{Incoming, Source};
use crate::claim::Claim;
use crate::config::{HostConfig, HostUrl};
use crate::identity::Identity;
use crate::standing::Standing;
use futures_util::{SinkExt, StreamExt};
use rccar_protocol::signaling::{ErrorCode, FromCar, Json, ToCar, parse};
use rccar_protocol::text::{Name, Note, Software};
use rccar_protocol::{MAX_MESSAGE_BYTES, PROTOCOL_VERSION, SUBPROTOCOL};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

/// TCP, TLS and the WebSocket handshake on a bad 4G link; each later step of the registration has as long.
const STEP_WITHIN: Duration = Duration::from_secs(10);
/// TCP's first segments are repeated after 1 s and 3 s; an address that is silent for longer is not worth the wait.
const ADDRESS_WITHIN: Duration = Duration::from_secs(4);
/// A mobile network forgets an idle NAT mapping after 30 s at worst.
const PING_EVERY: Duration = Duration::from_secs(5);
/// Two pings unanswered: the path is dead, whatever TCP thinks.
const SILENCE: Duration = Duration::from_secs(12);
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
const BACKOFF_MOST: Duration = Duration::from_secs(30);
/// A refusal (not enrolled, revoked) does not change by itself; asking every few seconds would only fill logs.
const BACKOFF_REFUSED: Duration = Duration::from_secs(30);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{0}")]
    Socket(#[from] tungstenite::Error),
    #[error("no answer within {STEP_WITHIN:?} while {0}")]
    Slow(&'static str),
    #[error("silent for {SILENCE:?}")]
    Silent,
    #[error("the host closed the connection{}", .0.as_ref().map_or_else(String::new, |(code, reason)| format!(" ({code}): {reason}")))]
    Closed(Option<(u16, String)>),
    #[error("the agent has ended")]
    NoAgent,
    #[error("the host refused ({code:?}): {text}")]
    Refused { code: ErrorCode, text: Note },
    #[error("the host does not speak this protocol: {0}")]
    Protocol(String),
    #[error("the address cannot be dialled: {0}")]
    Address(String),
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl Ended {
    /// Whether the host would say the same again: not enrolled, revoked, another car with the same key, another version.
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Closed(Some((4400 | 4401 | 4403 | 4409 | 4429, _))))
    }

    /// Whether the car lost the right, or never had it.
    fn is_forbidden(&self) -> bool {
        matches!(self, Self::Closed(Some((4403, _))))
    }
}

/// What registering needs.
pub(crate) struct Registration {
    pub(crate) identity: Identity,
    pub(crate) name: Name,
    pub(crate) software: Software,
    pub(crate) host: HostConfig,
}

/// What others see of the connection.
pub(crate) struct Signs {
    /// Registered: a driver can reach the car.
    pub(crate) up: watch::Sender<bool>,
    /// More exactly.
    pub(crate) standing: watch::Sender<Standing>,
}

/// Keeps the car registered for as long as the program runs.
pub(crate) async fn keep_registered(
    url: HostUrl,
    registration: Arc<Registration>,
    incoming: mpsc::Sender<Incoming>,
    mut outgoing: mpsc::Receiver<FromCar>,
    signs: Signs,
    mut claim: Claim,
) {
    let mut failures = 0;
    loop {
        let started = Instant::now();
        let ended = connection(&url, &registration, &incoming, &mut outgoing, &signs, &mut claim).await;
        let was_up = signs.up.send_replace(false);
        claim.hide();
        let refused = ended.is_refusal();
        signs.standing.send_replace(if refused { Standing::Refused(ended.to_string()) } else { Standing::Lost(ended.to_string()) });
        if refused {
            claim.spend();
        }
        // A car that was just revoked is asked again soon: it can be claimed by somebody else.
        let wait = if refused && !(was_up && ended.is_forbidden()) {
            BACKOFF_REFUSED
        } else {
            failures = if was_up && started.elapsed() > BACKOFF_MOST { 0 } else { failures + 1 };
            backoff(failures, random_fraction())
        };
        tracing::warn!(host = url.authority(), retry_in = ?wait, "no connection to the host: {ended}");
        tokio::time::sleep(wait).await;
        // What sessions wanted to say meanwhile is out of date.
        while outgoing.try_recv().is_ok() {}
    }
}

/// Exponential backoff with full jitter, so that a thousand cars do not return in the same moment.
fn backoff(failures: u32, fraction: f64) -> Duration {
    let ceiling = BACKOFF_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(BACKOFF_MOST);
    BACKOFF_FIRST / 5 + ceiling.mul_f64(fraction.clamp(0.0, 1.0))
}

fn random_fraction() -> f64 {
    // Without random numbers the middle is as good as any point.
    getrandom::u32().map_or(0.5, |bits| f64::from(bits) / f64::from(u32::MAX))
}

async fn connection(
    url: &HostUrl,
    registration: &Registration,
    incoming: &mpsc::Sender<Incoming>,
    outgoing: &mut mpsc::Receiver<FromCar>,
    signs: &Signs,
    claim: &mut Claim,
) -> Ended {
    let mut socket = match register(url, registration, signs, claim).await {
        Ok(socket) => socket,
        Err(ended) => return ended,
    };
    let mut heard = Instant::now();
    let mut pings = tokio::time::interval(PING_EVERY);
    let mut ping_id = 0u32;
    loop {
        tokio::select! {
            biased;
            message = socket.next() => {
                heard = Instant::now();
                match read(message) {
                    Ok(None) => {}
                    Ok(Some(text)) => match parse::<ToCar>(&text) {
                        Ok(ToCar::Pong { .. }) => {}
                        Ok(ToCar::Registered { name, .. }) => registered(url, &name, signs, claim),
                        Ok(ToCar::Error { code, text, .. }) => tracing::warn!(?code, %text, "the host refused a message"),
                        Ok(message) => {
                            if incoming.send(Incoming { source: Source::Host, message }).await.is_err() {
                                return Ended::NoAgent;
                            }
                        }
                        Err(error) => tracing::warn!(%error, "message of the host ignored"),
                    },
                    Err(ended) => return ended,
                }
            }
            Some(message) = outgoing.recv() => {
                if let Err(ended) = write(&mut socket, &message).await {
                    return ended;
                }
            }
            _ = pings.tick() => {
                if heard.elapsed() > SILENCE {
                    return Ended::Silent;
                }
                ping_id = ping_id.wrapping_add(1);
                if let Err(ended) = write(&mut socket, &FromCar::Ping { id: ping_id }).await {
                    return ended;
                }
            }
        }
    }
}

/// Connects to the first address that answers: one that swallows everything (a broken IPv6 path) costs seconds, not the connection.
async fn dial(url: &HostUrl) -> Result<TcpStream, Ended> {
    let unreachable = |error: std::io::Error| Ended::Socket(error.into());
    let lookup = tokio::net::lookup_host(url.dialled());
    let addresses =
        timeout(STEP_WITHIN, lookup).await.map_err(|_| Ended::Slow("looking up the host's name"))?.map_err(unreachable)?;
    let mut last = Ended::Address(format!("{} has no address", url.authority()));
    for address in addresses {
        match timeout(ADDRESS_WITHIN, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Candidates are small and must not wait for each other.
                stream.set_nodelay(true).map_err(unreachable)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = unreachable(error),
            Err(_) => last = Ended::Slow("connecting"),
        }
    }
    Err(last)
}

/// Connects and registers.
async fn register(url: &HostUrl, registration: &Registration, signs: &Signs, claim: &mut Claim) -> Result<Socket, Ended> {
    let mut request = url.websocket().into_client_request().map_err(|error| Ended::Address(error.to_string()))?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
    let limits = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE_BYTES)).max_frame_size(Some(MAX_MESSAGE_BYTES));
    let stream = dial(url).await?;
    let connecting = client_async_tls_with_config(request, stream, Some(limits), None);
    let (mut socket, _) = timeout(STEP_WITHIN, connecting).await.map_err(|_| Ended::Slow("connecting"))??;
    let nonce = match next_message(&mut socket, "waiting for the challenge").await? {
        ToCar::Challenge { v: PROTOCOL_VERSION, nonce } => nonce,
        ToCar::Challenge { v, .. } => return Err(Ended::Protocol(format!("it speaks version {v}, this car {PROTOCOL_VERSION}"))),
        other => return Err(unexpected(other)),
    };
    let code = claim.code(Instant::now())?;
    let register = FromCar::Register {
        v: PROTOCOL_VERSION,
        key: registration.identity.public(),
        signature: registration.identity.answer(url.authority(), &nonce),
        name: registration.name.clone(),
        software: registration.software.clone(),
        enrolment: registration.host.enrolment.clone(),
        claim: Some(code.clone()),
    };
    write(&mut socket, &register).await?;
    match next_message(&mut socket, "registering").await? {
        ToCar::Registered { name, .. } => {
            registered(url, &name, signs, claim);
            Ok(socket)
        }
        ToCar::Unclaimed {} => {
            tracing::info!(host = url.authority(), "unclaimed: the car's own page and its console show the code that claims it");
            rccar_daemon::notify::status(&format!("unclaimed at {}", url.authority()));
            claim.show(&code);
            signs.standing.send_replace(Standing::Unclaimed(code));
            Ok(socket)
        }
        other => Err(unexpected(other)),
    }
}

fn registered(url: &HostUrl, name: &Name, signs: &Signs, claim: &mut Claim) {
    tracing::info!(host = url.authority(), %name, "registered");
    rccar_daemon::notify::status(&format!("registered with {}", url.authority()));
    claim.spend();
    signs.standing.send_replace(Standing::Registered);
    signs.up.send_replace(true);
}

fn unexpected(message: ToCar) -> Ended {
    match message {
        ToCar::Error { code, text, .. } => Ended::Refused { code, text },
        other => Ended::Protocol(format!("it sent {} out of turn", message_type(&other))),
    }
}

fn message_type(message: &ToCar) -> String {
    let json: Result<serde_json::Value, _> = serde_json::to_value(message);
    json.ok().and_then(|json| json["type"].as_str().map(|kind| format!("`{kind}`"))).unwrap_or_default()
}

async fn next_message(socket: &mut Socket, doing: &'static str) -> Result<ToCar, Ended> {
    loop {
        let message = timeout(STEP_WITHIN, socket.next()).await.map_err(|_| Ended::Slow(doing))?;
        if let Some(text) = read(message)? {
            return parse(&text).map_err(|error| Ended::Protocol(error.to_string()));
        }
    }
}

/// The text of a message; `None` for pings and the like.
fn read(message: Option<Result<Message, tungstenite::Error>>) -> Result<Option<String>, Ended> {
    match message {
        Some(Ok(Message::Text(text))) => Ok(Some(text.as_str().to_owned())),
        Some(Ok(Message::Close(frame))) => {
            Err(Ended::Closed(frame.map(|frame| (frame.code.into(), frame.reason.as_str().to_owned()))))
        }
        Some(Ok(_)) => Ok(None),
        Some(Err(error)) => Err(error.into()),
        None => Err(Ended::Closed(None)),
    }
}

async fn write(socket: &mut Socket, message: &FromCar) -> Result<(), Ended> {
    let sending = socket.send(Message::text(message.to_json()));
    timeout(STEP_WITHIN, sending).await.map_err(|_| Ended::Slow("sending"))??;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_to_its_limit_and_is_spread() {
        assert_eq!(backoff(1, 1.0), Duration::from_millis(600));
        assert_eq!(backoff(3, 1.0), Duration::from_millis(2_100));
        assert_eq!(backoff(3, 0.0), Duration::from_millis(100));
        assert_eq!(backoff(u32::MAX, 1.0), Duration::from_millis(30_100));
    }
}
