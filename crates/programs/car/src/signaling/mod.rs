//! The car's connection to its signaling host: carries out what [`Registration`] and [`Standby`]
//! decide.

mod answer;
mod calls;
mod date;
mod parts;
mod register;
mod trouble;

pub(crate) use parts::{Registrant, Signs, Ways};
pub(crate) use trouble::Trouble;

use crate::claim_code::ClaimCodeFile;
use crate::dial::{self, Dialled, LastAddresses};
use crate::due::until;
use crate::host_url::HostUrl;
use crate::messages::Incoming;
use crate::uplinks::Report;
use answer::{Clock, Meaning, may_be_the_clock, meaning};
use calls::{Calls, News};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use parts::Ended;
use rccar_car_core::lease::Source;
use rccar_car_core::registration::standby::{self, Standby};
use rccar_car_core::registration::{DIAL_WITHIN, Effect, End, Event, Registration};
use rccar_causes::causes;
use rccar_daemon::{clock, notify};
use rccar_protocol::PROTOCOL_VERSION;
use rccar_protocol::claim::ClaimCode;
use rccar_protocol::grease;
use rccar_protocol::identity::Nonce;
use rccar_protocol::signaling::{ErrorCode, FromCar, Json, PREPARES, ToCar, parse};
use register::{Knocked, Socket, greet, ignore_out_of_turn, read, write};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message};

/// A proxy sends from http to https, perhaps to another port, and back to the name's usual form.
const MAX_HOPS: u8 = 3;

/// Keeps the car registered for as long as the program runs.
pub(crate) async fn keep_registered(
    url: HostUrl,
    registrant: Registrant,
    incoming: mpsc::Sender<Incoming>,
    outgoing: mpsc::Receiver<FromCar>,
    signs: Signs,
    (claim, trouble, host_time): (ClaimCodeFile, Trouble, PathBuf),
    ways: Ways,
) {
    let calls = Calls::new(&ways.uplinks);
    let mut client = Client {
        registration: Registration::new(clock::now()),
        standby: Standby::default(),
        at: url.clone(),
        hops: 0,
        url,
        registrant,
        incoming,
        outgoing,
        signs,
        claim,
        urgent: ways.urgent.clone(),
        ways,
        calls,
        known: Arc::default(),
        trouble,
        host_time,
        attempt: None,
        connection: None,
        knocking: None,
        waiting: None,
    };
    client.run().await;
}

/// A step on the way to a connection.
enum Step {
    Dialled(Dialled),
    Knocked(Box<Knocked>),
}

struct Connection {
    socket: Socket,
    nonce: Nonce,
}

struct Client {
    registration: Registration,
    standby: Standby,
    /// As the settings have it.
    url: HostUrl,
    /// Where a redirect has sent the car; otherwise the same.
    at: HostUrl,
    /// Redirects since the last connection.
    hops: u8,
    registrant: Registrant,
    incoming: mpsc::Sender<Incoming>,
    outgoing: mpsc::Receiver<FromCar>,
    signs: Signs,
    claim: ClaimCodeFile,
    ways: Ways,
    urgent: watch::Receiver<bool>,
    calls: Calls,
    known: Arc<LastAddresses>,
    trouble: Trouble,
    /// File for the time by the host's web server.
    host_time: PathBuf,
    attempt: Option<BoxFuture<'static, Result<Step, Ended>>>,
    connection: Option<Connection>,
    /// The attempt to have a connection that stands by, and the connection.
    knocking: Option<BoxFuture<'static, Option<Knocked>>>,
    waiting: Option<Knocked>,
}

/// Nobody takes messages any more.
struct Gone;

