//! From a stream to a challenge, and messages on the way.

use super::parts::Ended;
use crate::dial::Dialled;
use crate::host_url::HostUrl;
use futures_util::{SinkExt, Stream, StreamExt};
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
    let challenged = timeout(STEP_WITHIN, challenge(&mut socket)).await;
    let nonce = challenged.map_err(|_| Ended::Slow("waiting for the challenge"))??;
    Ok(Knocked { socket, nonce, over: dialled.over })
}

/// Waits for the challenge. Whatever else comes first, a later host may say.
async fn challenge<S>(socket: &mut S) -> Result<Nonce, Ended>
where
    S: Stream<Item = Result<Message, tungstenite::Error>> + Unpin,
{
    loop {
        let Some(text) = read(socket.next().await)? else { continue };
        match parse(&text) {
            Ok(ToCar::Challenge { v: PROTOCOL_VERSION, nonce }) => return Ok(nonce),
            Ok(ToCar::Challenge { v, .. }) => {
                let why = format!("it speaks version {v}, this car {PROTOCOL_VERSION}");
                return Err(Ended::Protocol(why));
            }
            Ok(ToCar::Error { code, text, session: None }) => {
                return Err(Ended::Refused { code, text });
            }
            Ok(_) => ignore_out_of_turn(&text),
            Err(error) => tracing::warn!(error = %causes(&error), "message of the host ignored"),
        }
    }
}

/// A message that has no meaning before the car is registered.
pub(super) fn ignore_out_of_turn(text: &str) {
    tracing::warn!(message = %text.chars().take(80).collect::<String>(), "ignored: out of turn");
}

/// The text of a message; `None` for pings and the like.
pub(super) fn read(
    message: Option<Result<Message, tungstenite::Error>>,
) -> Result<Option<String>, Ended> {
    match message {
        Some(Ok(Message::Text(text))) => Ok(Some(text.as_str().to_owned())),
        Some(Ok(Message::Close(frame))) => Err(Ended::Closed(
            frame.map(|frame| (frame.code.into(), without_control(frame.reason.as_str()))),
        )),
        Some(Ok(_)) => Ok(None),
        Some(Err(error)) => Err(error.into()),
        None => Err(Ended::Closed(None)),
    }
}

/// What the host says goes to the journal and to the report on the card.
fn without_control(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

pub(super) async fn write(socket: &mut Socket, text: String) -> Result<(), Ended> {
    let sending = socket.send(Message::text(text));
    timeout(STEP_WITHIN, sending).await.map_err(|_| Ended::Slow("sending"))??;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    const CHALLENGE: &str =
        r#"{"type":"challenge","v":1,"nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;

    async fn challenged(said: &[&str]) -> Result<Nonce, Ended> {
        challenge(&mut stream::iter(said.iter().map(|text| Ok(Message::text(*text))))).await
    }

    #[tokio::test]
    async fn whatever_a_later_host_says_first_the_challenge_is_found() {
        let first = [
            r#"{"type":"grease-1"}"#,
            r#"{"type":"release","version":"1.0.0"}"#,
            r#"{"type":"bye","session":"fffffffffffffff1","reason":"grease-1"}"#,
            r#"{"type":"error","session":"fffffffffffffff1","code":"grease-1","text":"x"}"#,
            "no JSON",
        ];
        for said in first {
            assert!(challenged(&[said, CHALLENGE]).await.is_ok(), "{said}");
        }
    }

    #[tokio::test]
    async fn a_refusal_and_another_version_end_the_attempt() {
        let refused = r#"{"type":"error","code":"unsupported-version","text":"no"}"#;
        let refused = challenged(&[refused, CHALLENGE]).await;
        assert!(matches!(refused, Err(Ended::Refused { .. })), "{:?}", refused.err());
        let other = challenged(&[&CHALLENGE.replace("\"v\":1", "\"v\":2")]).await;
        assert!(matches!(other, Err(Ended::Protocol(_))), "{:?}", other.err());
        assert!(matches!(challenged(&[]).await, Err(Ended::Closed(None))));
    }

    #[test]
    fn the_reason_of_a_close_has_no_control_characters() {
        let frame = tungstenite::protocol::CloseFrame {
            code: 4403.into(),
            reason: "go\u{1b}[2J\naway".into(),
        };
        let Err(ended) = read(Some(Ok(Message::Close(Some(frame))))) else { panic!() };
        assert_eq!(ended.to_string(), "the host closed the connection (4403): go[2Jaway");
    }
}
