use super::*;
use crate::actuator::ActuatorError;
use rccar_drive_core::esc::{EscKind, EscSettings};
use rccar_drive_core::{Motor, Output};
use rccar_protocol::calibration::{Calibration, EscWord};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::DriveState;
use rccar_protocol::units::{Steering, Throttle};

#[derive(Default)]
struct Fake {
    esc: Option<EscSettings>,
}

impl Actuator for Fake {
    fn apply(&mut self, _: MonotonicMicros, _: Output) -> Result<(), ActuatorError> {
        Ok(())
    }
    fn set_esc(&mut self, _: MonotonicMicros, esc: EscSettings) {
        self.esc = Some(esc);
    }
}

struct Bench {
    calibrator: Calibrator,
    machine: Machine,
    actuator: Fake,
    now: MonotonicMicros,
    seq: u32,
    directory: tempfile::TempDir,
}

const CAR: &str = "/run/car.sock";
const TERMINAL: &str = "/run/terminal.sock";

fn address(path: &str) -> SocketAddr {
    SocketAddr::from_pathname(path).unwrap()
}

fn config(directory: &tempfile::TempDir) -> Config {
    Config { calibration: directory.path().join("calibration.toml"), ..Config::default() }
}

impl Bench {
    fn new() -> Self {
        Self::with("")
    }

    fn with(file: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = config(&directory);
        if !file.is_empty() {
            std::fs::write(&config.calibration, file).unwrap();
        }
        let calibrator = Calibrator::start(&config).unwrap();
        let machine = Machine::new(calibrator.config().settings()).unwrap();
        let now = MonotonicMicros(10_000_000);
        Self { calibrator, machine, actuator: Fake::default(), now, seq: 0, directory }
    }

    fn file(&self) -> Option<String> {
        std::fs::read_to_string(self.directory.path().join("calibration.toml")).ok()
    }

    fn set_point(&mut self, from: &str, set_point: SetPoint) -> bool {
        self.now = self.now.plus(Duration::from_millis(20));
        self.seq += 1;
        let set_point = SetPoint { seq: self.seq, sampled_at: self.now, ..set_point };
        let admitted = self.calibrator.admits(self.now, &address(from), set_point.session);
        if admitted {
            self.machine.handle_input(self.now, &set_point);
        }
        admitted
    }

