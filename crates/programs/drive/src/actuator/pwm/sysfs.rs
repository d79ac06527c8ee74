//! The kernel's channels, through `/sys/class/pwm`.

use super::{Channel, Pwm, failed, length};
use crate::actuator::pulsed::Pulses;
use crate::actuator::{Actuator, ActuatorError};
use crate::config::{Config, PwmConfig, PwmDevice};
use nix::unistd::{AccessFlags, access};
use rccar_drive_core::esc::EscSettings;
use rccar_protocol::units::MonotonicMicros;
use rppal::pwm::{Error, Pwm as Handle};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

const CLASS: &str = "/sys/class/pwm";

/// The PWM for the pins of the header, by its address: of a Raspberry Pi 4 and its family, of a 3
/// and a Zero 2 W (`bcm2711.dtsi`, `bcm283x.dtsi`). A Pi 4 has another one for its audio jack.
const HEADER: [&str; 2] = ["fe20c000.pwm", "3f20c000.pwm"];

/// Opens and starts the channels that the configuration names.
pub(in crate::actuator) fn open(
    now: MonotonicMicros,
    config: &Config,
    esc: EscSettings,
) -> Result<Box<dyn Actuator>, ActuatorError> {
    Ok(Box::new(Pwm::start(now, handles(&config.pwm)?, config, esc)?))
}

/// Of steering and motor.
fn handles(pwm: &PwmConfig) -> Result<[Handle; 2], ActuatorError> {
    let chip = Chip::find(Path::new(CLASS), &pwm.device)?;
    let open = |channel: u8| -> io::Result<Handle> {
        chip.show(channel)?;
        let mut handle = Handle::with_pwmchip(chip.number, channel).map_err(plain)?;
        // Dropping it would end the pulses before neutral was seen.
        handle.set_reset_on_drop(false);
        Ok(handle)
    };
    chip.fall_silent([pwm.throttle_channel.0, pwm.steering_channel.0]);
    let opened = || Ok([open(pwm.steering_channel.0)?, open(pwm.throttle_channel.0)?]);
    opened().map_err(|why: io::Error| ActuatorError {
        what: "cannot open the channels of the PWM",
        why: io::Error::new(why.kind(), format!("{}: {why}", chip.path.display())),
    })
}

/// The last pulse has ended after this time: 25 ms at 40 Hz, the lowest frequency, and some more.
const ONE_PERIOD: Duration = Duration::from_millis(30);

/// A chip of the kernel's class.
struct Chip {
    number: u8,
    path: PathBuf,
}

impl Chip {
    /// The one of this device, whatever number it has.
    fn find(class: &Path, device: &PwmDevice) -> Result<Self, ActuatorError> {
        let missing = |why: &str| {
            let device = match device {
                PwmDevice::Header => HEADER.join(" or "),
                PwmDevice::Named(name) => name.clone(),
            };
            ActuatorError {
                what: "there is no such PWM",
                why: io::Error::new(io::ErrorKind::NotFound, format!("{device}: {why}")),
            }
        };
        let is_it = |name: &str| match device {
            PwmDevice::Header => HEADER.contains(&name),
            PwmDevice::Named(wanted) => name == wanted,
        };
        let entries = fs::read_dir(class).map_err(|error| missing(&error.to_string()))?;
        let found = entries.flatten().find_map(|entry| {
            let path = entry.path();
            let parent = fs::canonicalize(path.join("device")).ok()?;
            let number = entry.file_name().to_str()?.strip_prefix("pwmchip")?.parse().ok()?;
            is_it(parent.file_name()?.to_str()?).then_some(Self { number, path })
        });
        found.ok_or_else(|| {
            missing("its driver is not there, or not yet; the device tree has to give it its pins")
        })
    }

    /// Makes the kernel show a channel, and looks whether udev has given it to the group `gpio`.
    /// `rppal` would do both, and wait for udev for up to a second; the loop cannot.
    fn show(&self, channel: u8) -> io::Result<()> {
        let files = self.channel(channel);
        if !files.exists() {
            write(&self.path.join("export"), &channel.to_string())?;
        }
        access(&files.join("duty_cycle"), AccessFlags::W_OK).map_err(|error| {
            let why = format!("pwm{channel} is not ours, or not yet: {error}");
            io::Error::new(io::Error::from(error).kind(), why)
        })
    }

    /// Lets the pulses of these channels end, if there are any: opening would cut one short, and a
    /// short pulse may mean "backward". A channel that cannot be written to is not ours anyway.
    fn fall_silent(&self, channels: [u8; 2]) {
        let pulses = |channel: &u8| {
            fs::read_to_string(self.channel(*channel).join("enable"))
                .is_ok_and(|enabled| enabled.trim() == "1")
        };
        let mut on: Vec<u8> = channels.into_iter().filter(pulses).collect();
        on.retain(|channel| write(&self.channel(*channel).join("duty_cycle"), "0").is_ok());
        if !on.is_empty() {
            std::thread::sleep(ONE_PERIOD);
        }
    }

    fn channel(&self, number: u8) -> PathBuf {
        self.path.join(format!("pwm{number}"))
    }

    /// Neutral into both channels, the motor's first, and each even if the other fails. A channel
    /// that makes no pulses makes none after that either.
    fn write_neutral(&self, config: &Config) -> Result<(), ActuatorError> {
        let neutral = Pulses::neutral(config.servo.0, config.esc());
        let put = |channel: u8, pulse| {
            let nanos = length(pulse).as_nanos().to_string();
            write(&self.channel(channel).join("duty_cycle"), &nanos)
        };
        let motor = put(config.pwm.throttle_channel.0, neutral.motor);
        let steering = put(config.pwm.steering_channel.0, neutral.steering);
        motor.and(steering).map_err(failed("cannot write to the PWM"))
    }
}

