//! Clients that can also misbehave.

use super::Server;
use ed25519_dalek::{Signer, SigningKey};
use futures_util::{SinkExt, StreamExt};
use rccar_protocol::identity::{CarKey, Nonce, Signature, registration_message};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const PATIENCE: Duration = Duration::from_secs(20);

/// Fails the test where something does not happen at all.
pub async fn eventually<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{what}: did not happen within {PATIENCE:?}"))
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code of an error.
    pub fn code(&self) -> String {
        let json = self.json();
        assert!(json["text"].is_string(), "errors have words: {json}");
        json["code"].as_str().unwrap().to_owned()
    }
}

pub async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let headers: String =
        headers.iter().map(|(key, value)| format!("{key}: {value}\r\n")).collect();
    let length = body.len();
    let named = headers.starts_with("host: ") || headers.contains("\r\nhost: ");
    let host = if named { String::new() } else { format!("host: {address}\r\n") };
    let head = format!(
        "{method} {path} HTTP/1.1\r\n{host}connection: close\r\n\
         content-length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses a request for its length may hang up before it has read everything.
    let _ = stream.write_all(body.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = eventually("an answer", stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer to {method} {path}: {answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head: head.to_owned(), body: body.to_owned() }
}

/// A WebSocket client.
#[derive(Debug)]
pub struct Socket(pub WebSocketStream<TcpStream>);

impl Socket {
    /// With the subprotocol; `headers` come on top. The error is the HTTP status and its words.
    pub async fn open(
        server: &Server,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, (u16, String)> {
        let mut headers = headers.to_vec();
        headers.push(("sec-websocket-protocol", "rccar.v1"));
        Self::open_plain(server, path, &headers).await
    }

    /// With nothing but these headers.
    pub async fn open_plain(
        server: &Server,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, (u16, String)> {
        let mut request = format!("ws://{}{path}", server.address).into_client_request().unwrap();
        for (key, value) in headers {
            let key = key.parse::<axum::http::HeaderName>().unwrap();
            if key == axum::http::header::HOST {
                request.headers_mut().remove(&key);
            }
            request.headers_mut().append(key, value.parse().unwrap());
        }
        let stream = TcpStream::connect(server.address).await.unwrap();
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => {
                let words = String::from_utf8(response.body().clone().unwrap_or_default()).unwrap();
                Err((response.status().as_u16(), words))
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub async fn send_json(&mut self, value: &Value) {
        self.send(&value.to_string()).await;
    }

    /// The next message that is no ping.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        loop {
            let message = eventually("a message", self.0.next()).await;
            if !matches!(message, Some(Ok(Message::Ping(_) | Message::Pong(_)))) {
                return message;
            }
        }
    }

    pub async fn next_json(&mut self) -> Value {
        match self.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("expected a text message, got {other:?}"),
        }
    }

    /// The next message of this type; others are skipped.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next_json().await;
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// Reads up to the close frame; the codes of errors met on the way come with it.
    pub async fn closed(&mut self) -> (u16, Vec<String>) {
        let mut errors = vec![];
        loop {
            match self.next().await {
                Some(Ok(Message::Close(frame))) => {
                    return (frame.map_or(0, |frame| frame.code.into()), errors);
                }
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    errors.extend(message["code"].as_str().map(str::to_owned));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return (0, errors),
            }
        }
    }
}

/// A car with a key, and perhaps a claim code.
pub struct TestCar(SigningKey, Option<String>);

impl TestCar {
    pub fn new(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]), None)
    }

    pub fn with_code(seed: u8, code: &str) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]), Some(code.to_owned()))
    }

    pub fn key(&self) -> CarKey {
        CarKey(self.0.verifying_key().to_bytes())
    }

    /// Answers the challenge in the name of `host`.
    pub async fn register(&self, socket: &mut Socket, host: &str, enrolment: Option<&str>) {
        let challenge = socket.next_json().await;
        assert_eq!(challenge["type"], "challenge");
        let nonce = Nonce::try_from(challenge["nonce"].as_str().unwrap().to_owned()).unwrap();
        let signature = Signature(self.0.sign(&registration_message(host, &nonce)).to_bytes());
        let mut message = json!({
            "type": "register", "v": 1, "key": self.key(), "signature": signature,
            "name": "red car", "software": "test/1",
        });
        if let Some(token) = enrolment {
            message["enrolment"] = token.into();
        }
        if let Some(code) = &self.1 {
            message["claim"] = code.as_str().into();
        }
        socket.send_json(&message).await;
    }
}
