//! The data channels `control` and `events`.

use crate::peer::{Message, PeerEvent};
use crate::rate::RateLimit;
use crate::{PeerError, error::stack};
use bytes::BytesMut;
use rccar_causes::causes;
use rccar_protocol::control::ControlFrame;
use rccar_protocol::telemetry::TELEMETRY_SIZE;
use rccar_protocol::units::MonotonicMicros;
use rccar_protocol::{CONTROL_HZ, MAX_MESSAGE_BYTES};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;
use tokio::sync::{mpsc, watch};
use tracing::Instrument;
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};
use webrtc::peer_connection::PeerConnection;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReceivedControl {
    pub frame: ControlFrame,
    /// Its arrival, by the car's clock.
    pub at: MonotonicMicros,
}

/// Unordered and without retransmission.
pub(crate) struct ControlChannel {
    channel: Arc<dyn DataChannel>,
    pub(crate) newest: watch::Receiver<Option<ReceivedControl>>,
    pub(crate) dropped: Arc<AtomicU16>,
}

impl ControlChannel {
    pub(crate) async fn create(
        connection: &dyn PeerConnection,
        clock: fn() -> MonotonicMicros,
    ) -> Result<Self, PeerError> {
        let init =
            RTCDataChannelInit { ordered: false, max_retransmits: Some(0), ..Default::default() };
        let channel = connection
            .create_data_channel("control", Some(init))
            .await
            .map_err(stack("creating the channel `control`"))?;
        let (sender, newest) = watch::channel(None);
        let dropped = Arc::new(AtomicU16::new(0));
        let reading = read_control(Arc::clone(&channel), sender, Arc::clone(&dropped), clock);
        tokio::spawn(reading.in_current_span());
        Ok(Self { channel, newest, dropped })
    }

    /// Sends without waiting: telemetry that cannot leave now is worthless later. `false` when it
    /// was dropped.
    pub(crate) async fn try_send(&self, bytes: &[u8]) -> bool {
        match self.channel.outstanding_bytes().await {
            Ok(waiting) if waiting <= MAX_UNACKNOWLEDGED => {
                self.channel.try_send(BytesMut::from(bytes)).await.is_ok()
            }
            _ => false,
        }
    }
}

/// Bytes of telemetry under way, beyond which more is dropped: 600 ms at 50 Hz, longer than the
/// round trip of a link that one can drive over.
const MAX_UNACKNOWLEDGED: usize = 30 * TELEMETRY_SIZE;
/// Control frames taken, per second and in one burst: four times the rate that the protocol
/// prescribes, in bursts of a second.
const CONTROL_RATE: (f64, f64) = (4.0 * CONTROL_HZ as f64, 4.0 * CONTROL_HZ as f64);
/// Messages taken on `events`, per second and in one burst; a page sends one for each connection.
const EVENTS_RATE: (f64, f64) = (10.0, 20.0);

async fn read_control(
    channel: Arc<dyn DataChannel>,
    sender: watch::Sender<Option<ReceivedControl>>,
    dropped: Arc<AtomicU16>,
    clock: fn() -> MonotonicMicros,
) {
    let mut limit = RateLimit::new(CONTROL_RATE.0, CONTROL_RATE.1, Instant::now());
    while let Some(event) = channel.poll().await {
        let DataChannelEvent::OnMessage(message) = event else {
            if matches!(event, DataChannelEvent::OnClose) {
                break;
            }
            continue;
        };
        let at = clock();
        let accepted = match ControlFrame::decode(&message.data) {
            Ok(_) if !limit.allows(Instant::now()) => false,
            Ok(frame) => sender.send_if_modified(|newest| {
                let newer = newest.is_none_or(|last| frame.is_newer_than(last.frame.seq));
                if newer {
                    *newest = Some(ReceivedControl { frame, at });
                }
                newer
            }),
            Err(error) => {
                tracing::trace!(error = %causes(&error), "control frame refused");
                false
            }
        };
        if !accepted {
            let _ = dropped
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_add(1));
        }
    }
}

/// The reliable channel.
pub(crate) struct EventsChannel {
    outgoing: mpsc::Sender<String>,
}

/// Events that wait for a slow reader; more are refused.
const EVENT_QUEUE: usize = 64;
/// Messages of the driver's that wait for the session to read them.
const MESSAGE_QUEUE: usize = 16;

impl EventsChannel {
    pub(crate) async fn create(
        connection: &dyn PeerConnection,
        events: mpsc::UnboundedSender<PeerEvent>,
    ) -> Result<(Self, mpsc::Receiver<Message>), PeerError> {
        let channel = connection
            .create_data_channel("events", None)
            .await
            .map_err(stack("creating the channel `events`"))?;
        let (outgoing, queue) = mpsc::channel(EVENT_QUEUE);
        let (incoming, messages) = mpsc::channel(MESSAGE_QUEUE);
        let (opened, open) = watch::channel(false);
        let writing = write_events(Arc::clone(&channel), queue, open);
        tokio::spawn(writing.in_current_span());
        let reading = async move {
            let by_driver = read_events(&*channel, &opened, &incoming).await;
            let _ = events.send(PeerEvent::EventsClosed { by_driver });
        };
        tokio::spawn(reading.in_current_span());
        Ok((Self { outgoing }, messages))
    }

    /// Queues a message; `false` when the reader is too slow or gone.
    pub(crate) fn try_send(&self, text: String) -> bool {
        self.outgoing.try_send(text).is_ok()
    }
}

/// Sends queued messages, once the channel is open.
async fn write_events(
    channel: Arc<dyn DataChannel>,
    mut queue: mpsc::Receiver<String>,
    mut open: watch::Receiver<bool>,
) {
    if open.wait_for(|open| *open).await.is_err() {
        return;
    }
    while let Some(text) = queue.recv().await {
        if let Err(error) = channel.send_text(&text).await {
            tracing::debug!(error = %causes(&error), "the channel `events` is closed");
            break;
        }
    }
}

/// Passes messages on until the channel ends; says whether the driver closed it.
async fn read_events(
    channel: &dyn DataChannel,
    opened: &watch::Sender<bool>,
    incoming: &mpsc::Sender<Message>,
) -> bool {
    let mut limit = RateLimit::new(EVENTS_RATE.0, EVENTS_RATE.1, Instant::now());
    let mut flooded = false;
    while let Some(event) = channel.poll().await {
        let message = match event {
            DataChannelEvent::OnOpen => {
                opened.send_replace(true);
                continue;
            }
            DataChannelEvent::OnMessage(message) => message,
            DataChannelEvent::OnClose => return true,
            _ => continue,
        };
        let allowed = limit.allows(Instant::now());
        let message = match std::str::from_utf8(&message.data) {
            // One answer for each flood: more would be a flood of our own.
            _ if !allowed && std::mem::replace(&mut flooded, true) => continue,
            _ if !allowed => Message::TooMany,
            Ok(text) if text.len() <= MAX_MESSAGE_BYTES => Message::Text(text.to_owned()),
            _ => Message::Bad,
        };
        flooded &= !allowed;
        if incoming.send(message).await.is_err() {
            return false;
        }
    }
    false
}
