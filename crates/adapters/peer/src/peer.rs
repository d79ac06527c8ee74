//! The peer connection.

use crate::candidates;
use crate::channels::{ControlChannel, EventsChannel, ReceivedControl};
use crate::fingerprint::Judge;
use crate::keyframe::KeyframeTap;
use crate::observer::Observer;
use crate::retransmission::{Mending, Meter, Retransmission};
use crate::send_path::{Flow, SendPath};
use crate::settings::{PeerOptions, configuration, h264, media, setting_engine};
use crate::sockets::{Addresses, BoundRuntime, Heard};
use crate::video::{Session, VideoSender};
use crate::{PeerError, error::stack};
use rccar_causes::causes;
use rccar_protocol::signaling::{Candidate, IceServer};
use rccar_protocol::text::Sdp;
use rccar_protocol::units::MonotonicMicros;
use rtc::peer_connection::configuration::RTCOfferOptions;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, Notify, mpsc, watch};
use tracing::Span;
use webrtc::peer_connection::{PeerConnection, PeerConnectionBuilder};

#[derive(Debug, Clone, PartialEq)]
pub enum PeerEvent {
    /// A local candidate for the driver; an empty line ends the candidates of its generation.
    Candidate {
        /// Generation of the offer that it belongs to.
        generation: u32,
        candidate: Candidate,
    },
    State(PeerState),
    EventsClosed {
        /// `false`: the stack has ended, or [`Opened::messages`] is dropped.
        by_driver: bool,
    },
    /// The driver opened a channel that is not in the protocol.
    ForeignChannel,
}

/// A message of the driver's on the channel `events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text of legal size.
    Text(String),
    /// Not UTF-8, or too large.
    Bad,
    /// More than the channel's rate allows. Comes once for a flood, whose messages are dropped.
    TooMany,
}

/// What [`Peer::open`] gives.
pub struct Opened {
    pub peer: Peer,
    /// Unbounded: the events come from our own stack, and are few (states, local candidates).
    pub events: mpsc::UnboundedReceiver<PeerEvent>,
    /// Bounded: while nobody reads, the driver is slowed down.
    pub messages: mpsc::Receiver<Message>,
}

/// State of the connection (W3C WebRTC, `RTCPeerConnectionState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerState {
    /// Looks for a path.
    Connecting,
    /// Media and data flow.
    Connected,
    /// The path is silent; it may come back.
    Disconnected,
    /// No path.
    Failed,
    /// Closed for good.
    Closed,
}

/// An offer that is ready to be sent.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Counts the offers of a session, from 1.
    pub generation: u32,
    pub sdp: Sdp,
    description: RTCSessionDescription,
}

/// The car's end of a session.
pub struct Peer {
    connection: Connection,
    /// Generation of the newest offer that was written.
    offered: AtomicU32,
    /// Generation of the newest offer that is gathered for.
    generation: Arc<AtomicU32>,
    /// An offer that is applied only when its answer arrives.
    held: Mutex<Option<Offer>>,
    heard: Heard,
    judge: Judge,
    gathered: Arc<watch::Sender<bool>>,
    control: ControlChannel,
    events: EventsChannel,
    video: Arc<VideoSender>,
    /// Candidates of the driver's that came before the answer.
    early_candidates: Mutex<Vec<Candidate>>,
    /// How many candidates the driver has sent for the present offer.
    candidates: AtomicUsize,
}

/// Candidates taken for one offer: more than a browser with many interfaces and servers gathers.
/// The stack checks each many times from every socket. Without a limit a driver could make the car
/// send to any number of strangers.
const MAX_CANDIDATES: usize = 64;
/// Bytes that wait in one data channel for the driver's acknowledgement: a few of the largest
/// messages.
const SEND_BUFFER: usize = 256 * 1024;

/// Closes the stack's connection when it is dropped; else the stack's tasks and sockets would live
/// on.
struct Connection(Arc<dyn PeerConnection>);

impl Drop for Connection {
    fn drop(&mut self) {
        let connection = Arc::clone(&self.0);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { connection.close().await });
        }
    }
}

