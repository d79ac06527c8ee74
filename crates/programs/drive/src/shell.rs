//! The loop around the [`Machine`]: it serves deadlines, actuators, listeners and the socket.

mod calibrating;
#[cfg(test)]
mod tests;

use crate::actuator::{Actuator, Hardware};
use crate::calibration::Calibrator;
use crate::guard::{self, Guard};
use crate::heartbeat::Heartbeat;
use crate::recorder::{Line, Record, Recorder, What};
use crate::reporter::Reporter;
use crate::sensor::Sensor;
use crate::socket::{Buffer, DriveSocket};
use crate::switches::Switches;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signalfd::SignalFd;
use nix::sys::time::TimeSpec;
use rccar_causes::causes;
use rccar_daemon::{clock, notify};
use rccar_drive_core::timing::TICK;
use rccar_drive_core::{Battery, Machine, Motor, Output};
use rccar_protocol::Layout;
use rccar_protocol::calibration::is_message;
use rccar_protocol::drive_hello::DriveHello;
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::status::DriveStatus;
use rccar_protocol::units::{MonotonicMicros, Odometry, Throttle};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::SocketAddr;
use std::time::Duration;

/// Longest sleep, so that the watchdog is fed and the actuators are refreshed.
const IDLE: Duration = Duration::from_millis(50);
/// Most datagrams that one turn takes, so that the actuators are served between them. The kernel
/// queues 10 or 512 (`net.unix.max_dgram_qlen`).
const BURST: usize = 64;
/// How often systemd hears that the loop turns. Its watchdog waits for seconds.
const ALIVE: Duration = Duration::from_millis(250);

/// Time between two records of the wheel's speed.
const WHEEL_RECORDS: Duration = Duration::from_millis(500);

/// Core, actuators, sensors and socket. However it is dropped, it leaves the actuators at
/// neutral.
pub struct Shell {
    machine: Machine,
    /// `None`: the battery is not watched.
    battery: Option<Battery>,
    actuator: Box<dyn Actuator>,
    calibrator: Calibrator,
    sensors: Vec<Box<dyn Sensor>>,
    socket: DriveSocket,
    recorder: Recorder,
    reporter: Reporter,
    neutral: Output,
    /// The last output of servo and motor.
    applied: Option<Output>,
    /// Speed of the wheel that was recorded last, and when.
    wheel: Option<i16>,
    wheel_at: MonotonicMicros,
    /// The motor was driven backward last.
    backward: bool,
    /// The actuators did not obey at the last try.
    faulty: bool,
    /// Number of datagrams that were refused.
    malformed: u64,
    alive_at: MonotonicMicros,
    guard: Option<Guard>,
    heartbeat: Option<Heartbeat>,
    switches: Option<Switches>,
    /// When the loop turned last, if the car moved then.
    moved_at: Option<MonotonicMicros>,
}

impl Shell {
    /// Puts the parts together and the actuators at neutral.
    #[must_use]
    pub fn new(
        machine: Machine,
        battery: Option<Battery>,
        hardware: Hardware,
        calibrator: Calibrator,
        socket: DriveSocket,
        recorder: Recorder,
    ) -> Self {
        let Hardware { actuator, sensors } = hardware;
        let mut shell = Self {
            neutral: machine.output(),
            machine,
            battery,
            actuator,
            calibrator,
            sensors,
            socket,
            recorder,
            reporter: Reporter::default(),
            applied: None,
            wheel: None,
            wheel_at: MonotonicMicros::default(),
            backward: false,
            faulty: false,
            malformed: 0,
            alive_at: MonotonicMicros::default(),
            guard: None,
            heartbeat: None,
            switches: None,
            moved_at: None,
        };
        shell.actuate(clock::now());
        shell
    }

    /// With a process beside it that stops the car if this loop hangs.
    #[must_use]
    pub fn guarded_by(mut self, guard: Guard) -> Self {
        self.guard = Some(guard);
        self
    }

    /// With a line that shows a circuit that this loop turns.
    #[must_use]
    pub fn with_heartbeat(mut self, heartbeat: Option<Heartbeat>) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    #[must_use]
    pub fn with_switches(mut self, switches: Switches) -> Self {
        self.switches = Some(switches);
        self
    }

