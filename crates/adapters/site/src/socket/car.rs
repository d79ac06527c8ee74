//! `/ws/car`: a car proves that it holds its key, then it is reachable.

use super::upgrade::admit;
use super::wire::Wire;
use crate::address::Peer;
use crate::backend::{Backend, CarRegistration, Mode, RegisterError};
use crate::http::App;
use crate::limits::subscriber;
use crate::names;
use crate::outbox::{Out, Outbox, outbox};
use crate::token::TokenHash;
use crate::waiters::Waiter;
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use ed25519_dalek::VerifyingKey;
use rccar_protocol::PROTOCOL_VERSION;
use rccar_protocol::claim::ClaimCode;
use rccar_protocol::close::CloseCode;
use rccar_protocol::identity::{CarKey, Nonce, Signature, registration_message};
use rccar_protocol::signaling::{ErrorCode, FromCar, Json, PREPARES, ToCar, parse};
use rccar_protocol::text::Note;
use rccar_rooms::{CODE_LIFETIME, CarConn, EnrolledCar};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::{sleep, timeout};
use tracing::Instrument;

pub(crate) async fn car_socket<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let (outbox, outgoing) = outbox();
    let (upgrade, place) = match admit(&app, peer, &headers, upgrade, &outbox) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let client = peer.client(&headers, &app.options.trusted_proxies);
    let span = tracing::info_span!("car", %client, id = tracing::field::Empty);
    // A car stays for months and says next to nothing: what its future holds all that time is kept
    // small. What happens once at the beginning or the end is in a box that goes away.
    upgrade.on_upgrade(move |socket| {
        let limits = &app.options.limits;
        let mut wire = Box::new(Wire::new(socket, outgoing, limits, place, error));
        let serve = async move {
            let conn = app.exchange.next_car();
            match Box::pin(enter(&mut wire, &app, peer, client, conn, outbox)).await {
                // `_patience` ends with this branch: a car that has left needs no timer.
                Ok(_patience) => {
                    converse(&mut wire, &app, conn, client).await;
                    // Dropped before `car_gone`: a claim that lets the car in at this moment must
                    // see that its socket is gone.
                    drop(wire);
                    app.waiters.take(conn);
                    app.exchange.car_gone(conn).await;
                }
                Err(None) => {}
                Err(Some(refusal)) => Box::pin(send_away(&mut wire, refusal)).await,
            }
        };
        serve.instrument(span)
    })
}

/// From the challenge to a car that is registered, or waits to be claimed. `Err(None)`: the
/// connection is over.
async fn enter<B: Backend>(
    wire: &mut Wire,
    app: &Arc<App<B>>,
    peer: Peer,
    client: IpAddr,
    conn: CarConn,
    outbox: Outbox,
) -> Result<Option<Patience>, Option<Refusal>> {
    let admission = register(wire, app, peer).await?;
    let reached = peer.local.ip();
    let id = match &admission {
        Admission::Known(car, _) => car.id.clone(),
        Admission::Unknown(registration, _) => registration.key.id(),
    };
    tracing::Span::current().record("id", tracing::field::display(id));
    match admission {
        Admission::Known(car, registration) => {
            wire.settle(&app.gate, client, None).map_err(|error| {
                Refusal::new(ErrorCode::RateLimited, error.to_string(), CloseCode::RateLimited)
            })?;
            let program = (registration.software, registration.prepares);
            app.exchange.join_car_as(conn, car, program, reached, outbox).await;
            Ok(None)
        }
        Admission::Unknown(registration, code) => {
            let waiter = Waiter { registration, reached, outbox };
            let_wait(app, conn, client, &code, waiter).map(Some)
        }
    }
}

async fn send_away(wire: &mut Wire, refusal: Refusal) {
    tracing::info!(reason = refusal.text, "a car was not let in");
    wire.refuse(refusal.code, &refusal.text).await;
    wire.close(refusal.close).await;
}

/// A car that has proved its key.
enum Admission {
    Known(EnrolledCar, CarRegistration),
    /// Not enrolled, or revoked, but with a code to claim it by.
    Unknown(CarRegistration, ClaimCode),
}

/// The timer of a car that waits to be claimed. Dropping it stops it.
struct Patience(tokio::task::JoinHandle<()>);

