//! Writes down what the controllers of all sessions are told and answer, in a thread of its own:
//! no packet waits for a disk.

use rccar_causes::causes;
use rccar_congestion::Limits;
use rccar_congestion::trace::{Entry, Line};
use rccar_protocol::units::MonotonicMicros;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Lines that wait: some 10 s of a session at 2 Mbit/s. Those that find no place are counted.
const QUEUE: usize = 8_192;
/// Verdicts of reports that wait, in all lines together: a report may hold thousands of them.
const MOST_VERDICTS: usize = 65_536;
/// The file ends with this many bytes: an hour of driving at 2 Mbit/s.
const MOST_BYTES: u64 = 64 << 20;
/// What was written reaches the file after this time.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// A trace of all sessions (see [`rccar_congestion::trace`]). The file ends with the last clone.
#[derive(Debug, Clone)]
pub struct Recorder {
    lines: SyncSender<Line>,
    verdicts: Arc<AtomicUsize>,
    missing: Arc<AtomicU64>,
    sessions: Arc<AtomicU32>,
}

impl Recorder {
    /// Appends to this file, one JSON object a line, 64 MiB at most.
    ///
    /// # Errors
    /// The file cannot be opened, or the system has no thread left.
    pub fn start(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let room = MOST_BYTES.saturating_sub(file.metadata()?.len());
        let (lines, queue) = sync_channel(QUEUE);
        let (missing, verdicts) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));
        let counts = (Arc::clone(&missing), Arc::clone(&verdicts));
        std::thread::Builder::new()
            .name("trace".to_owned())
            .spawn(move || write(&queue, &counts.0, &counts.1, file, room))?;
        Ok(Self { lines, verdicts, missing, sessions: Arc::default() })
    }

    /// A session begins.
    pub(super) fn begin(&self, at: MonotonicMicros, limits: Limits) -> Tape {
        let session = self.sessions.fetch_add(1, Ordering::Relaxed) + 1;
        let tape = Tape { recorder: self.clone(), session };
        tape.note(at, || Entry::begin(limits));
        tape
    }
}

/// Where a session's controller writes.
#[derive(Debug)]
pub(super) struct Tape {
    recorder: Recorder,
    session: u32,
}

