//! The flight recorder: a thread that writes to the journal, to the trace file and to systemd, so
//! that the loop never waits for them.
//!
//! The loop hands records over without waiting. A record that does not fit into the queue is lost
//! and counted. Only a [`Record::Alive`] of the loop itself feeds systemd's watchdog.

use rccar_causes::causes;
use rccar_daemon::notify;
use rccar_drive_core::{Event, Output};
use rccar_protocol::state::{BatteryLevel, DriveState};
use rccar_protocol::units::MonotonicMicros;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// Most records that wait: every change of the outputs for over a second, at 200 Hz.
const QUEUE: usize = 256;

/// A report of the loop.
#[derive(Debug)]
pub enum Record {
    /// A line of the trace.
    Line(Line),
    /// The actuators did not obey, and why.
    Fault(String),
    /// Datagrams that are not set-points came.
    Malformed {
        /// Number of them so far.
        count: u64,
        /// What is wrong with the last.
        error: String,
    },
    /// The guard does not do its work, and why.
    Guard(String),
    /// A GPIO line beside servo and motor does not obey, and why.
    Gpio(String),
    /// The loop turns.
    Alive,
}

/// One line of the trace.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// In µs of `CLOCK_MONOTONIC`.
    pub at: MonotonicMicros,
    /// State of the core after the event.
    pub state: DriveState,
    /// Moment of the last fresh input, from which the deadlines count.
    pub input: Option<MonotonicMicros>,
    #[serde(flatten)]
    pub what: What,
}

/// The part of a line that says what happened.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum What {
    /// A decision of the core.
    Event(Event),
    /// Servo and motor get a new output.
    Output { output: Output },
    /// The battery has another level.
    Battery {
        battery: BatteryLevel,
        /// Voltage of the battery; `None` if it is not known.
        millivolts: Option<u16>,
    },
    /// The wheel's sensor has another speed.
    Wheel {
        /// `None`: the sensor cannot be read, or its line is noisy.
        wheel_mm_s: Option<i16>,
    },
}

/// The loop's end of the queue. Dropping it waits until everything is written.
#[derive(Debug)]
pub struct Recorder {
    queue: Option<SyncSender<Record>>,
    thread: Option<JoinHandle<()>>,
    lost: u64,
}

impl Recorder {
    /// Starts the thread, which appends to the file `trace`.
    pub fn start(trace: Option<&Path>) -> io::Result<Self> {
        let file = trace
            .map(|path| OpenOptions::new().create(true).append(true).open(path))
            .transpose()?;
        let (queue, records) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || write_all(&records, file))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), lost: 0 })
    }

    /// Hands a record over, or loses it.
    pub fn record(&mut self, record: Record) {
        let Some(queue) = &self.queue else { return };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = queue.try_send(record) {
            self.lost += 1;
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // First, because the thread ends when the queue is closed and empty.
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed already.
            let _ = thread.join();
        }
        if self.lost > 0 {
            tracing::warn!(records = self.lost, "the recorder was too slow; records are missing");
        }
    }
}

fn write_all(records: &Receiver<Record>, mut trace: Option<File>) {
    for record in records {
        match record {
            Record::Line(line) => {
                log(&line);
                if let Some(error) = trace.as_mut().and_then(|file| append(file, &line).err()) {
                    tracing::warn!(error = %causes(&error), "cannot write the trace; it ends here");
                    trace = None;
                }
            }
            Record::Fault(error) => tracing::error!(error, "the actuators do not obey"),
            Record::Malformed { count, error } => {
                tracing::warn!(count, error, "a datagram cannot be read")
            }
            Record::Guard(error) => tracing::warn!(error, "the guard"),
            Record::Gpio(error) => tracing::warn!(error, "a line does not work"),
            Record::Alive => notify::watchdog(),
        }
    }
}

/// Appends a line in one write, so that a power cut leaves the whole line or none.
fn append(file: &mut File, line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)
}

fn log(line: &Line) {
    match &line.what {
        What::Event(event) => log_event(event),
        What::Output { .. } => {}
        What::Battery { battery, millivolts } => log_battery(*battery, *millivolts),
        What::Wheel { wheel_mm_s } => tracing::trace!(wheel_mm_s, "wheel"),
    }
}

fn log_battery(level: BatteryLevel, millivolts: Option<u16>) {
    match level {
        BatteryLevel::Good => tracing::info!(millivolts, "the battery is good"),
        BatteryLevel::Low => tracing::warn!(millivolts, "the battery is low"),
        BatteryLevel::Limited => {
            tracing::warn!(millivolts, "the battery is nearly empty: the speed is limited")
        }
        BatteryLevel::Empty => tracing::warn!(millivolts, "the battery is empty: the car stops"),
        BatteryLevel::Unknown | BatteryLevel::Other(_) => {
            tracing::warn!("the battery's voltage is unknown: no level of it counts")
        }
    }
}

fn log_event(event: &Event) {
    match event {
        Event::Armed => tracing::info!("armed: the wheels follow the driver"),
        Event::Disarmed { reason } => tracing::info!(?reason, "disarmed"),
        Event::Tripped { reason } => {
            tracing::warn!(?reason, "tripped: no fresh input, the car stands")
        }
        Event::SessionChanged { to: 0, .. } => tracing::info!("nobody drives"),
        Event::SessionChanged { to, .. } => {
            tracing::info!(session = format!("{to:016x}"), "a driver is here")
        }
        event => tracing::debug!(?event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_drive_core::Motor;
    use rccar_protocol::state::StopReason;
    use rccar_protocol::units::{Steering, Throttle};

    #[test]
    fn a_trace_is_one_json_object_a_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = |what| Line {
            at: MonotonicMicros(7),
            state: DriveState::Tripped,
            input: Some(MonotonicMicros(5)),
            what,
        };
        let mut recorder = Recorder::start(Some(file.path())).unwrap();
        recorder
            .record(Record::Line(line(What::Event(Event::Tripped { reason: StopReason::Silent }))));
        let motor = Motor::Drive(Throttle::from_permyriad(-30).unwrap());
        recorder.record(Record::Line(line(What::Output {
            output: Output { steering: Steering::MAX, motor },
        })));
        let battery = BatteryLevel::Limited;
        recorder.record(Record::Line(line(What::Battery { battery, millivolts: Some(6_900) })));
        drop(recorder);
        assert_eq!(
            std::fs::read_to_string(file.path()).unwrap(),
            concat!(
                r#"{"at":7,"state":"tripped","input":5,"event":"tripped","reason":"silent"}"#,
                "\n",
                r#"{"at":7,"state":"tripped","input":5,"#,
                r#""output":{"steering":10000,"motor":{"drive":-30}}}"#,
                "\n",
                r#"{"at":7,"state":"tripped","input":5,"battery":"limited","millivolts":6900}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_stuck_recorder_never_stops_the_loop() {
        let (queue, records) = sync_channel(1);
        let mut recorder = Recorder { queue: Some(queue), thread: None, lost: 0 };
        for _ in 0..10 {
            recorder.record(Record::Alive);
        }
        assert_eq!((recorder.lost, records.try_iter().count()), (9, 1));
    }
}