    /// Runs until one of `signals` comes; then brakes, and returns when the car rests. Each turn
    /// begins with what must not wait.
    pub fn run(&mut self, signals: &SignalFd) -> io::Result<()> {
        let mut stopping = false;
        loop {
            // 1. Deadlines, and the output that follows from the input of the last turn.
            let now = clock::now();
            self.machine.handle_timeout(now);
            self.watch_battery(now);
            self.watch_calibration(now);
            self.watch_wheel(now);
            self.give_a_sign(now);
            self.actuate(now);
            self.serve_lines(now);
            if stopping && self.machine.is_at_rest() {
                self.give_a_sign(now);
                return Ok(());
            }
            // 2. The listener and the watchdog.
            self.report(now);
            self.prove_alive(now);
            // 3. Sleep, then signals and datagrams.
            self.sleep(now, signals)?;
            if signals.read_signal()?.is_some() {
                notify::stopping();
                self.machine.handle_shutdown(clock::now());
                stopping = true;
            }
            self.receive(clock::now())?;
        }
    }

    /// Puts the core's output on servo and motor, and records what has changed.
    fn actuate(&mut self, now: MonotonicMicros) {
        let wanted = self.machine.output();
        let obeyed = self.actuator.apply(now, wanted).and_then(|()| self.check_calibration());
        match obeyed {
            Ok(()) => self.faulty = false,
            Err(error) => {
                self.machine.handle_fault(now);
                // Neutral may get through although the other output did not. Every turn tries.
                let _ = self.actuator.apply(now, self.machine.output());
                if !std::mem::replace(&mut self.faulty, true) {
                    self.recorder.record(Record::Fault(error.to_string()));
                }
            }
        }
        while let Some(event) = self.machine.poll_event() {
            self.record(now, What::Event(event));
        }
        let output = self.machine.output();
        if let Motor::Drive(throttle) = output.motor
            && throttle != Throttle::NEUTRAL
        {
            self.backward = throttle < Throttle::NEUTRAL;
        }
        if self.applied.replace(output) != Some(output) {
            self.record(now, What::Output { output });
        }
    }

    /// Judges the battery by the newest voltage, which is there already.
    fn watch_battery(&mut self, now: MonotonicMicros) {
        let millivolts = self.battery_mv();
        let Some(battery) = &mut self.battery else { return };
        if battery.handle_reading(now, millivolts) {
            let level = battery.level();
            self.machine.handle_battery(now, battery.allowance());
            self.record(now, What::Battery { battery: level, millivolts });
        }
    }

    /// Records the speed of the wheel when it has changed, but not each of its changes.
    fn watch_wheel(&mut self, now: MonotonicMicros) {
        let speed = self.speed_mm_s();
        if speed == self.wheel || now.since(self.wheel_at) < WHEEL_RECORDS {
            return;
        }
        (self.wheel, self.wheel_at) = (speed, now);
        self.record(now, What::Wheel { wheel_mm_s: speed });
    }

