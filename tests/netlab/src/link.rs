//! A link between two TUN devices, with a thread that delays, queues and loses packets.
//!
//! The kernel's own emulator (netem) is a module that many machines do not have. This one needs
//! only TUN.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::SigSet;
use nix::sys::time::TimeSpec;
use rccar_link_emulator::{Counters, Dice, Direction, Profile};
use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

/// Above every ordinary process: an emulator that waits for the processor adds a delay of its own.
const PRIORITY: u8 = 10;
/// Larger than the devices' MTU.
const BUFFER: usize = 2048;

/// The link. Dropping it removes both devices and prints the counters.
pub struct Link {
    name: String,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    start: Instant,
    state: Mutex<State>,
    wake: EventFd,
}

struct State {
    /// First up, then down.
    directions: [Direction<Vec<u8>>; 2],
    stop: bool,
}

impl Link {
    /// Makes two devices with these names in the present network namespace. Each can be moved to
    /// another namespace. The first is the near end: packets that enter there go up.
    pub fn start(name: &str, devices: [&str; 2], profile: Profile, seed: u64) -> io::Result<Self> {
        let tun = |name: &str| -> io::Result<SyncDevice> {
            let device = DeviceBuilder::new()
                .name(name)
                .layer(Layer::L3)
                .mtu(1500)
                .enable(false)
                .build_sync()?;
            device.set_nonblocking(true)?;
            Ok(device)
        };
        let devices = [tun(devices[0])?, tun(devices[1])?];
        let mut dice = Dice::new(seed);
        let Profile { up, down } = profile;
        let directions =
            [up, down].map(|path| Direction::new(path, Duration::ZERO, Dice::new(dice.bits())));
        let wake = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
        let shared = Arc::new(Shared {
            start: Instant::now(),
            state: Mutex::new(State { directions, stop: false }),
            wake,
        });
        let thread = {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("link {name}"))
                .spawn(move || shared.run(&devices))?
        };
        Ok(Self { name: name.to_owned(), shared, thread: Some(thread) })
    }

    /// Sets another profile. Its steps and traces begin now.
    pub fn set(&self, profile: Profile) {
        let Profile { up, down } = profile;
        self.change(|now, directions| {
            directions[0].set_path(now, up);
            directions[1].set_path(now, down);
        });
    }

    /// Cuts the link, so that nothing passes while both interfaces stay up; or mends it.
    pub fn cut(&self, cut: bool) {
        self.change(|now, directions| {
            directions.iter_mut().for_each(|direction| direction.set_cut(now, cut))
        });
    }

    /// Counters so far, first up, then down.
    #[must_use]
    pub fn counters(&self) -> [Counters; 2] {
        let state = self.shared.lock();
        [state.directions[0].counters().clone(), state.directions[1].counters().clone()]
    }

    fn change(&self, change: impl FnOnce(Duration, &mut [Direction<Vec<u8>>; 2])) {
        let mut state = self.shared.lock();
        change(self.shared.start.elapsed(), &mut state.directions);
        drop(state);
        self.wake();
    }

    fn wake(&self) {
        // This fails only when the counter is at its limit, and then the thread wakes anyway.
        let _ = self.shared.wake.write(1);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.wake();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            // What a test has seen behind it means nothing.
            assert!(std::thread::panicking(), "link {}: the emulator has crashed", self.name);
        }
        let [up, down] = self.counters();
        eprintln!("link {} up:   {up}\nlink {} down: {down}", self.name, self.name);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, devices: &[SyncDevice; 2]) {
        take_precedence();
        let mut buffer = vec![0; BUFFER];
        loop {
            let next = {
                let mut state = self.lock();
                if state.stop {
                    return;
                }
                let now = self.start.elapsed();
                for (direction, out) in [(0, 1), (1, 0)] {
                    deliver(&mut state.directions[direction], now, &devices[out]);
                }
                state.directions.iter().filter_map(Direction::poll_timeout).min()
            };
            self.wait(devices, next);
            let mut state = self.lock();
            for (direction, device) in devices.iter().enumerate() {
                while let Ok(length) = device.recv(&mut buffer) {
                    state.directions[direction]
                        .handle_input(self.start.elapsed(), buffer[..length].to_vec());
                }
            }
        }
    }

    fn wait(&self, devices: &[SyncDevice; 2], until: Option<Duration>) {
        let timeout =
            until.map(|until| TimeSpec::from_duration(until.saturating_sub(self.start.elapsed())));
        let [near, far] =
            [&devices[0], &devices[1]].map(|device| PollFd::new(device.as_fd(), PollFlags::POLLIN));
        let mut descriptors = [near, far, PollFd::new(self.wake.as_fd(), PollFlags::POLLIN)];
        match ppoll(&mut descriptors, timeout, Some(SigSet::empty())) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => eprintln!("the emulator cannot wait: {error}"),
        }
        // Resets the counter. An error only means that nobody woke the thread.
        let _ = self.wake.read();
    }
}

fn deliver(direction: &mut Direction<Vec<u8>>, now: Duration, device: &SyncDevice) {
    direction.handle_timeout(now);
    while let Some(packet) = direction.poll_output(now) {
        if device.send(&packet).is_err() {
            // The interface is down, as after an unplugged cable.
            direction.note_refused();
        }
    }
}

fn take_precedence() {
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let outcome =
        ThreadPriority::try_from(PRIORITY).map_err(ToString::to_string).and_then(|priority| {
            set_thread_priority_and_policy(thread_native_id(), priority, policy)
                .map_err(|error| error.to_string())
        });
    if let Err(error) = outcome {
        eprintln!(
            "no real-time priority for the link emulator, its delays are less exact: {error}"
        );
    }
}