impl Client {
    async fn run(&mut self) {
        self.standby.handle_uplinks(clock::now(), &self.calls.order());
        let urgent = *self.urgent.borrow_and_update();
        self.handle_urgent(urgent);
        loop {
            self.carry_out().await;
            let due = [self.registration.poll_timeout(), self.standby.poll_timeout()]
                .into_iter()
                .flatten()
                .min();
            tokio::select! {
                biased;
                news = self.calls.next() => handle_news(&mut self.registration, &mut self.standby, news),
                Ok(()) = self.urgent.changed() => {
                    let urgent = *self.urgent.borrow_and_update();
                    self.handle_urgent(urgent);
                }
                step = finished(&mut self.attempt) => self.handle_step(step),
                knocked = finished(&mut self.knocking) => {
                    let answered = knocked.is_some();
                    // What waits is left alone until another one is here.
                    self.waiting = knocked.or(self.waiting.take());
                    self.standby.handle_knocked(clock::now(), answered);
                }
                message = next(&mut self.connection) => match self.handle_message(message).await {
                    Ok(()) => {}
                    Err(Gone) => return,
                },
                Some(message) = self.outgoing.recv(), if self.registration.is_open() => self.send(&message).await,
                () = self.signs.pulse.asked() => self.registration.handle_question(clock::now()),
                () = until(due) => {
                    self.registration.handle_timeout(clock::now());
                    self.standby.handle_timeout(clock::now());
                }
            }
        }
    }

    fn handle_urgent(&mut self, urgent: bool) {
        self.registration.handle_urgent(clock::now(), urgent);
        self.standby.handle_urgent(clock::now(), urgent);
    }

    fn handle_step(&mut self, step: Result<Step, Ended>) {
        match step {
            Ok(Step::Dialled(dialled)) => {
                self.registration.handle_dialled(dialled.over.clone());
                if let Some(over) = dialled.over.clone() {
                    self.ways
                        .uplinks
                        .report(Report::Dialled { over, silent: dialled.silent.clone() });
                }
                let url = self.at.clone();
                self.attempt = Some(Box::pin(async move {
                    Ok(Step::Knocked(Box::new(greet(&url, dialled).await?)))
                }));
            }
            Ok(Step::Knocked(knocked)) => self.handle_knocked(*knocked),
            Err(Ended::Socket(error)) => self.handle_refused(error),
            Err(ended) => self.end(ended),
        }
    }

    fn handle_refused(&mut self, error: tungstenite::Error) {
        let clock = Clock::read();
        if may_be_the_clock(&error, clock) {
            date::ask(&self.at, self.host_time.clone());
        }
        match meaning(&error, &self.at, clock) {
            Some(Meaning::MovedTo(to)) if self.hops < MAX_HOPS => self.follow(to),
            Some(Meaning::MovedTo(_)) => self.end(Ended::Answer(format!(
                "{} sends the car from one address to the next without end",
                self.url.origin()
            ))),
            Some(Meaning::Words(words)) => self.end(Ended::Answer(words)),
            None => self.end(Ended::Socket(error)),
        }
    }

    /// Dials where a redirect points to. It holds for as long as connections there succeed.
    fn follow(&mut self, to: HostUrl) {
        tracing::warn!(
            host = self.url.authority(),
            "{} sends the car on to {}: put that address into the settings",
            self.at.origin(),
            to.origin()
        );
        self.signs.redirected.send_replace(Some(to.origin()));
        self.at = to;
        self.forget_waiting();
        self.hops += 1;
        // They have the port of before.
        self.known = Arc::default();
        self.dial(DIAL_WITHIN);
    }

    fn handle_knocked(&mut self, Knocked { socket, nonce, over }: Knocked) {
        self.registration.handle_dialled(over);
        match getrandom::u64() {
            Ok(random) => {
                self.connection = Some(Connection { socket, nonce });
                self.registration.handle_challenged(clock::now(), random);
            }
            Err(error) => self.end(error.into()),
        }
    }

