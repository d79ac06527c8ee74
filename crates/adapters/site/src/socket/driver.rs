//! `/ws/driver`.

use super::upgrade::admit;
use super::wire::Wire;
use crate::address::Peer;
use crate::backend::Backend;
use crate::http::App;
use crate::http::caller::Caller;
use crate::outbox::{Outbox, outbox};
use crate::people::Person;
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use rccar_causes::causes;
use rccar_protocol::PROTOCOL_VERSION;
use rccar_protocol::close::CloseCode;
use rccar_protocol::signaling::{ErrorCode, FromDriver, Json, LISTS, ToDriver, parse};
use rccar_protocol::text::Note;
use rccar_rooms::DriverConn;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::timeout;
use tracing::Instrument;

pub(crate) async fn driver_socket<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(peer): Extension<Peer>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let (outbox, outgoing) = outbox();
    let (upgrade, place) = match admit(&app, peer, &headers, upgrade, &outbox) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let client = peer.client(&headers, &app.options.trusted_proxies);
    let span = tracing::info_span!("driver", %client, user = tracing::field::Empty);
    upgrade.on_upgrade(move |socket| {
        let mut wire = Box::new(Wire::new(socket, outgoing, &app.options.limits, place, error));
        let serve = async move {
            // In a box that goes away: a page may stay for long.
            let entered = Box::pin(enter(&mut wire, &app, caller, (peer, client), outbox)).await;
            if let Some(conn) = entered {
                converse(&mut wire, &app, conn).await;
                app.exchange.driver_gone(conn).await;
            }
        };
        serve.instrument(span)
    })
}

/// From the cookie to a driver who is told the list. `None`: the connection is over.
async fn enter<B: Backend>(
    wire: &mut Wire,
    app: &App<B>,
    caller: Caller,
    (peer, client): (Peer, IpAddr),
    outbox: Outbox,
) -> Option<DriverConn> {
    // Browsers hide the status of a refused upgrade from the page, but not a close code. So the
    // refusal comes after the upgrade.
    let caller = caller.signed_in().unwrap_or_else(|error| {
        tracing::error!(error = %causes(&error), "cannot look up a sign-in");
        None
    });
    let Some((Person { name: user, .. }, sign_in)) = caller else {
        wire.refuse(ErrorCode::NotSignedIn, "sign in first").await;
        wire.close(CloseCode::NotSignedIn).await;
        return None;
    };
    tracing::Span::current().record("user", tracing::field::display(&user));
    if let Err(error) = wire.settle(&app.gate, client, Some(&user)) {
        wire.refuse(ErrorCode::RateLimited, &error.to_string()).await;
        wire.close(CloseCode::RateLimited).await;
        return None;
    }
    let parts = hello(wire, app).await?;
    let conn = app.exchange.join_driver(user, sign_in, peer.local.ip(), outbox, parts).await;
    // It may have ended while the page said hello: then its end came too early for this connection.
    if !matches!(app.backend.who(sign_in).await, Ok(Some(_))) {
        app.exchange.revoke(sign_in).await;
    }
    Some(conn)
}

/// Waits for `hello`; whether the page asks for parts of the list. `None`: the connection is over.
async fn hello<B: Backend>(wire: &mut Wire, app: &App<B>) -> Option<bool> {
    let first = async {
        loop {
            let text = wire.next().await?;
            match parse::<FromDriver>(&text) {
                Ok(FromDriver::Hello { v, lists, .. }) => return Some((v, lists.contains(&LISTS))),
                Ok(_) => wire.refuse(ErrorCode::OutOfOrder, "hello comes first").await,
                Err(error) => wire.refuse(error.code, error.text.as_str()).await,
            };
        }
    };
    match timeout(app.options.limits.handshake, first).await {
        Ok(Some((PROTOCOL_VERSION, parts))) => return Some(parts),
        Ok(None) => return None,
        Ok(Some((v, _))) => {
            let text = format!(
                "version {v} is not spoken here, version {PROTOCOL_VERSION} is; reload the page"
            );
            wire.refuse(ErrorCode::UnsupportedVersion, &text).await;
        }
        Err(_) => {
            wire.refuse(ErrorCode::Timeout, "no hello in time").await;
        }
    }
    wire.close(CloseCode::Handshake).await;
    None
}

async fn converse<B: Backend>(wire: &mut Wire, app: &App<B>, conn: DriverConn) {
    while let Some(text) = wire.next().await {
        match parse(&text) {
            Ok(message) => app.exchange.driver_says(conn, message).await,
            Err(error) => {
                wire.refuse(error.code, error.text.as_str()).await;
            }
        }
    }
}

fn error(code: ErrorCode, text: Note) -> String {
    ToDriver::Error { code, text, car: None, session: None }.to_json()
}
