//! From a stream to a challenge, and messages on the way.

use super::parts::Ended;
use crate::dial::Dialled;
use crate::host_url::HostUrl;
use futures_util::{SinkExt, StreamExt};
use rccar_car_core::registration::STEP_WITHIN;
use rccar_causes::causes;
use rccar_protocol::identity::Nonce;
use rccar_protocol::signaling::{ToCar, parse};
use rccar_protocol::{MAX_MESSAGE_BYTES, PROTOCOL_VERSION, SUBPROTOCOL};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A connection that the host has challenged: all that is left is to register.
pub(super) struct Knocked {
    pub(super) socket: Socket,
    pub(super) nonce: Nonce,
    pub(super) over: Option<String>,
}

/// Connects up to the host's challenge.
pub(super) async fn greet(url: &HostUrl, dialled: Dialled) -> Result<Knocked, Ended> {
    let mut request =
        url.websocket().into_client_request().map_err(|error| Ended::Address(error.to_string()))?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let connecting = client_async_tls_with_config(request, dialled.stream, Some(limits), None);
    let (mut socket, _) =
        timeout(STEP_WITHIN, connecting).await.map_err(|_| Ended::Slow("connecting"))??;
    match next_message(&mut socket, "waiting for the challenge").await? {
        ToCar::Challenge { v: PROTOCOL_VERSION, nonce } => {
            Ok(Knocked { socket, nonce, over: dialled.over })
        }
        ToCar::Challenge { v, .. } => {
            Err(Ended::Protocol(format!("it speaks version {v}, this car {PROTOCOL_VERSION}")))
        }
        other => Err(unexpected(other)),
    }
}

pub(super) fn unexpected(message: ToCar) -> Ended {
    match message {
        ToCar::Error { code, text, .. } => Ended::Refused { code, text },
        other => Ended::Protocol(format!("it sent {} out of turn", message_type(&other))),
    }
}

fn message_type(message: &ToCar) -> String {
    let json: Result<serde_json::Value, _> = serde_json::to_value(message);
    json.ok()
        .and_then(|json| json["type"].as_str().map(|kind| format!("`{kind}`")))
        .unwrap_or_default()
}

/// The next message that this car can read. What it cannot read, a later host may say.
async fn next_message(socket: &mut Socket, doing: &'static str) -> Result<ToCar, Ended> {
    let message = async {
        loop {
            let Some(text) = read(socket.next().await)? else { continue };
            match parse(&text) {
                Ok(message) => return Ok(message),
                Err(error) => {
                    tracing::warn!(error = %causes(&error), "message of the host ignored")
                }
            }
        }
    };
    timeout(STEP_WITHIN, message).await.map_err(|_| Ended::Slow(doing))?
}

/// The text of a message; `None` for pings and the like.
pub(super) fn read(
    message: Option<Result<Message, tungstenite::Error>>,
) -> Result<Option<String>, Ended> {
    match message {
        Some(Ok(Message::Text(text))) => Ok(Some(text.as_str().to_owned())),
        Some(Ok(Message::Close(frame))) => Err(Ended::Closed(
            frame.map(|frame| (frame.code.into(), frame.reason.as_str().to_owned())),
        )),
        Some(Ok(_)) => Ok(None),
        Some(Err(error)) => Err(error.into()),
        None => Err(Ended::Closed(None)),
    }
}

pub(super) async fn write(socket: &mut Socket, text: String) -> Result<(), Ended> {
    let sending = socket.send(Message::text(text));
    timeout(STEP_WITHIN, sending).await.map_err(|_| Ended::Slow("sending"))??;
    Ok(())
}
