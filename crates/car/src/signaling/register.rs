//! From an address to a registered car.

use super::words::{Ended, Signs};
use super::{DIAL_URGENTLY_WITHIN, DIAL_WITHIN, Link, STEP_WITHIN, Socket};
use crate::claim::Claim;
use crate::config::HostUrl;
use crate::dial::{self, Dialled};
use crate::standing::Standing;
use crate::uplinks::Report;
use futures_util::{SinkExt, StreamExt};
use rccar_protocol::signaling::{FromCar, Json, ToCar, parse};
use rccar_protocol::text::Name;
use rccar_protocol::{MAX_MESSAGE_BYTES, PROTOCOL_VERSION, SUBPROTOCOL};
use std::time::Instant;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::client_async_tls_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

/// Connects and registers.
pub(super) async fn register(link: &Link<'_>, claim: &mut Claim) -> Result<Socket, Ended> {
    let Link { url, registration, signs, .. } = *link;
    let mut request = url.websocket().into_client_request().map_err(|error| Ended::Address(error.to_string()))?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
    let limits = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE_BYTES)).max_frame_size(Some(MAX_MESSAGE_BYTES));
    let stream = dial(link).await?;
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

pub(super) fn registered(url: &HostUrl, name: &Name, signs: &Signs, claim: &mut Claim) {
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
    let sending = socket.send(Message::text(message.to_json()));
    timeout(STEP_WITHIN, sending).await.map_err(|_| Ended::Slow("sending"))??;
    Ok(())
}

/// Connects over the uplink that answers first, and tells what was seen of the others.
async fn dial(link: &Link<'_>) -> Result<TcpStream, Ended> {
    let limit = if *link.ways.urgent.borrow() { DIAL_URGENTLY_WITHIN } else { DIAL_WITHIN };
    let order = link.ways.uplinks.now().order;
    let Dialled { stream, over, silent } = dial::race(link.url, link.known, &order, limit).await?;
    link.over.set(over.clone());
    if let Some(over) = over {
        link.ways.uplinks.report(Report::Dialled { over, silent });
    }
    Ok(stream)
}
