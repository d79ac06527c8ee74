//! The loop with an actuator that remembers and sensors that a test sets.

use super::*;
use crate::actuator::ActuatorError;
use crate::config::Config;
use rccar_drive_core::{BatterySettings, Settings};
use rccar_protocol::state::{BatteryLevel, DriveState, StopReason};
use rccar_protocol::units::{Switch as Reported, Switches as Report};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Remembers its outputs; while `broken`, refuses all but neutral.
#[derive(Default)]
struct Fake {
    applied: Vec<Motor>,
    broken: bool,
}

impl Actuator for Rc<RefCell<Fake>> {
    fn apply(&mut self, _: MonotonicMicros, output: Output) -> Result<(), ActuatorError> {
        self.borrow_mut().applied.push(output.motor);
        if self.borrow().broken && output.motor != Motor::Neutral {
            return Err(ActuatorError {
                what: "cannot write to the servo",
                why: io::ErrorKind::NotConnected.into(),
            });
        }
        Ok(())
    }
}

/// Measures what a test says.
type Voltmeter = Rc<Cell<Option<u16>>>;

impl Sensor for Voltmeter {
    fn battery_mv(&self) -> Option<u16> {
        self.get()
    }
}

struct Speedometer;

impl Sensor for Speedometer {
    fn odometry(&self) -> Option<Odometry> {
        Some(Odometry { speed_mm_s: 1_500, ..Odometry::default() })
    }

    fn speed_mm_s(&self) -> Option<u16> {
        Some(1_400)
    }
}

fn armed() -> (Shell, Rc<RefCell<Fake>>, Voltmeter, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let socket = DriveSocket::bind(&directory.path().join("drive.sock")).unwrap();
    let fake = Rc::<RefCell<Fake>>::default();
    let volts: Voltmeter = Rc::new(Cell::new(Some(7_400)));
    let machine = Machine::new(Settings::default()).unwrap();
    let battery = Battery::new(BatterySettings::default()).unwrap();
    let hardware = Hardware {
        actuator: Box::new(fake.clone()),
        sensors: vec![Box::new(volts.clone()), Box::new(Speedometer)],
    };
    let calibrator = Calibrator::start(&Config {
        calibration: directory.path().join("calibration.toml"),
        ..Config::default()
    });
    let mut shell = Shell::new(
        machine,
        Some(battery),
        hardware,
        calibrator.unwrap(),
        socket,
        Recorder::start(None).unwrap(),
    );
    for seq in 0..20 {
        let now = MonotonicMicros(1_000_000 + u64::from(seq) * 20_000);
        let set_point =
            SetPoint { session: 1, seq, sampled_at: now, arm: seq > 0, ..SetPoint::default() };
        shell.machine.handle_input(now, &set_point);
        shell.actuate(now);
    }
    assert_eq!(shell.machine.state(), DriveState::Armed);
    (shell, fake, volts, directory)
}

#[test]
fn an_actuator_fault_trips_the_drive_and_neutral_is_tried() {
    let (mut shell, fake, _, _directory) = armed();
    fake.borrow_mut().broken = true;
    shell.actuate(MonotonicMicros(1_400_000));
    assert_eq!(
        (shell.machine.state(), shell.machine.reason()),
        (DriveState::Tripped, StopReason::ActuatorFault)
    );
    assert_eq!(fake.borrow().applied.last(), Some(&Motor::Neutral));
}

#[test]
fn the_status_has_what_each_sensor_knows() {
    let (mut shell, _, _, directory) = armed();
    let path = directory.path().join("car.sock");
    let car = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    shell.watch_battery(MonotonicMicros(1_400_000));
    assert!(shell.tell(
        MonotonicMicros(1_400_000),
        &SocketAddr::from_pathname(&path).unwrap(),
        Layout::V2
    ));
    let mut buffer = [0; 256];
    let length = car.recv(&mut buffer).unwrap();
    let status = DriveStatus::decode(&buffer[..length]).unwrap();
    assert_eq!(
        (status.battery_mv, status.odometry.map(|odometry| odometry.speed_mm_s)),
        (Some(7_400), Some(1_500))
    );
    assert_eq!(status.battery_level, Some(BatteryLevel::Good));
    assert_eq!(status.speed_mm_s, Some(1_400));
    // It rolls on after the motor was driven backward.
    shell.backward = true;
    assert_eq!(shell.speed_mm_s(), Some(-1_400));
}

