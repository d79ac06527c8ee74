//! The socket of the stories: requests in, answers and what is seen out, a JSON object a line.
//!
//! | request | what |
//! |---|---|
//! | `{"do":"state"}` | answered with [`State`](crate::car::State) |
//! | `{"do":"refuse","chip":"board","times":3}` | NACK for the next transfers; without `times` for all, 0 ends it |
//! | `{"do":"hang","ms":10}` | the bus is held; a transfer fails after so long. Without `ms` it is free again |
//! | `{"do":"reset","chip":"board"}` | the chip loses its registers, or is plugged in again |
//! | `{"do":"unplug","chip":"board"}` | the chip has neither power nor bus |
//! | `{"do":"enable","wired":"ground"}` | where OE is wired to: `line` (GPIO17), `ground`, or `circuit` (GPIO17, and edges on GPIO22) |
//! | `{"do":"battery","mv":7400}` | what the INA226 measures |
//!
//! Each is answered in order by `{"answer":…}`, `null` where there is nothing to say, or
//! `{"error":…}`. Lines with `event` ([`Seen`]) come between them.

use crate::car::{Car, Chip, Enable, Seen};
use crate::now;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A request is short.
const LONGEST_LINE: u64 = 4096;
/// How late the end of the circuit's hold is noticed, at most; its time is exact.
const TICK: Duration = Duration::from_millis(2);
/// What a story may be late by: a minute at full stick.
const BACKLOG: usize = 20_000;

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
enum Request {
    State,
    Refuse { chip: Chip, times: Option<u32> },
    Hang { ms: Option<u64> },
    Reset { chip: Chip },
    Unplug { chip: Chip },
    Enable { wired: Enable },
    Battery { mv: u16 },
}

/// Serves stories until the socket breaks.
///
/// # Errors
/// If the socket takes no more connections.
pub fn serve(listener: &UnixListener, car: &Arc<Mutex<Car>>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept()?;
        let car = Arc::clone(car);
        // It ends with its connection.
        thread::spawn(move || talk(stream, &car));
    }
}

/// Tells the car what time it is, for ever.
pub fn run_clock(car: &Mutex<Car>) -> ! {
    loop {
        thread::sleep(TICK);
        lock(car).tick(now());
    }
}

fn talk(stream: UnixStream, car: &Arc<Mutex<Car>>) {
    let Ok(out) = stream.try_clone() else { return };
    let out = Arc::new(Mutex::new(out));
    let (sender, seen) = sync_channel::<Seen>(BACKLOG);
    lock(car).listen(sender);
    let events = Arc::clone(&out);
    thread::spawn(move || {
        for seen in seen {
            if say(&events, &json!(seen)).is_err() {
                return;
            }
        }
    });
    let mut lines = BufReader::new(stream);
    loop {
        let mut line = String::new();
        match lines.by_ref().take(LONGEST_LINE).read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let answer = match serde_json::from_str(&line) {
            Ok(request) => json!({ "answer": obey(request, &mut lock(car)) }),
            Err(error) => json!({ "error": format!("{line:?}: {error}") }),
        };
        if say(&out, &answer).is_err() {
            return;
        }
    }
}

fn obey(request: Request, car: &mut Car) -> Value {
    let now = now();
    match request {
        Request::State => return json!(car.state(now)),
        Request::Refuse { chip, times } => car.refuse(chip, times),
        Request::Hang { ms } => car.hang(ms.map(Duration::from_millis)),
        Request::Reset { chip } => car.reset(now, chip),
        Request::Unplug { chip } => car.unplug(now, chip),
        Request::Enable { wired } => car.wire_enable(now, wired),
        Request::Battery { mv } => car.set_battery(mv),
    }
    // When it was done.
    json!(now)
}

fn say(out: &Mutex<UnixStream>, value: &Value) -> io::Result<()> {
    writeln!(out.lock().unwrap_or_else(PoisonError::into_inner), "{value}")
}

pub(crate) fn lock(car: &Mutex<Car>) -> std::sync::MutexGuard<'_, Car> {
    car.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_is_answered_and_hears_what_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control");
        let listener = UnixListener::bind(&path).unwrap();
        let car = Arc::new(Mutex::new(Car::default()));
        let served = Arc::clone(&car);
        thread::spawn(move || serve(&listener, &served));
        let mut story = UnixStream::connect(&path).unwrap();
        let mut lines = BufReader::new(story.try_clone().unwrap()).lines();
        let mut next =
            move || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
        writeln!(story, r#"{{"do":"state"}}"#).unwrap();
        assert_eq!(next()["answer"]["enabled"], false);
        writeln!(story, r#"{{"do":"jump"}}"#).unwrap();
        assert!(next()["error"].as_str().unwrap().contains("jump"));
        lock(&car).write(7, 0x5e, &[42]).unwrap();
        assert_eq!(next(), json!({ "event": "mark", "at": 7, "number": 42 }));
        writeln!(story, r#"{{"do":"refuse","chip":"board"}}"#).unwrap();
        assert!(next()["answer"].is_u64());
        assert!(lock(&car).write(8, 0x40, &[0]).is_err());
    }
}
