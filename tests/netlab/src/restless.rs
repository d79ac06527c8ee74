//! A camera whose picture is never at rest: raw frames for the car's pipe.

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use rccar_link_emulator::Dice;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Side of a patch of one brightness, in pixels.
const PATCH: usize = 8;
/// One of so many patches changes with each frame. No encoder can predict them.
const CHANGES: usize = 6;

/// Makes the pipe and starts a thread that writes frames until nobody reads any more.
pub(crate) fn start(pipe: &Path, size: (usize, usize), fps: u8) -> io::Result<()> {
    mkfifo(pipe, Mode::S_IRUSR | Mode::S_IWUSR)?;
    let (pipe, interval) = (pipe.to_owned(), Duration::from_secs(1) / u32::from(fps.max(1)));
    thread::Builder::new().name("camera".to_owned()).spawn(move || {
        // Waits until the car opens the pipe. An error means that the car has ended.
        let Ok(mut pipe) = OpenOptions::new().write(true).open(pipe) else { return };
        let mut scene = Scene::new(size);
        let mut next = Instant::now();
        while pipe.write_all(&scene.next_frame()).is_ok() {
            // After a long delay the missed frames are not made up for.
            next = (next + interval).max(Instant::now().checked_sub(interval).unwrap_or(next));
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    })?;
    Ok(())
}

/// Patches of random brightness, of which some change with each frame.
struct Scene {
    size: (usize, usize),
    patches: Vec<u8>,
    dice: Dice,
}

impl Scene {
    fn new(size: (usize, usize)) -> Self {
        let patches = (size.0 / PATCH) * (size.1 / PATCH);
        Self { size, patches: vec![128; patches], dice: Dice::new(1) }
    }

    /// The next frame in I420: brightness of each pixel, then no colour.
    fn next_frame(&mut self) -> Vec<u8> {
        for _ in 0..self.patches.len() / CHANGES {
            let bits = self.dice.bits();
            let patch = usize::try_from((bits >> 8) % self.patches.len() as u64).unwrap_or(0);
            self.patches[patch] = 40 + bits.to_le_bytes()[0] / 2;
        }
        let (width, height) = self.size;
        let mut frame = Vec::with_capacity(width * height * 3 / 2);
        for row in self.patches.chunks(width / PATCH) {
            let line: Vec<u8> = row.iter().flat_map(|&patch| [patch; PATCH]).collect();
            (0..PATCH).for_each(|_| frame.extend_from_slice(&line));
        }
        frame.resize(width * height * 3 / 2, 128);
        frame
    }
}