    fn receive(&mut self, now: MonotonicMicros) -> io::Result<()> {
        let mut buffer = Buffer::default();
        for _ in 0..BURST {
            let Some((datagram, sender)) = self.socket.receive(&mut buffer)? else { break };
            if datagram.is_empty() {
                // A question for the status, in the layout that every version reads.
                self.tell(now, &sender, Layout::V1);
            } else if let ([_], Some(layout)) = (datagram, Layout::of(datagram)) {
                self.tell(now, &sender, layout);
            } else if DriveHello::is_one(datagram) {
                match DriveHello::decode(datagram) {
                    // The versions in its hello do not matter: its set-points show the layout.
                    Ok(_) => drop(self.socket.send(&DriveHello::ours().encode(), &sender)),
                    Err(error) => self.refuse(error.to_string()),
                }
            } else if is_message(datagram) {
                self.handle_message(now, datagram, &sender);
            } else {
                match SetPoint::decode(datagram) {
                    Ok(set_point) => {
                        let layout = Layout::of(datagram).unwrap_or_default();
                        self.handle_set_point(now, &set_point, sender, layout);
                    }
                    Err(error) => self.refuse(error.to_string()),
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, error: String) {
        self.malformed = self.malformed.saturating_add(1);
        // One line for each doubling, so that a flood does not fill the journal.
        if self.malformed.is_power_of_two() {
            self.recorder.record(Record::Malformed { count: self.malformed, error });
        }
    }

    fn report(&mut self, now: MonotonicMicros) {
        let what = (self.machine.state(), self.machine.reason());
        if let Some((listener, layout)) = self.reporter.due(now, what, self.is_moving())
            && !self.tell(now, &listener, layout)
        {
            self.reporter.forget();
        }
    }

    fn tell(&mut self, now: MonotonicMicros, listener: &SocketAddr, layout: Layout) -> bool {
        let status = self.status(now);
        self.socket.send(&status.encode(layout), listener)
    }

    fn status(&mut self, now: MonotonicMicros) -> DriveStatus {
        let seq = self.reporter.next_seq();
        let output = self.machine.output();
        DriveStatus {
            state: self.machine.state(),
            reason: self.machine.reason(),
            seq,
            at: now,
            session: self.machine.session(),
            steering: output.steering,
            throttle: if let Motor::Drive(throttle) = output.motor {
                throttle
            } else {
                Throttle::NEUTRAL
            },
            braking: output.motor == Motor::Brake,
            battery_mv: self.battery_mv(),
            battery_level: self.battery.as_ref().map(Battery::level),
            switches: self.switches.as_ref().and_then(Switches::report),
            speed_limit: self.machine.speed_limit(),
            odometry: self.odometry(),
            speed_mm_s: self.speed_mm_s(),
        }
    }

    /// Tells the guard that the loop turns; trips if it stood still for so long that the guard has
    /// acted. Fresh input may be there again, but servo and motor are no longer where they were.
    fn give_a_sign(&mut self, now: MonotonicMicros) {
        if self.guard.is_none() {
            return;
        }
        let pause = self.moved_at.map(|at| now.since(at)).filter(|pause| *pause >= guard::ACTS_BY);
        if let Some(pause) = pause {
            self.machine.handle_fault(now);
            self.actuator.handle_interruption(now);
            let why = format!("the loop stood still for {} ms", pause.as_millis());
            self.recorder.record(Record::Fault(why));
        }
        let moves = self.is_moving();
        self.moved_at = moves.then_some(now);
        if let Some(guard) = &mut self.guard
            && let Err(error) = guard.beat(now, moves)
        {
            self.recorder.record(Record::Guard(causes(&error).to_string()));
        }
    }

    fn serve_lines(&mut self, now: MonotonicMicros) {
        let beaten = self.heartbeat.as_mut().and_then(|heartbeat| heartbeat.beat(now));
        let wanted = [self.machine.lights(), self.machine.horn()];
        let rests = self.machine.is_at_rest();
        let switched =
            self.switches.as_mut().and_then(|switches| switches.apply(now, wanted, rests));
        for fault in beaten.into_iter().chain(switched) {
            self.recorder.record(Record::Gpio(fault));
        }
    }

    fn prove_alive(&mut self, now: MonotonicMicros) {
        if now >= self.alive_at {
            self.alive_at = now.plus(ALIVE);
            self.recorder.record(Record::Alive);
        }
    }

    fn sleep(&self, now: MonotonicMicros, signals: &SignalFd) -> io::Result<()> {
        let tick = self.is_moving().then(|| now.plus(TICK));
        let beat = self.heartbeat.as_ref().map(Heartbeat::poll_timeout);
        let wake = [self.machine.poll_timeout(), tick, beat, self.reporter.next()]
            .into_iter()
            .flatten()
            .fold(now.plus(IDLE), Ord::min);
        let mut ready =
            [self.socket.as_fd(), signals.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        match ppoll(&mut ready, Some(TimeSpec::from(wake.since(clock::now()))), None) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the car moves, may move, or is being stopped.
    fn is_moving(&self) -> bool {
        !self.machine.is_at_rest()
            || self.odometry().is_some_and(|odometry| odometry.speed_mm_s != 0)
    }

    fn odometry(&self) -> Option<Odometry> {
        self.sensors.iter().find_map(|sensor| sensor.odometry())
    }

    /// The sensor does not know the direction: it is the one in which the motor was driven last.
    fn speed_mm_s(&self) -> Option<i16> {
        let speed = self.sensors.iter().find_map(|sensor| sensor.speed_mm_s())?;
        let speed = i16::try_from(speed).unwrap_or(i16::MAX);
        Some(if self.backward { -speed } else { speed })
    }

    fn battery_mv(&self) -> Option<u16> {
        self.sensors.iter().find_map(|sensor| sensor.battery_mv())
    }

    fn record(&mut self, at: MonotonicMicros, what: What) {
        let line = Line { at, state: self.machine.state(), input: self.machine.last_input(), what };
        self.recorder.record(Record::Line(line));
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // Also after an error or a panic. If this fails too, the service manager runs
        // `rccar-drive neutral`.
        let _ = self.actuator.apply(clock::now(), self.neutral);
        self.actuator.end();
    }
}