impl Tape {
    pub(super) fn note(&self, at: MonotonicMicros, entry: impl FnOnce() -> Entry) {
        let Recorder { lines, verdicts, missing, .. } = &self.recorder;
        let line = Line { at: at.0, session: self.session, entry: entry() };
        let size = line.entry.verdicts();
        let waiting = verdicts.fetch_add(size, Ordering::Relaxed);
        if waiting + size > MOST_VERDICTS || lines.try_send(line).is_err() {
            verdicts.fetch_sub(size, Ordering::Relaxed);
            missing.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write(
    lines: &Receiver<Line>,
    missing: &AtomicU64,
    verdicts: &AtomicUsize,
    file: File,
    room: u64,
) {
    match write_all(lines, missing, verdicts, file, room) {
        Ok(()) => {}
        // The queue closes, and no session notes anything any more.
        Err(error) => tracing::warn!(error = %causes(&error), "the trace of the picture ends here"),
    }
}

fn write_all(
    lines: &Receiver<Line>,
    missing: &AtomicU64,
    verdicts: &AtomicUsize,
    file: File,
    mut room: u64,
) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    let mut flushed = Instant::now();
    loop {
        match lines.recv_timeout(FLUSH_EVERY) {
            Ok(line) => {
                let lost = missing.swap(0, Ordering::Relaxed);
                verdicts.fetch_sub(line.entry.verdicts(), Ordering::Relaxed);
                let (at, session) = (line.at, line.session);
                let gap = || Line { at, session, entry: Entry::Missing { lines: lost } };
                for line in (lost > 0).then(gap).into_iter().chain([line]) {
                    let mut text = serde_json::to_vec(&line)?;
                    text.push(b'\n');
                    room = room.checked_sub(text.len() as u64).ok_or_else(full)?;
                    file.write_all(&text)?;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return file.flush(),
        }
        if flushed.elapsed() >= FLUSH_EVERY {
            file.flush()?;
            flushed = Instant::now();
        }
    }
}

fn full() -> io::Error {
    io::Error::other("its file has reached 64 MiB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_congestion::Packet;

    const LIMITS: Limits =
        Limits { least_bps: 150_000, start_bps: 500_000, most_bps: 2_000_000, fps: 30 };

    fn recorder(lines: SyncSender<Line>) -> Recorder {
        let (verdicts, missing, sessions) = Default::default();
        Recorder { lines, verdicts, missing, sessions }
    }

    fn written(path: &Path) -> Vec<Line> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Writes as the thread does, until the queue is closed.
    fn run(path: &Path, lines: &Receiver<Line>, missing: u64, room: u64) -> io::Result<()> {
        let file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        let verdicts = AtomicUsize::new(usize::MAX / 2);
        write_all(lines, &AtomicU64::new(missing), &verdicts, file, room)
    }

    #[test]
    fn a_file_holds_the_sessions_in_their_order_and_goes_on_where_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.jsonl");
        let (lines, queue) = sync_channel(100);
        let recorder = recorder(lines);
        for at in [5, 6] {
            let tape = recorder.begin(MonotonicMicros(at), LIMITS);
            tape.note(MonotonicMicros(at + 1), || {
                Entry::sent(0, Packet { bytes: 1_200, frame: Some(90_000) })
            });
        }
        drop(recorder);
        run(&path, &queue, 0, 1_000_000).unwrap();
        let all = written(&path);
        assert_eq!(
            all.iter().map(|line| (line.at, line.session)).collect::<Vec<_>>(),
            [(5, 1), (6, 1), (6, 2), (7, 2)]
        );
        assert_eq!(all[2].entry, Entry::begin(LIMITS));
        // After a start of the program the file goes on.
        let (lines, queue) = sync_channel(1);
        lines.send(Line { at: 9, session: 1, entry: Entry::NewPath {} }).unwrap();
        drop(lines);
        run(&path, &queue, 0, 1_000_000).unwrap();
        assert_eq!(written(&path).len(), 5);
    }

    #[test]
    fn lines_that_found_no_place_are_counted_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.jsonl");
        let (lines, queue) = sync_channel(1);
        let recorder = recorder(lines);
        let tape = recorder.begin(MonotonicMicros(1), LIMITS);
        tape.note(MonotonicMicros(2), || Entry::NewPath {});
        tape.note(MonotonicMicros(3), || Entry::NewPath {});
        let missing = recorder.missing.load(Ordering::Relaxed);
        drop((tape, recorder));
        run(&path, &queue, missing, 1_000_000).unwrap();
        assert_eq!(written(&path)[0].entry, Entry::Missing { lines: 2 });
    }

    #[test]
    fn reports_that_wait_hold_no_more_than_so_many_verdicts() {
        let (lines, queue) = sync_channel(QUEUE);
        let recorder = recorder(lines);
        let tape = recorder.begin(MonotonicMicros(1), LIMITS);
        for at in 0..100 {
            tape.note(MonotonicMicros(at), || Entry::Report { verdicts: vec![(1, None); 4_096] });
        }
        assert_eq!(recorder.missing.load(Ordering::Relaxed), 84);
        drop((tape, recorder));
        let held: usize = queue.iter().map(|line| line.entry.verdicts()).sum();
        assert_eq!(held, MOST_VERDICTS);
    }

    #[test]
    fn a_file_that_is_full_ends_with_a_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.jsonl");
        let (lines, queue) = sync_channel(100);
        (0..50)
            .for_each(|at| lines.send(Line { at, session: 1, entry: Entry::NewPath {} }).unwrap());
        drop(lines);
        let error = run(&path, &queue, 0, 1_000).unwrap_err().to_string();
        assert!(error.contains("64 MiB"), "{error}");
        let all = written(&path);
        assert!((20..50).contains(&all.len()), "{}", all.len());
        assert!(std::fs::metadata(&path).unwrap().len() <= 1_000);
    }
}