impl Peer {
    /// Makes a connection with its track and channels. `ssrc` must be random; the sequence numbers
    /// of the video start from it, too.
    pub async fn open(options: &PeerOptions, ssrc: u32) -> Result<Opened, PeerError> {
        let keyframe_requested = Arc::new(Notify::new());
        let meter = Arc::new(Meter::default());
        let mending = Arc::new(Mending::default());
        let flow = Flow::new(options.limits, options.clock, options.recorder.as_ref());
        let flow = Arc::new(flow);
        let retransmission =
            Retransmission::new(Arc::clone(&flow), Arc::clone(&mending), Arc::clone(&meter));
        let codec = h264(options.level);
        let (engine, registry) = media(
            codec.clone(),
            KeyframeTap::new(Arc::clone(&keyframe_requested)),
            retransmission,
            SendPath::new(Arc::clone(&flow), Arc::clone(&mending)),
        )?;
        let (sender, events) = mpsc::unbounded_channel();
        let gathered = Arc::new(watch::Sender::new(false));
        let generation = Arc::new(AtomicU32::new(0));
        let heard = Heard::default();
        let runtime = BoundRuntime {
            binding: options.binding.clone(),
            heard: heard.clone(),
            clock: options.clock,
            span: Span::current(),
        };
        let no_crypto = stack("starting cryptography");
        let crypto = rtc::crypto::default_provider().map_err(&no_crypto)?;
        let judge = Judge::new(crypto).map_err(&no_crypto)?;
        let observer = Observer {
            events: sender.clone(),
            generation: Arc::clone(&generation),
            gathered: Arc::clone(&gathered),
        };
        let building = PeerConnectionBuilder::new()
            .with_configuration(configuration(&options.ice_servers))
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .with_setting_engine(setting_engine(options.loopback, judge.provider()))
            .with_handler(Arc::new(observer))
            .with_runtime(Arc::new(runtime))
            .with_udp_addrs(vec![Addresses {
                binding: options.binding.clone(),
                loopback: options.loopback,
            }])
            .with_data_channel_send_buffer_limit(SEND_BUFFER)
            .build();
        let connection = Box::pin(building).await.map_err(stack("opening a connection"))?;
        let connection = Connection(Arc::new(connection));
        let video = Arc::new(
            VideoSender::add_to(
                &*connection.0,
                codec,
                ssrc,
                Session { keyframe_requested, mending, meter, flow },
            )
            .await?,
        );
        let control = ControlChannel::create(&*connection.0, options.clock).await?;
        let (channel, messages) = EventsChannel::create(&*connection.0, sender).await?;
        let peer = Self {
            connection,
            offered: AtomicU32::new(0),
            generation,
            held: Mutex::default(),
            heard,
            judge,
            gathered,
            control,
            events: channel,
            video,
            early_candidates: Mutex::default(),
            candidates: AtomicUsize::new(0),
        };
        Ok(Opened { peer, events, messages })
    }

    /// Writes the next offer. With `restart`, it restarts ICE with these servers; the old path ends
    /// when gathering starts.
    pub async fn prepare_offer(&self, restart: Option<&[IceServer]>) -> Result<Offer, PeerError> {
        if let Some(servers) = restart {
            self.connection
                .0
                .set_configuration(configuration(servers))
                .await
                .map_err(stack("renewing the ICE servers"))?;
        }
        let options = RTCOfferOptions { ice_restart: restart.is_some() };
        let description = self
            .connection
            .0
            .create_offer(Some(options))
            .await
            .map_err(stack("writing an offer"))?;
        let generation = self.offered.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
        Ok(Offer { generation, sdp: Sdp::new(description.sdp.clone())?, description })
    }

    /// Starts gathering for an offer. Call it after the offer was sent: candidates follow at once,
    /// and the driver must not get them first.
    pub async fn start_gathering(&self, offer: &Offer) -> Result<(), PeerError> {
        self.forget().await;
        self.apply_offer(offer).await
    }

    /// Keeps an offer until its answer arrives: only then gathering starts and the old path ends.
    /// Call it after the offer was sent.
    pub async fn hold(&self, offer: Offer) {
        self.forget().await;
        *self.held.lock().await = Some(offer);
    }

    /// The newest offer, if it awaits an answer, with the candidates that are known by now. For a
    /// driver who may have missed it.
    pub async fn unanswered(&self) -> Result<Option<Offer>, PeerError> {
        if let Some(held) = &*self.held.lock().await {
            return Ok(Some(held.clone()));
        }
        if self.connection.0.pending_local_description().await.is_none() {
            return Ok(None);
        }
        let Some(description) = self.connection.0.local_description().await else {
            return Ok(None);
        };
        Ok(Some(Offer {
            generation: self.generation(),
            sdp: Sdp::new(description.sdp.clone())?,
            description,
        }))
    }

    /// Drops what belongs to the offer before.
    async fn forget(&self) {
        *self.held.lock().await = None;
        self.early_candidates.lock().await.clear();
        self.candidates.store(0, Ordering::Relaxed);
    }

    async fn apply_offer(&self, offer: &Offer) -> Result<(), PeerError> {
        // Before gathering starts: the observer puts this number on the candidates.
        self.gathered.send_replace(false);
        self.generation.store(offer.generation, Ordering::Release);
        self.connection
            .0
            .set_local_description(offer.description.clone())
            .await
            .map_err(stack("starting to gather candidates"))
    }

