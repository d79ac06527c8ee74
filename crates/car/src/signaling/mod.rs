//! The car's connection to its signaling host: register, keep alive, come back.

mod calls;
mod register;
mod standby;
mod words;

pub(crate) use words::{Registration, Signs, Ways};

use crate::claim::Claim;
use crate::config::HostUrl;
use crate::dial::Known;
use crate::messages::Incoming;
use crate::standing::Standing;
use calls::{Calls, Over};
use futures_util::StreamExt;
use rccar_car_core::lease::Source;
use rccar_protocol::signaling::{FromCar, ToCar, parse};
use register::{enter, knock, read, registered, unclaimed, unexpected, write};
use standby::Standby;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use words::Ended;

/// TCP, TLS and the WebSocket handshake on a bad 4G link; each later step of the registration has as long.
const STEP_WITHIN: Duration = Duration::from_secs(10);
/// TCP's first segments are repeated after 1 s and 3 s; who is silent for longer is not worth the wait.
const DIAL_WITHIN: Duration = Duration::from_secs(4);
/// The same while somebody drives: a new first segment every second finds a link that is back sooner than TCP's own patience would.
const DIAL_URGENTLY_WITHIN: Duration = Duration::from_secs(1);
const BACKOFF_URGENT: Duration = Duration::from_millis(100);
const BACKOFF_URGENT_MOST: Duration = Duration::from_secs(1);
/// A mobile network forgets an idle NAT mapping after 30 s at worst.
const PING_EVERY: Duration = Duration::from_secs(5);
/// Two pings unanswered: the path is dead, whatever TCP thinks.
const SILENCE: Duration = Duration::from_secs(12);
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
const BACKOFF_MOST: Duration = Duration::from_secs(30);
/// A refusal (not enrolled, revoked) does not change by itself; asking every few seconds would only fill logs.
const BACKOFF_REFUSED: Duration = Duration::from_secs(30);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Keeps the car registered for as long as the program runs.
pub(crate) async fn keep_registered(
    url: HostUrl,
    registration: Arc<Registration>,
    incoming: mpsc::Sender<Incoming>,
    mut outgoing: mpsc::Receiver<FromCar>,
    signs: Signs,
    mut claim: Claim,
    ways: Ways,
) {
    let mut failures = 0;
    let mut calls = Calls::new(&ways.uplinks);
    let (known, over, standby) = (Known::default(), calls.over.clone(), Standby::default());
    let mut keeper = JoinSet::new();
    keeper.spawn(standby.clone().keep(url.clone(), ways.clone()));
    loop {
        let started = Instant::now();
        let link = Link {
            url: &url,
            registration: &registration,
            signs: &signs,
            ways: &ways,
            known: &known,
            over: &over,
            standby: &standby,
        };
        let ended = tokio::select! {
            ended = Box::pin(connection(&link, &incoming, &mut outgoing, &mut claim)) => ended,
            call = calls.next() => call,
        };
        let was_up = signs.up.send_replace(false);
        claim.hide();
        let refused = ended.is_refusal();
        signs.standing.send_replace(if refused { Standing::Refused(ended.to_string()) } else { Standing::Lost(ended.to_string()) });
        if refused {
            claim.spend();
        }
        if matches!(ended, Ended::Moved | Ended::Suspected) {
            tracing::info!(host = url.authority(), "dialled anew: {ended}");
            failures = 0;
            continue;
        }
        // A car that was just revoked is asked again soon: it can be claimed by somebody else.
        let wait = if refused && !(was_up && ended.is_forbidden()) {
            BACKOFF_REFUSED
        } else if *ways.urgent.borrow() {
            failures += 1;
            BACKOFF_URGENT.saturating_mul(failures).min(BACKOFF_URGENT_MOST)
        } else {
            failures = if was_up && started.elapsed() > BACKOFF_MOST { 0 } else { failures + 1 };
            backoff(failures, random_fraction())
        };
        tracing::warn!(host = url.authority(), retry_in = ?wait, "no connection to the host: {ended}");
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = calls.next(), if !refused => failures = 0,
        }
    }
}

/// One attempt: what it needs.
struct Link<'a> {
    url: &'a HostUrl,
    registration: &'a Registration,
    signs: &'a Signs,
    ways: &'a Ways,
    known: &'a Known,
    over: &'a Over,
    standby: &'a Standby,
}

/// Exponential backoff with full jitter, so that a thousand cars do not return in the same moment.
fn backoff(failures: u32, fraction: f64) -> Duration {
    let ceiling = BACKOFF_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(BACKOFF_MOST);
    BACKOFF_FIRST / 5 + ceiling.mul_f64(fraction.clamp(0.0, 1.0))
}

fn random_fraction() -> f64 {
    // Without random numbers the middle is as good as any point.
    getrandom::u32().map_or(0.5, |bits| f64::from(bits) / f64::from(u32::MAX))
}

async fn connection(
    link: &Link<'_>,
    incoming: &mpsc::Sender<Incoming>,
    outgoing: &mut mpsc::Receiver<FromCar>,
    claim: &mut Claim,
) -> Ended {
    let Link { url, signs, .. } = *link;
    let entered = match knock(link).await {
        Ok(knocked) => enter(link, knocked, outgoing, claim).await,
        Err(ended) => Err(ended),
    };
    let mut socket = match entered {
        Ok(socket) => socket,
        Err(ended) => return ended,
    };
    let mut heard = Instant::now();
    let mut pings = tokio::time::interval(PING_EVERY);
    let mut ping_id = 0u32;
    loop {
        tokio::select! {
            biased;
            message = socket.next() => {
                heard = Instant::now();
                signs.pulse.beat();
                match read(message) {
                    Ok(None) => {}
                    Ok(Some(text)) => match parse::<ToCar>(&text) {
                        Ok(ToCar::Pong { .. }) => {}
                        Ok(ToCar::Registered { name, .. }) => registered(url, &name, signs, claim),
                        // A car that was known is not any more.
                        Ok(ToCar::Unclaimed {}) => {
                            signs.set_known(false);
                            if let Err(ended) = unclaimed(url, signs, claim) {
                                return ended;
                            }
                        }
                        Ok(refused @ ToCar::Error { session: None, .. }) if !matches!(*signs.standing.borrow(), Standing::Registered) => {
                            signs.set_known(false);
                            return unexpected(refused);
                        }
                        Ok(ToCar::Error { code, text, .. }) => tracing::warn!(?code, %text, "the host refused a message"),
                        Ok(message) => {
                            if incoming.send(Incoming { source: Source::Host, message }).await.is_err() {
                                return Ended::NoAgent;
                            }
                        }
                        Err(error) => tracing::warn!(%error, "message of the host ignored"),
                    },
                    Err(ended) => return ended,
                }
            }
            Some(message) = outgoing.recv() => {
                if let Err(ended) = write(&mut socket, &message).await {
                    return ended;
                }
            }
            () = async { tokio::select! { _ = pings.tick() => {}, () = signs.pulse.asked() => {} } } => {
                if heard.elapsed() > SILENCE {
                    return Ended::Silent;
                }
                ping_id = ping_id.wrapping_add(1);
                if let Err(ended) = write(&mut socket, &FromCar::Ping { id: ping_id }).await {
                    return ended;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_to_its_limit_and_is_spread() {
        assert_eq!(backoff(1, 1.0), Duration::from_millis(600));
        assert_eq!(backoff(3, 1.0), Duration::from_millis(2_100));
        assert_eq!(backoff(3, 0.0), Duration::from_millis(100));
        assert_eq!(backoff(u32::MAX, 1.0), Duration::from_millis(30_100));
    }
}