    async fn handle_message(
        &mut self,
        message: Option<Result<Message, tungstenite::Error>>,
    ) -> Result<(), Gone> {
        self.registration.handle_heard(clock::now());
        self.signs.pulse.beat();
        let text = match read(message) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(()),
            Err(ended) => {
                self.end(ended);
                return Ok(());
            }
        };
        match parse::<ToCar>(&text) {
            Ok(ToCar::Registered { name, .. }) => {
                self.hops = 0;
                self.registration.handle_registered(clock::now(), name)
            }
            Ok(ToCar::Unclaimed {}) => self.registration.handle_unclaimed(clock::now()),
            // A host that does not know a message that it need not know refuses nothing else.
            Ok(ToCar::Error { code: ErrorCode::UnknownType, text, .. }) => {
                tracing::debug!(%text, "an older host")
            }
            Ok(ToCar::Error { code, text, session: None })
                if !self.registration.is_registered() =>
            {
                self.end(Ended::Refused { code, text })
            }
            // What is said of a session can be about one of before.
            Ok(ToCar::Bye { .. } | ToCar::Error { session: Some(_), .. })
                if self.registration.is_entering() => {}
            Ok(_) if self.registration.is_entering() => ignore_out_of_turn(&text),
            Ok(ToCar::Pong { .. }) => {}
            Ok(ToCar::Error { code, text, .. }) => {
                tracing::warn!(?code, %text, "the host refused a message")
            }
            Ok(message) => {
                return self
                    .incoming
                    .send(Incoming { source: Source::Host, message })
                    .await
                    .map_err(|_| Gone);
            }
            // A later host may say what this car does not know.
            Err(error) => tracing::warn!(error = %causes(&error), "message of the host ignored"),
        }
        Ok(())
    }

    /// Does what was decided.
    async fn carry_out(&mut self) {
        loop {
            while let Some(event) = self.registration.poll_event() {
                log(&self.url, &event);
                self.trouble.note(&self.url, &event);
            }
            while let Some(effect) = self.standby.poll_effect() {
                match effect {
                    standby::Effect::Knock { over, within } => {
                        let (url, known) = (self.at.clone(), Arc::clone(&self.known));
                        self.knocking = Some(Box::pin(async move {
                            let knocking = async {
                                let dialled =
                                    dial::only_over(&url, &known, &over, DIAL_WITHIN).await?;
                                greet(&url, dialled).await
                            };
                            let knocked = timeout(within, knocking).await.ok()?;
                            knocked
                                .inspect_err(
                                    |error| tracing::debug!(error = %causes(error), uplink = over.name, "no connection stands by"),
                                )
                                .ok()
                        }));
                    }
                    standby::Effect::Drop => self.waiting = None,
                }
            }
            let Some(effect) = self.registration.poll_effect() else { return };
            match effect {
                Effect::Dial { within } => self.dial(within),
                Effect::Register { claim } => self.register(claim).await,
                Effect::Ping { id } => {
                    self.send(&FromCar::Ping { id }).await;
                    // An unclaimed car may say nothing but `ping`.
                    let more = if self.registration.is_registered() {
                        grease::messages()
                    } else {
                        Vec::new()
                    };
                    for text in more {
                        self.send_text(text).await;
                    }
                }
                Effect::HangUp(why) => self.report_end(why),
                Effect::Up(up) => {
                    self.signs.up.send_replace(up);
                }
                Effect::Stand(standing) => {
                    self.signs.standing.send_replace(standing);
                }
                Effect::Show(code) => self.claim.show(&code),
                Effect::Hide => self.claim.hide(),
            }
        }
    }

    /// Connects over the uplink that answers first, and tells what was seen of the other uplinks.
    fn dial(&mut self, within: Duration) {
        self.connection = None;
        self.attempt = None;
        let situation = self.ways.uplinks.now();
        if let Some(used) = &situation.in_use
            && self.standby.take(clock::now(), &used.name)
            && let Some(knocked) = self.waiting.take()
        {
            return self.handle_knocked(knocked);
        }
        let (url, known) = (self.at.clone(), Arc::clone(&self.known));
        self.attempt = Some(Box::pin(async move {
            let dialled = dial::race(&url, &known, &situation.order, within).await?;
            Ok(Step::Dialled(dialled))
        }));
    }

    async fn register(&mut self, claim: ClaimCode) {
        let Some(Connection { nonce, .. }) = &self.connection else { return };
        let who = &self.registrant;
        let register = FromCar::Register {
            v: PROTOCOL_VERSION,
            key: who.identity.public(),
            signature: who.identity.answer(self.at.authority(), nonce),
            name: who.name.clone(),
            software: who.software.clone(),
            enrolment: who.host.enrolment.clone(),
            claim: Some(claim),
            prepares: vec![PREPARES],
        };
        self.send(&register).await;
        // What sessions wanted to say before is out of date; when they see that the host is up they
        // say what still counts.
        while self.outgoing.try_recv().is_ok() {}
    }

    /// Sends, unless there is no connection, or a reason to have another one comes first.
    async fn send(&mut self, message: &FromCar) {
        self.send_text(message.to_json()).await;
    }

    async fn send_text(&mut self, text: String) {
        let Some(Connection { socket, .. }) = &mut self.connection else { return };
        let sent = {
            let mut writing = pin!(write(socket, text));
            loop {
                tokio::select! {
                    biased;
                    sent = &mut writing => break sent,
                    news = self.calls.next() => handle_news(&mut self.registration, &mut self.standby, news),
                }
                if !self.registration.is_open() && !self.registration.is_entering() {
                    return;
                }
            }
        };
        if let Err(ended) = sent {
            self.end(ended);
        }
    }

    /// A connection that waits was made for the address of before, and would sign another name.
    fn forget_waiting(&mut self) {
        self.knocking = None;
        self.waiting = None;
    }

    fn end(&mut self, ended: Ended) {
        self.report_end(ended.into());
    }

    fn report_end(&mut self, end: End) {
        self.connection = None;
        self.attempt = None;
        if self.at != self.url {
            self.at = self.url.clone();
            self.forget_waiting();
            self.known = Arc::default();
            self.signs.redirected.send_replace(None);
        }
        self.hops = 0;
        self.registration.handle_ended(clock::now(), end, random_fraction());
    }
}

