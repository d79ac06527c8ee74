//! From an address to a registered car.

use super::words::{Ended, Signs};
use super::{DIAL_URGENTLY_WITHIN, DIAL_WITHIN, Link, STEP_WITHIN, Socket};
use crate::claim::Claim;
use crate::config::HostUrl;
use crate::dial::{self, Dialled};
use crate::standing::Standing;
use crate::uplinks::Report;
use futures_util::{SinkExt, StreamExt};
use rccar_protocol::identity::Nonce;
use rccar_protocol::signaling::{FromCar, Json, ToCar, parse};
use rccar_protocol::text::Name;
use rccar_protocol::{MAX_MESSAGE_BYTES, PROTOCOL_VERSION, SUBPROTOCOL};
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::client_async_tls_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

/// A connection that the host has challenged: all that is left is to register.
pub(super) struct Knocked {
    socket: Socket,
    nonce: Nonce,
    over: Option<String>,
}

/// Connects over the uplink that answers first, up to the host's challenge, and tells what was seen of the other uplinks.
pub(super) async fn knock(link: &Link<'_>) -> Result<Knocked, Ended> {
    let used = link.ways.uplinks.now().in_use;
    if let Some(knocked) = used.and_then(|used| link.standby.take(&used.name)) {
        return Ok(knocked);
    }
    let limit = if *link.ways.urgent.borrow() { DIAL_URGENTLY_WITHIN } else { DIAL_WITHIN };
    let order = link.ways.uplinks.now().order;
    let dialled = dial::race(link.url, link.known, &order, limit).await?;
    if let Some(over) = dialled.over.clone() {
        link.ways.uplinks.report(Report::Dialled { over, silent: dialled.silent.clone() });
    }
    greet(link.url, dialled).await
}

/// From a stream to a challenge.
pub(super) async fn greet(url: &HostUrl, dialled: Dialled) -> Result<Knocked, Ended> {
    let mut request = url.websocket().into_client_request().map_err(|error| Ended::Address(error.to_string()))?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
    let limits = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE_BYTES)).max_frame_size(Some(MAX_MESSAGE_BYTES));
    let connecting = client_async_tls_with_config(request, dialled.stream, Some(limits), None);
    let (mut socket, _) = timeout(STEP_WITHIN, connecting).await.map_err(|_| Ended::Slow("connecting"))??;
    match next_message(&mut socket, "waiting for the challenge").await? {
        ToCar::Challenge { v: PROTOCOL_VERSION, nonce } => Ok(Knocked { socket, nonce, over: dialled.over }),
        ToCar::Challenge { v, .. } => Err(Ended::Protocol(format!("it speaks version {v}, this car {PROTOCOL_VERSION}"))),
        other => Err(unexpected(other)),
    }
}

/// Registers. A car that was registered before does not wait for the host's word: what it has to say follows at once.
pub(super) async fn enter(
    link: &Link<'_>,
    knocked: Knocked,
    outgoing: &mut mpsc::Receiver<FromCar>,
    claim: &mut Claim,
) -> Result<Socket, Ended> {
    let Link { url, registration, signs, .. } = *link;
    let Knocked { mut socket, nonce, over } = knocked;
    link.over.set(over);
    let register = FromCar::Register {
        v: PROTOCOL_VERSION,
        key: registration.identity.public(),
        signature: registration.identity.answer(url.authority(), &nonce),
        name: registration.name.clone(),
        software: registration.software.clone(),
        enrolment: registration.host.enrolment.clone(),
        claim: Some(claim.code(Instant::now())?),
    };
    write(&mut socket, &register).await?;
    // What sessions wanted to say before is out of date; when they see that the host is up they say what still counts.
    while outgoing.try_recv().is_ok() {}
    if signs.is_known() {
        signs.set_up(true);
        return Ok(socket);
    }
    match next_message(&mut socket, "registering").await? {
        ToCar::Registered { name, .. } => registered(url, &name, signs, claim),
        ToCar::Unclaimed {} => unclaimed(url, signs, claim)?,
        other => return Err(unexpected(other)),
    }
    Ok(socket)
}

pub(super) fn unclaimed(url: &HostUrl, signs: &Signs, claim: &mut Claim) -> Result<(), Ended> {
    tracing::info!(host = url.authority(), "unclaimed: the car's own page and its console show the code that claims it");
    rccar_daemon::notify::status(&format!("unclaimed at {}", url.authority()));
    let code = claim.code(Instant::now())?;
    claim.show(&code);
    signs.standing.send_replace(Standing::Unclaimed(code));
    signs.set_up(false);
    Ok(())
}

pub(super) fn registered(url: &HostUrl, name: &Name, signs: &Signs, claim: &mut Claim) {
    tracing::info!(host = url.authority(), %name, "registered");
    rccar_daemon::notify::status(&format!("registered with {}", url.authority()));
    claim.spend();
    signs.standing.send_replace(Standing::Registered);
    signs.set_known(true);
    signs.set_up(true);
}

pub(super) fn unexpected(message: ToCar) -> Ended {
    match message {
        ToCar::Error { code, text, .. } => Ended::Refused { code, text },
        other => Ended::Protocol(format!("it sent {} out of turn", message_type(&other))),
    }
}

fn message_type(message: &ToCar) -> String {
    let json: Result<serde_json::Value, _> = serde_json::to_value(message);
    json.ok().and_then(|json| json["type"].as_str().map(|kind| format!("`{kind}`"))).unwrap_or_default()
}

/// The next message that this car can read. What it cannot read, a later host may say.
async fn next_message(socket: &mut Socket, doing: &'static str) -> Result<ToCar, Ended> {
    let message = async {
        loop {
            let Some(text) = read(socket.next().await)? else { continue };
            match parse(&text) {
                Ok(message) => return Ok(message),
                Err(error) => tracing::warn!(%error, "message of the host ignored"),
            }
        }
    };
    timeout(STEP_WITHIN, message).await.map_err(|_| Ended::Slow(doing))?
}

/// The text of a message; `None` for pings and the like.
pub(super) fn read(message: Option<Result<Message, tungstenite::Error>>) -> Result<Option<String>, Ended> {
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

pub(super) async fn write(socket: &mut Socket, message: &FromCar) -> Result<(), Ended> {
    write_text(socket, message.to_json()).await
}

pub(super) async fn write_text(socket: &mut Socket, text: String) -> Result<(), Ended> {
    let sending = socket.send(Message::text(text));
    timeout(STEP_WITHIN, sending).await.map_err(|_| Ended::Slow("sending"))??;
    Ok(())
}
