//! The driver's way to the host: a one-time link, then a WebSocket.

use futures_util::{SinkExt, StreamExt};
use rccar_protocol::signaling::{ErrorCode, FromDriver, Json, ToDriver, parse};
use rccar_protocol::{PROTOCOL_VERSION, SUBPROTOCOL};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

pub(super) struct Signaling(WebSocketStream<TcpStream>);

#[allow(clippy::expect_used, clippy::panic, reason = "this is what a failed test is")]
impl Signaling {
    pub(super) async fn open(host: &str, token: &str) -> Self {
        let cookie = sign_in(host, token).await;
        let mut request =
            format!("ws://{host}/ws/driver").into_client_request().expect("an address");
        for (name, value) in [("sec-websocket-protocol", SUBPROTOCOL), ("cookie", &cookie)] {
            request.headers_mut().insert(name, value.parse().expect("a header"));
        }
        let stream = TcpStream::connect((host, 80)).await.expect("the host can be reached");
        stream.set_nodelay(true).expect("a socket");
        let (socket, _) =
            client_async(request, stream).await.expect("the host takes the driver's WebSocket");
        let mut signaling = Self(socket);
        signaling
            .send(&FromDriver::Hello { v: PROTOCOL_VERSION, software: None, lists: Vec::new() })
            .await;
        signaling
    }

    pub(super) async fn send(&mut self, message: &FromDriver) {
        self.0
            .send(Message::text(message.to_json()))
            .await
            .expect("the host listens to the driver");
    }

    pub(super) async fn receive(&mut self) -> ToDriver {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => match parse(&text) {
                    Ok(message) => return message,
                    // The programs of the lab send messages of a later release, too.
                    Err(error) => assert_eq!(error.code, ErrorCode::UnknownType, "{text}: {error}"),
                },
                Some(Ok(Message::Close(frame))) => panic!("the host hangs up: {frame:?}"),
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("the driver's WebSocket breaks: {error}"),
                None => panic!("the driver's WebSocket ends"),
            }
        }
    }
}

#[allow(clippy::expect_used, clippy::panic, reason = "this is what a failed test is")]
async fn sign_in(host: &str, token: &str) -> String {
    let body = serde_json::json!({ "token": token }).to_string();
    let request = format!(
        "POST /api/v1/link HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect((host, 80)).await.expect("the host can be reached");
    stream.write_all(request.as_bytes()).await.expect("the request can be sent");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.expect("the host answers");
    let header = reply.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = header
        .and_then(|header| header.split(';').next())
        .unwrap_or_else(|| panic!("no cookie in {reply}"));
    cookie.to_owned()
}
