//! The data channels `control` and `events`.

use crate::peer::PeerEvent;
use crate::{LinkError, error::stack};
use bytes::BytesMut;
use rccar_protocol::MAX_MESSAGE_BYTES;
use rccar_protocol::control::ControlFrame;
use rccar_protocol::units::MonotonicMicros;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use tokio::sync::{mpsc, watch};
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};
use webrtc::peer_connection::PeerConnection;

/// A control frame and the time of its arrival.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReceivedControl {
    /// The frame.
    pub frame: ControlFrame,
    /// When it arrived, by the car's clock.
    pub at: MonotonicMicros,
}

/// The unordered channel without retransmission.
pub(crate) struct ControlChannel {
    channel: Arc<dyn DataChannel>,
    pub(crate) newest: watch::Receiver<Option<ReceivedControl>>,
    pub(crate) dropped: Arc<AtomicU16>,
}

impl ControlChannel {
    pub(crate) async fn create(connection: &dyn PeerConnection, clock: fn() -> MonotonicMicros) -> Result<Self, LinkError> {
        let init = RTCDataChannelInit { ordered: false, max_retransmits: Some(0), ..Default::default() };
        let channel =
            connection.create_data_channel("control", Some(init)).await.map_err(stack("creating the channel `control`"))?;
        let (sender, newest) = watch::channel(None);
        let dropped = Arc::new(AtomicU16::new(0));
        tokio::spawn(read_control(Arc::clone(&channel), sender, Arc::clone(&dropped), clock));
        Ok(Self { channel, newest, dropped })
    }

    /// Sends without waiting: telemetry that cannot leave now is worthless later.
    pub(crate) async fn try_send(&self, bytes: &[u8]) -> bool {
        self.channel.try_send(BytesMut::from(bytes)).await.is_ok()
    }
}

async fn read_control(
    channel: Arc<dyn DataChannel>,
    sender: watch::Sender<Option<ReceivedControl>>,
    dropped: Arc<AtomicU16>,
    clock: fn() -> MonotonicMicros,
) {
    while let Some(event) = channel.poll().await {
        let DataChannelEvent::OnMessage(message) = event else {
            if matches!(event, DataChannelEvent::OnClose) {
                break;
            }
            continue;
        };
        let at = clock();
        let accepted = match ControlFrame::decode(&message.data) {
            Ok(frame) => sender.send_if_modified(|newest| {
                let newer = newest.is_none_or(|last| frame.is_newer_than(last.frame.seq));
                if newer {
                    *newest = Some(ReceivedControl { frame, at });
                }
                newer
            }),
            Err(error) => {
                tracing::trace!(%error, "control frame refused");
                false
            }
        };
        if !accepted {
            let _ = dropped.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_add(1));
        }
    }
}

/// The reliable channel.
pub(crate) struct EventsChannel {
    outgoing: mpsc::Sender<String>,
}

/// Events that wait for a slow reader; beyond it the session ends.
const EVENT_QUEUE: usize = 64;

impl EventsChannel {
    pub(crate) async fn create(
        connection: &dyn PeerConnection,
        events: mpsc::UnboundedSender<PeerEvent>,
    ) -> Result<Self, LinkError> {
        let channel = connection.create_data_channel("events", None).await.map_err(stack("creating the channel `events`"))?;
        let (outgoing, mut queue) = mpsc::channel::<String>(EVENT_QUEUE);
        let writer = Arc::clone(&channel);
        let (opened, mut open) = watch::channel(false);
        tokio::spawn(async move {
            if open.wait_for(|open| *open).await.is_err() {
                return;
            }
            while let Some(text) = queue.recv().await {
                if let Err(error) = writer.send_text(&text).await {
                    tracing::debug!(%error, "the channel `events` is closed");
                    break;
                }
            }
        });
        tokio::spawn(async move {
            while let Some(event) = channel.poll().await {
                match event {
                    DataChannelEvent::OnOpen => {
                        opened.send_replace(true);
                        let _ = events.send(PeerEvent::EventsOpen);
                    }
                    DataChannelEvent::OnMessage(message) => {
                        let text = (message.data.len() <= MAX_MESSAGE_BYTES).then(|| std::str::from_utf8(&message.data).ok());
                        let event = match text.flatten() {
                            Some(text) => PeerEvent::Message(text.to_owned()),
                            None => PeerEvent::BadMessage,
                        };
                        let _ = events.send(event);
                    }
                    DataChannelEvent::OnClose => break,
                    _ => {}
                }
            }
            let _ = events.send(PeerEvent::EventsClosed);
        });
        Ok(Self { outgoing })
    }

    /// Queues a message; `false` when the reader is too slow or gone.
    pub(crate) fn try_send(&self, text: String) -> bool {
        self.outgoing.try_send(text).is_ok()
    }
}
