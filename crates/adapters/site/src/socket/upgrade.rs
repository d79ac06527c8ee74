//! From an HTTP request to a WebSocket, or to a refusal in plain words.

use crate::address::Peer;
use crate::http::App;
use crate::http::origin::is_foreign;
use crate::outbox::Outbox;
use crate::strangers::Stranger;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use rccar_protocol::{MAX_MESSAGE_BYTES, SUBPROTOCOL};

/// A message of up to this size is read and answered with `too-large`. The header of a larger one
/// ends the connection.
const HARD_LIMIT: usize = 4 * MAX_MESSAGE_BYTES;
/// Bytes read at once, which each connection keeps: as many as a car's `register` with its head. A
/// larger message gets a buffer of its size. The library's 128 KiB for each connection would be
/// most of the host's memory.
const READ_BUFFER: usize = 1024;

/// Checks that the client may have a WebSocket, and gives it a place among strangers. If it has to
/// make room for another, `outbox` closes it.
pub(crate) fn admit<B>(
    app: &App<B>,
    peer: Peer,
    headers: &HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    outbox: &Outbox,
) -> Result<(WebSocketUpgrade, Stranger), Box<Response>> {
    let upgrade = upgrade.map_err(|refusal| refusal.into_response())?;
    let asked =
        headers.get_all("sec-websocket-protocol").iter().filter_map(|value| value.to_str().ok());
    if !asked.flat_map(|list| list.split(',')).any(|name| name.trim() == SUBPROTOCOL) {
        let text = format!(
            "this address speaks the WebSocket subprotocol {SUBPROTOCOL}, \
             which the client did not ask for"
        );
        return Err((StatusCode::BAD_REQUEST, text).into_response().into());
    }
    if is_foreign(headers, app.options.only_name()) {
        return Err((StatusCode::FORBIDDEN, "pages of other origins may not connect")
            .into_response()
            .into());
    }
    let address = peer.client(headers, &app.options.trusted_proxies);
    let place = app.strangers.enter(address, outbox.clone());
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(HARD_LIMIT)
        .max_frame_size(HARD_LIMIT)
        .read_buffer_size(READ_BUFFER)
        // Every message goes out at once: the outbox is the queue.
        .write_buffer_size(0);
    Ok((upgrade, place))
}