    /// Gathers all candidates and returns the offer that holds them, for peers that cannot trickle.
    /// After `limit` it takes those that are there.
    pub async fn gathered_offer(&self, offer: Offer, limit: Duration) -> Result<Offer, PeerError> {
        self.start_gathering(&offer).await?;
        let mut gathered = self.gathered.subscribe();
        match tokio::time::timeout(limit, gathered.wait_for(|complete| *complete)).await {
            Ok(_) => {}
            // A silent server must not keep the host candidates back.
            Err(_) => {
                tracing::warn!(?limit, "not every ICE server answered; offering what was gathered")
            }
        }
        let complete = self
            .connection
            .0
            .local_description()
            .await
            .ok_or(PeerError::GatheringTimeout(limit))?;
        Ok(Offer { sdp: Sdp::new(complete.sdp)?, ..offer })
    }

    /// Takes the driver's answer; for a held offer this starts gathering.
    pub async fn accept_answer(&self, generation: u32, sdp: &Sdp) -> Result<(), PeerError> {
        self.check(generation).await?;
        let held = self.held.lock().await.take();
        if let Some(offer) = held {
            self.apply_offer(&offer).await?;
        }
        // Only now: applying a held offer is what makes the stack await its answer.
        if !self.awaits_answer().await {
            return Err(PeerError::Unasked);
        }
        let refused = stack("using the driver's answer");
        let answer = self.judge.translate(sdp.as_str())?;
        let answer = RTCSessionDescription::answer(answer).map_err(&refused)?;
        self.connection.0.set_remote_description(answer).await.map_err(&refused)?;
        for candidate in std::mem::take(&mut *self.early_candidates.lock().await) {
            // If one cannot be used, the others may be.
            if let Err(error) = self.apply(candidate).await {
                tracing::debug!(error = %causes(&error), "a candidate of the driver's is left out");
            }
        }
        Ok(())
    }

    /// Takes a candidate of the driver's; one that comes before the answer waits for the answer.
    pub async fn add_candidate(
        &self,
        generation: u32,
        candidate: Candidate,
    ) -> Result<(), PeerError> {
        self.check(generation).await?;
        if self.candidates.fetch_add(1, Ordering::Relaxed) >= MAX_CANDIDATES {
            return Err(PeerError::TooManyCandidates(MAX_CANDIDATES));
        }
        if !self.awaits_answer().await {
            return self.apply(candidate).await;
        }
        self.early_candidates.lock().await.push(candidate);
        Ok(())
    }

    /// Whether an offer is out and not answered.
    pub async fn awaits_answer(&self) -> bool {
        self.held.lock().await.is_some()
            || self.connection.0.pending_local_description().await.is_some()
    }

    /// Generation of the newest offer that is gathered for; a held offer does not count.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }

    /// When something last came from the driver, by the car's clock; zero before that.
    #[must_use]
    pub fn heard(&self) -> MonotonicMicros {
        self.heard.at()
    }

    #[must_use]
    pub fn video(&self) -> Arc<VideoSender> {
        Arc::clone(&self.video)
    }

    /// Follows the newest control frame; `None` before the first.
    #[must_use]
    pub fn control(&self) -> watch::Receiver<Option<ReceivedControl>> {
        self.control.newest.clone()
    }

    /// Control frames dropped so far: malformed, late or above the rate. Stops at `u16::MAX`.
    #[must_use]
    pub fn dropped_control_frames(&self) -> u16 {
        self.control.dropped.load(Ordering::Relaxed)
    }

    /// Sends telemetry; `false` when the channel is congested or not open, and so it was dropped.
    pub async fn send_telemetry(&self, bytes: &[u8]) -> bool {
        self.control.try_send(bytes).await
    }

    /// Queues a message on the channel `events`; `false` when the driver reads too slowly or is
    /// gone.
    pub fn send_event(&self, text: String) -> bool {
        self.events.try_send(text)
    }

    /// Closes the connection; a second call does nothing.
    pub async fn close(&self) {
        if let Err(error) = self.connection.0.close().await {
            tracing::debug!(error = %causes(&error), "closing the connection");
        }
    }

    async fn check(&self, got: u32) -> Result<(), PeerError> {
        // While an offer is held, only messages about that one count.
        let held = self.held.lock().await.as_ref().map(|offer| offer.generation);
        let current = held.unwrap_or_else(|| self.generation());
        if got == current { Ok(()) } else { Err(PeerError::Generation { got, current }) }
    }

    async fn apply(&self, candidate: Candidate) -> Result<(), PeerError> {
        // The end of the driver's candidates.
        if candidate.line().is_empty() {
            return Ok(());
        }
        if candidates::lead_nowhere(candidate.line()) {
            tracing::debug!(line = candidate.line(), "the driver's candidate is no address");
            return Ok(());
        }
        let init = RTCIceCandidateInit {
            candidate: candidate.line().to_owned(),
            sdp_mid: candidate.sdp_mid().map(str::to_owned),
            sdp_mline_index: candidate.sdp_m_line_index(),
            ..Default::default()
        };
        self.connection
            .0
            .add_ice_candidate(init)
            .await
            .map_err(stack("using the driver's candidate"))
    }
}
