//! A car that registers.

use super::Host;
use ed25519_dalek::{Signer, SigningKey};
use futures_util::{SinkExt, StreamExt};
use rccar_protocol::identity::{CarKey, Nonce, Signature, registration_message};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

pub type Socket = WebSocketStream<TcpStream>;

pub fn key(seed: u8) -> CarKey {
    CarKey(SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes())
}

pub async fn open(host: &Host, path: &str, cookie: &str) -> Socket {
    let mut request = format!("ws://{}{path}", host.address).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "rccar.v1".parse().unwrap());
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    client_async(request, TcpStream::connect(&host.address).await.unwrap()).await.unwrap().0
}

/// The host's answer to `register`: `registered` or `error`.
pub async fn register(host: &Host, seed: u8, enrolment: Option<&str>) -> (Value, Socket) {
    register_with(host, seed, &json!({ "enrolment": enrolment })).await
}

/// The same with these fields in `register`.
pub async fn register_with(host: &Host, seed: u8, fields: &Value) -> (Value, Socket) {
    let key_pair = SigningKey::from_bytes(&[seed; 32]);
    let mut socket = open(host, "/ws/car", "").await;
    let challenge = next(&mut socket).await.unwrap();
    let nonce = Nonce::try_from(challenge["nonce"].as_str().unwrap().to_owned()).unwrap();
    let signature =
        Signature(key_pair.sign(&registration_message(&host.address, &nonce)).to_bytes());
    let mut message = json!({
        "type": "register", "v": 1, "key": key(seed), "signature": signature,
        "name": "red car", "software": "test/1",
    });
    for (field, value) in fields.as_object().unwrap() {
        message[field] = value.clone();
    }
    send(&mut socket, &message).await;
    (next(&mut socket).await.unwrap(), socket)
}

pub async fn send(socket: &mut Socket, message: &Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

/// The next message of this type; others, such as the list of cars, come when they like.
pub async fn next_of(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let message = next_of_any(socket).await.unwrap();
        if message["type"] == kind {
            return message;
        }
    }
}

/// The next JSON message, or the close code. Skips access tokens, which every car gets.
pub async fn next(socket: &mut Socket) -> Result<Value, u16> {
    loop {
        let message = next_of_any(socket).await?;
        if message["type"] != "access" {
            return Ok(message);
        }
    }
}

async fn next_of_any(socket: &mut Socket) -> Result<Value, u16> {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), socket.next()).await.unwrap();
        match message {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(frame))) => {
                return Err(frame.map_or(0, |frame| frame.code.into()));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(0),
        }
    }
}