fn handle_news(registration: &mut Registration, standby: &mut Standby, news: News) {
    let now = clock::now();
    match news {
        News::Suspected => registration.handle_suspicion(now),
        News::Uplinks { order, moved } => {
            if let Some(moved) = moved {
                registration.handle_move(now, &moved);
            }
            standby.handle_uplinks(now, &order);
        }
    }
}

fn log(url: &HostUrl, event: &Event) {
    let host = url.authority();
    match event {
        Event::Registered { name } => {
            tracing::info!(host, %name, "registered");
            notify::status(&format!("registered with {host}"));
        }
        Event::Unclaimed => {
            tracing::info!(
                host,
                "unclaimed: the car's own page and its console show the code that claims it"
            );
            notify::status(&format!("unclaimed at {host}"));
        }
        Event::DialledAnew(call) => tracing::info!(host, "dialled anew: {call}"),
        Event::Lost { retry_in, why } => {
            tracing::warn!(host, ?retry_in, "no connection to the host: {}", why.text())
        }
    }
}

fn random_fraction() -> f64 {
    // Without random numbers the middle is as good as any point.
    getrandom::u32().map_or(0.5, |bits| f64::from(bits) / f64::from(u32::MAX))
}

/// The result of what is under way; never while nothing is.
async fn finished<T>(work: &mut Option<BoxFuture<'static, T>>) -> T {
    match work {
        Some(future) => {
            let result = future.await;
            *work = None;
            result
        }
        None => std::future::pending().await,
    }
}

/// The next message; never while there is no connection.
async fn next(connection: &mut Option<Connection>) -> Option<Result<Message, tungstenite::Error>> {
    match connection {
        Some(connection) => connection.socket.next().await,
        None => std::future::pending().await,
    }
}