/// Writes to a file of the kernel, which is there.
fn write(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}

/// Neutral beside the drive. Not through `rppal`, which takes a channel's pulses off when it opens
/// it: a pulse that is cut short makes some ESCs spin up.
pub(in crate::actuator) struct NeutralByHand {
    config: Config,
}

impl NeutralByHand {
    pub(in crate::actuator) fn new(config: &Config) -> Self {
        Self { config: config.clone() }
    }

    pub(in crate::actuator) fn write(&self) -> Result<(), ActuatorError> {
        Chip::find(Path::new(CLASS), &self.config.pwm.device)?.write_neutral(&self.config)
    }
}

impl Channel for Handle {
    fn set_on(&mut self, on: bool) -> io::Result<()> {
        if on { self.enable() } else { self.disable() }.map_err(plain)
    }

    fn set_period(&mut self, period: Duration) -> io::Result<()> {
        Handle::set_period(self, period).map_err(plain)
    }

    fn set_pulse(&mut self, pulse: Duration) -> io::Result<()> {
        self.set_pulse_width(pulse).map_err(plain)
    }

    fn read(&mut self) -> io::Result<(Duration, bool)> {
        let pulse = self.pulse_width().map_err(plain)?;
        Ok((pulse, self.is_enabled().map_err(plain)?))
    }
}

fn plain(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A folder that looks like `/sys/class/pwm`.
    struct Class(tempfile::TempDir);

    impl Class {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("class")
        }

        fn add(&self, number: u8, device: &str) -> PathBuf {
            let device = self.0.path().join("devices").join(device);
            let chip = self.path().join(format!("pwmchip{number}"));
            fs::create_dir_all(&device).unwrap();
            fs::create_dir_all(&chip).unwrap();
            symlink(device, chip.join("device")).unwrap();
            fs::write(chip.join("export"), "").unwrap();
            chip
        }

        fn find(&self, device: &PwmDevice) -> Result<Chip, String> {
            Chip::find(&self.path(), device).map_err(|error| error.to_string())
        }
    }

    fn show_channel(chip: &Path, channel: u8) -> PathBuf {
        let folder = chip.join(format!("pwm{channel}"));
        fs::create_dir_all(&folder).unwrap();
        let pulse = folder.join("duty_cycle");
        fs::write(&pulse, "").unwrap();
        pulse
    }

    #[test]
    fn pulses_end_before_their_channel_is_opened() {
        let class = Class::new();
        let chip = class.add(0, HEADER[0]);
        let [steering, motor] = [0, 1].map(|channel| show_channel(&chip, channel));
        fs::write(chip.join("pwm1/enable"), "1\n").unwrap();
        fs::write(chip.join("pwm0/enable"), "0\n").unwrap();
        class.find(&PwmDevice::Header).unwrap().fall_silent([1, 0]);
        let said = |pulse: &Path| fs::read_to_string(pulse).unwrap();
        assert_eq!([said(&motor), said(&steering)], ["0", ""]);
        // One that is not there, or not ours, delays nothing.
        let begun = std::time::Instant::now();
        class.find(&PwmDevice::Header).unwrap().fall_silent([2, 3]);
        assert!(begun.elapsed() < ONE_PERIOD);
    }

    #[test]
    fn the_chip_is_found_by_its_device() {
        let class = Class::new();
        let error = class.find(&PwmDevice::Header).err().unwrap();
        assert!(error.starts_with("there is no such PWM: fe20c000.pwm or 3f20c000.pwm"), "{error}");
        // That of the audio jack.
        class.add(0, "fe20c800.pwm");
        assert!(class.find(&PwmDevice::Header).err().unwrap().contains("not yet"));
        class.add(7, "fe20c000.pwm");
        assert_eq!(class.find(&PwmDevice::Header).unwrap().number, 7);
        let named = PwmDevice::Named("fe20c800.pwm".to_owned());
        assert_eq!(class.find(&named).unwrap().number, 0);
    }

    #[test]
    fn a_channel_is_asked_for_once_and_not_waited_for() {
        let class = Class::new();
        let path = class.add(0, "fe20c000.pwm");
        let chip = class.find(&PwmDevice::Header).unwrap();
        let error = chip.show(1).unwrap_err().to_string();
        assert!(error.starts_with("pwm1 is not ours, or not yet"), "{error}");
        assert_eq!(fs::read_to_string(path.join("export")).unwrap(), "1");
        show_channel(&path, 1);
        fs::write(path.join("export"), "").unwrap();
        assert!(chip.show(1).is_ok());
        assert_eq!(fs::read_to_string(path.join("export")).unwrap(), "");
    }

    #[test]
    fn neutral_by_hand_reaches_the_motor_even_if_there_is_no_servo() {
        let class = Class::new();
        let path = class.add(0, "3f20c000.pwm");
        let motor = show_channel(&path, 1);
        let chip = class.find(&PwmDevice::Header).unwrap();
        let error = chip.write_neutral(&Config::default()).unwrap_err().to_string();
        assert!(error.starts_with("cannot write to the PWM"), "{error}");
        assert_eq!(fs::read_to_string(&motor).unwrap(), "1500000");
        let servo = show_channel(&path, 0);
        assert!(chip.write_neutral(&Config::default()).is_ok());
        assert_eq!(fs::read_to_string(servo).unwrap(), "1500000");
    }
}