#[test]
fn an_empty_battery_stops_the_car_after_its_time_and_a_lost_sensor_does_not() {
    for (reading, level, motor) in [
        (Some(6_400), BatteryLevel::Empty, Motor::Brake),
        (None, BatteryLevel::Unknown, Motor::Drive(Throttle::NEUTRAL)),
    ] {
        let (mut shell, _, volts, _directory) = armed();
        let mut now = MonotonicMicros(1_380_000);
        for seq in 20..620 {
            now = now.plus(Duration::from_millis(20));
            let set_point =
                SetPoint { session: 1, seq, sampled_at: now, arm: true, ..SetPoint::default() };
            shell.machine.handle_input(now, &set_point);
            shell.watch_battery(now);
            volts.set(reading);
            if shell.machine.state() != DriveState::Armed {
                break;
            }
        }
        assert_eq!(shell.battery.as_ref().map(Battery::level), Some(level));
        assert_eq!(shell.machine.output().motor, motor);
    }
}

#[test]
fn a_shell_that_is_dropped_leaves_neutral_behind() {
    let (shell, fake, _, _directory) = armed();
    assert!(matches!(fake.borrow().applied.last(), Some(Motor::Drive(_))));
    drop(shell);
    assert_eq!(fake.borrow().applied.last(), Some(&Motor::Neutral));
}

/// Stamps its edges; after some of them ends the loop by a signal to its own thread.
struct Stamps(Rc<RefCell<Vec<MonotonicMicros>>>);

impl crate::gpio::Line for Stamps {
    fn set(&mut self, _: bool) -> io::Result<()> {
        self.0.borrow_mut().push(clock::now());
        if self.0.borrow().len() == 200 {
            nix::sys::signal::raise(nix::sys::signal::Signal::SIGUSR2)?;
        }
        Ok(())
    }
}

#[test]
fn a_loop_at_rest_toggles_the_heartbeat_faster_than_its_circuit_lets_go() {
    let (shell, _, _, _directory) = armed();
    let stamps = Rc::<RefCell<Vec<MonotonicMicros>>>::default();
    let own = Rc::clone(&stamps);
    let heartbeat = Heartbeat::on(Box::new(move || Ok(Box::new(Stamps(Rc::clone(&own))))));
    let mut shell = shell.with_heartbeat(Some(heartbeat));
    let mut caught = nix::sys::signal::SigSet::empty();
    caught.add(nix::sys::signal::Signal::SIGUSR2);
    caught.thread_block().unwrap();
    let signals = SignalFd::with_flags(&caught, nix::sys::signalfd::SfdFlags::SFD_NONBLOCK);
    shell.run(&signals.unwrap()).unwrap();
    let stamps = stamps.borrow();
    let mut gaps: Vec<_> = stamps.windows(2).map(|pair| pair[1].since(pair[0])).collect();
    gaps.sort_unstable();
    let (usual, most) = (gaps[gaps.len() * 4 / 5], gaps[gaps.len() - 1]);
    // A busy machine may be late now and then, but not as a rule.
    assert!(usual < Duration::from_millis(10), "a fifth of the edges come after {usual:?}");
    assert!(most < Duration::from_millis(500), "{most:?}");
}

/// What a line was set to, in order.
#[derive(Clone, Default)]
struct Lamp(Rc<RefCell<Vec<bool>>>);

impl crate::gpio::Line for Lamp {
    fn set(&mut self, on: bool) -> io::Result<()> {
        self.0.borrow_mut().push(on);
        Ok(())
    }
}

#[test]
fn the_horn_ends_with_the_driver_and_the_lights_stay() {
    let (shell, _, _, _directory) = armed();
    let (lamp, buzzer) = (Lamp::default(), Lamp::default());
    let open = |line: &Lamp| -> Option<crate::gpio::Open> {
        let line = line.clone();
        Some(Box::new(move || Ok(Box::new(line.clone()))))
    };
    let mut shell = shell.with_switches(Switches::on(open(&lamp), open(&buzzer)));
    let rests = MonotonicMicros(2_000_000);
    shell.machine.handle_timeout(rests);
    shell.serve_lines(rests);
    let off = Report { lights: Reported::Off, horn: Reported::Off };
    assert_eq!(shell.status(rests).switches, Some(off));
    let at = rests.plus(Duration::from_millis(20));
    let set_point = SetPoint {
        session: 1,
        seq: 90,
        sampled_at: at,
        lights: true,
        horn: true,
        ..Default::default()
    };
    shell.machine.handle_input(at, &set_point);
    shell.serve_lines(at);
    let on = Report { lights: Reported::On, horn: Reported::On };
    assert_eq!(shell.status(at).switches, Some(on));
    let later = at.plus(Duration::from_millis(90));
    shell.machine.handle_timeout(later);
    shell.serve_lines(later);
    let lit = Report { lights: Reported::On, horn: Reported::Off };
    assert_eq!(shell.status(later).switches, Some(lit));
    drop(shell);
    // The end puts off whatever it is.
    assert_eq!(*lamp.0.borrow(), [true, false]);
    assert_eq!(*buzzer.0.borrow(), [true, false, false]);
}