impl Drop for Patience {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Lets a car wait until somebody claims it, but no longer than its code lives.
fn let_wait<B: Backend>(
    app: &Arc<App<B>>,
    conn: CarConn,
    client: IpAddr,
    code: &ClaimCode,
    waiter: Waiter,
) -> Result<Patience, Option<Refusal>> {
    let (car, outbox) = (waiter.registration.key.id(), waiter.outbox.clone());
    let older = app.waiters.enter(conn, subscriber(client), code, waiter);
    match older.map_err(|error| {
        Refusal::new(ErrorCode::NotEnrolled, error.to_string(), CloseCode::Forbidden)
    })? {
        Some(older) => older.outbox.send(Out::Close(CloseCode::Replaced)),
        None => tracing::info!(%car, %client, "a car waits to be claimed"),
    }
    outbox.send(Out::Text(ToCar::Unclaimed {}.to_json()));
    let app = Arc::clone(app);
    Ok(Patience(tokio::spawn(async move {
        sleep(CODE_LIFETIME).await;
        if let Some(waiter) = app.waiters.take(conn) {
            waiter.outbox.send(Out::Close(CloseCode::Forbidden));
        }
    })))
}

struct Refusal {
    code: ErrorCode,
    text: String,
    close: CloseCode,
}

impl Refusal {
    fn new(code: ErrorCode, text: impl Into<String>, close: CloseCode) -> Option<Self> {
        Some(Self { code, text: text.into(), close })
    }
}

/// Challenge, answer, check. `Err(None)`: the connection is over.
async fn register<B: Backend>(
    wire: &mut Wire,
    app: &App<B>,
    peer: Peer,
) -> Result<Admission, Option<Refusal>> {
    let mut nonce = Nonce([0; 32]);
    getrandom::fill(&mut nonce.0)
        .map_err(|_| Refusal::new(ErrorCode::Internal, "no randomness", CloseCode::Internal))?;
    if !wire.send(ToCar::Challenge { v: PROTOCOL_VERSION, nonce }.to_json()).await {
        return Err(None);
    }
    let first = timeout(app.options.limits.handshake, first_register(wire)).await;
    let late = |_| Refusal::new(ErrorCode::Timeout, "no register in time", CloseCode::Handshake);
    let Some(FromCar::Register { v, key, signature, name, software, enrolment, claim, prepares }) =
        first.map_err(late)?
    else {
        return Err(None);
    };
    if v != PROTOCOL_VERSION {
        let text = format!(
            "version {v} is not spoken here, version {PROTOCOL_VERSION} is; \
             update the car or the host"
        );
        return Err(Refusal::new(ErrorCode::UnsupportedVersion, text, CloseCode::Handshake));
    }
    // While many cars come back at once, some give up before it is their turn. Work for those would
    // delay the others, until all of them give up.
    if !wire.is_open() {
        return Err(None);
    }
    let names = names::accepted(app.options.only_name(), peer.local);
    if !is_signed(&key, &signature, &nonce, &names) {
        let text = "the signature does not fit the car's key and a name of this host; \
                    is the host's url right in the car's configuration?";
        return Err(Refusal::new(ErrorCode::BadSignature, text, CloseCode::Forbidden));
    }
    let enrolment = enrolment.map(|token| TokenHash::of(token.as_str()));
    let prepares = prepares.contains(&PREPARES);
    let registration = CarRegistration { key, name, software, enrolment, prepares };
    let answer = app.backend.register_car(registration.clone()).await;
    if !wire.is_open() {
        return Err(None);
    }
    match (answer, claim) {
        (Ok(car), _) => Ok(Admission::Known(car, registration)),
        (Err(RegisterError::NotEnrolled | RegisterError::Revoked), Some(code))
            if app.backend.mode() == Mode::Host =>
        {
            Ok(Admission::Unknown(registration, code))
        }
        (Err(error @ (RegisterError::NotEnrolled | RegisterError::Revoked)), _) => {
            Err(Refusal::new(ErrorCode::NotEnrolled, error.to_string(), CloseCode::Forbidden))
        }
        (Err(RegisterError::Internal(error)), _) => {
            tracing::error!(error, "cannot register a car");
            Err(Refusal::new(
                ErrorCode::Internal,
                "a fault of the host; its log has more",
                CloseCode::Internal,
            ))
        }
    }
}

async fn first_register(wire: &mut Wire) -> Option<FromCar> {
    loop {
        let text = wire.next().await?;
        match parse::<FromCar>(&text) {
            Ok(register @ FromCar::Register { .. }) => return Some(register),
            Ok(_) => wire.refuse(ErrorCode::OutOfOrder, "register comes first").await,
            Err(error) => wire.refuse(error.code, error.text.as_str()).await,
        };
    }
}

/// Strict verification: it refuses weak keys, and a message has one signature only (ed25519-dalek,
/// `verify_strict`).
fn is_signed(key: &CarKey, signature: &Signature, nonce: &Nonce, names: &[String]) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&key.0) else { return false };
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    names
        .iter()
        .any(|name| key.verify_strict(&registration_message(name, nonce), &signature).is_ok())
}

async fn converse<B: Backend>(wire: &mut Wire, app: &App<B>, conn: CarConn, client: IpAddr) {
    while let Some(text) = wire.next().await {
        match parse(&text) {
            Ok(message) if app.waiters.is_waiting(conn) => while_waiting(wire, message).await,
            Ok(message) => {
                // A car that has been claimed was a stranger until then, and stays one where there
                // is no room for it.
                let _ = wire.settle(&app.gate, client, None);
                app.exchange.car_says(conn, message).await;
            }
            Err(error) => {
                wire.refuse(error.code, error.text.as_str()).await;
            }
        }
    }
}

async fn while_waiting(wire: &mut Wire, message: FromCar) {
    match message {
        FromCar::Ping { id } => wire.send(ToCar::Pong { id }.to_json()).await,
        _ => {
            wire.refuse(ErrorCode::OutOfOrder, "the car is not registered: it waits to be claimed")
                .await
        }
    };
}

fn error(code: ErrorCode, text: Note) -> String {
    ToCar::Error { code, text, session: None }.to_json()
}