    /// Waits for the answer while it is written.
    fn ask(&mut self, from: &str, id: u64, request: CalibrationRequest) -> CalibrationState {
        let session = SessionId::from_random(id);
        let mut car = Car { machine: &mut self.machine, actuator: &mut self.actuator };
        let answer =
            self.calibrator.handle_request(self.now, &address(from), session, &request, &mut car);
        let answer = answer.unwrap_or_else(|| {
            loop {
                let answer = self.calibrator.handle_timeout(self.now, &mut self.machine);
                if let Some((to, answer)) = answer {
                    assert_eq!(to.as_pathname(), address(from).as_pathname());
                    return answer;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let FromDrive::Calibration { session: of, state } = answer;
        assert_eq!((of, state.id), (session, request.id));
        state
    }

    fn act(&mut self, from: &str, id: u64, action: CalibrationAction) -> CalibrationState {
        self.ask(from, id, CalibrationRequest { id: 3, action, values: None })
    }

    fn set(&mut self, from: &str, id: u64, values: Calibration) -> CalibrationState {
        let action = CalibrationAction::Set;
        self.ask(from, id, CalibrationRequest { id: 4, action, values: Some(values) })
    }
}

fn code(state: &CalibrationState) -> Option<RefusalCode> {
    state.refused.as_ref().map(|refused| refused.code)
}

fn values() -> Calibration {
    Calibration {
        trim: Steering::from_permyriad(500).unwrap(),
        esc: EscWord::BrakeFirst,
        motor_reversed: true,
        ..Config::default().calibration()
    }
}

fn of(session: u64) -> SetPoint {
    SetPoint { session, ..SetPoint::default() }
}

#[test]
fn values_are_used_at_once_kept_over_a_restart_and_forgotten() {
    let mut bench = Bench::new();
    assert!(bench.set_point(CAR, of(1)));
    let begun = bench.act(CAR, 1, CalibrationAction::Begin);
    assert!(begun.open && !begun.own && begun.refused.is_none());
    assert_eq!(begun.values, Config::default().calibration());
    let set = bench.set(CAR, 1, values());
    assert_eq!((code(&set), set.own, set.fault.clone()), (None, true, None));
    assert_eq!(set.values, values());
    let esc = bench.actuator.esc.unwrap();
    assert_eq!(esc.kind, EscKind::BrakeFirst);
    assert_eq!(esc.pulses, Config::default().esc().pulses.reversed());
    bench.machine.handle_timeout(bench.now.plus(Duration::from_secs(1)));
    assert_eq!(bench.machine.output().steering.permyriad(), 500);
    let again = Calibrator::start(&config(&bench.directory)).unwrap();
    assert_eq!((again.config().calibration(), again.own), (values(), true));
    let forgotten = bench.act(CAR, 1, CalibrationAction::Forget);
    assert_eq!((code(&forgotten), forgotten.own), (None, false));
    assert_eq!((forgotten.values, bench.file()), (Config::default().calibration(), None));
}

#[test]
fn nobody_sets_anything_while_somebody_else_drives_or_without_having_begun() {
    let mut bench = Bench::new();
    assert!(bench.set_point(CAR, of(1)));
    let busy = bench.act(TERMINAL, 2, CalibrationAction::Begin);
    assert_eq!((code(&busy), busy.open), (Some(RefusalCode::Busy), false));
    assert_eq!(code(&bench.set(TERMINAL, 2, values())), Some(RefusalCode::NotOpen));
    assert_eq!(
        code(&bench.act(TERMINAL, 2, CalibrationAction::Forget)),
        Some(RefusalCode::NotOpen)
    );
    // The driver leaves.
    assert!(bench.set_point(CAR, of(0)));
    assert_eq!(code(&bench.act(TERMINAL, 2, CalibrationAction::Begin)), None);
    assert_eq!(code(&bench.act(CAR, 3, CalibrationAction::Begin)), Some(RefusalCode::Busy));
    assert!(!bench.set_point(CAR, of(3)), "its set-points do not reach the machine");
    assert!(bench.set_point(TERMINAL, of(2)));
    assert_eq!(bench.machine.session(), 2);
    bench.act(TERMINAL, 2, CalibrationAction::End);
    assert!(bench.set_point(CAR, of(3)));
    assert_eq!(bench.file(), None);
}

#[test]
fn a_calibration_that_nobody_uses_closes_and_its_jog_has_ended_long_before() {
    let mut bench = Bench::new();
    bench.act(TERMINAL, 2, CalibrationAction::Begin);
    let jog = SetPoint { jog: true, throttle: Throttle::MAX, ..of(2) };
    bench.set_point(TERMINAL, of(2));
    bench.set_point(TERMINAL, jog);
    bench.set_point(TERMINAL, jog);
    assert_eq!(bench.machine.state(), DriveState::Jogging);
    assert_eq!(code(&bench.set(TERMINAL, 2, values())), Some(RefusalCode::Moving));
    bench.now = bench.now.plus(Duration::from_millis(80));
    bench.machine.handle_timeout(bench.now);
    assert_eq!(bench.machine.output().motor, Motor::Neutral);
    bench.now = bench.now.plus(SILENCE);
    bench.calibrator.handle_timeout(bench.now, &mut bench.machine);
    assert!(bench.set_point(CAR, of(3)));
    assert_eq!(code(&bench.act(CAR, 3, CalibrationAction::Begin)), None);
}

#[test]
fn an_armed_car_takes_no_values() {
    let mut bench = Bench::new();
    bench.set_point(CAR, of(1));
    bench.act(CAR, 1, CalibrationAction::Begin);
    for _ in 0..20 {
        bench.set_point(CAR, SetPoint { arm: true, ..of(1) });
    }
    assert_eq!(bench.machine.state(), DriveState::Armed);
    assert_eq!(code(&bench.set(CAR, 1, values())), Some(RefusalCode::Moving));
    assert_eq!(code(&bench.act(CAR, 1, CalibrationAction::Forget)), Some(RefusalCode::Moving));
    assert_eq!((bench.file(), bench.actuator.esc), (None, None));
}

#[test]
fn illegal_values_name_their_option_and_change_nothing() {
    let mut bench = Bench::new();
    bench.act(CAR, 1, CalibrationAction::Begin);
    let state = bench.set(CAR, 1, Calibration { esc: "drone".parse().unwrap(), ..values() });
    let refused = state.refused.unwrap();
    assert_eq!(refused.code, RefusalCode::Illegal);
    assert_eq!(refused.key.unwrap().as_str(), "esc.kind");
    assert!(refused.text.as_str().contains("drone"), "{}", refused.text);
    let state = bench.act(CAR, 1, CalibrationAction::Set);
    assert_eq!(code(&state), Some(RefusalCode::Illegal));
    let state = bench.act(CAR, 1, "learn".parse().unwrap());
    assert_eq!(code(&state), Some(RefusalCode::UnknownAction));
    assert_eq!(state.values, Config::default().calibration());
}

#[test]
fn a_file_with_a_mistake_says_so_and_is_mended_by_new_values_or_forgotten() {
    let mut bench = Bench::with("[steering]\ntrim = 7\n");
    let mistake = bench.calibrator.mistake().unwrap().to_owned();
    assert!(mistake.contains("calibration.toml:2") && mistake.contains("steering.trim"));
    let begun = bench.act(CAR, 1, CalibrationAction::Begin);
    assert_eq!(begun.fault.unwrap().as_str(), Note::lossy(&mistake).as_str());
    assert_eq!(begun.values, Config::default().calibration());
    assert_eq!(bench.set(CAR, 1, values()).fault, None);
    assert_eq!(bench.calibrator.mistake(), None);
    let mut bench = Bench::with("[steering]\ntrim = 7\n");
    bench.act(CAR, 1, CalibrationAction::Begin);
    assert_eq!(bench.act(CAR, 1, CalibrationAction::Forget).fault, None);
    assert_eq!((bench.calibrator.mistake(), bench.file()), (None, None));
}

#[test]
fn values_that_cannot_be_written_are_used_and_the_fault_says_why() {
    let mut bench = Bench::new();
    bench.act(CAR, 1, CalibrationAction::Begin);
    std::fs::create_dir(bench.directory.path().join("calibration.toml")).unwrap();
    let state = bench.set(CAR, 1, values());
    assert_eq!((code(&state), state.values), (None, values()));
    assert!(state.fault.unwrap().as_str().contains("cannot write"));
    assert_eq!(bench.calibrator.mistake(), None, "the car may drive");
}
