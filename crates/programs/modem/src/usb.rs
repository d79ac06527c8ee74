//! Devices on the USB, as sysfs shows them: also those that ModemManager does not have.

use rccar_causes::causes;
use rccar_modem_core::Outcome;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where sysfs is mounted.
pub(crate) const SYS: &str = "/sys";
/// How long a device is off the USB. If power is switched, too, its capacitors are empty by then.
const OFF: Duration = Duration::from_secs(10);

/// The state directory has a file for each device that is off. Its name is this and the device's.
const MARK: &str = "off-usb-";

/// Drivers of modems with serial ports. `90-rccar-on-demand.rules` of the image has the same list.
const SERIAL: [&str; 4] = ["option", "qcserial", "sierra", "cdc_acm"];

/// Whether there is a control port, for which ModemManager should show a modem. In tests `sys` is
/// another folder than [`SYS`].
pub(crate) fn has_modem(sys: &Path) -> bool {
    control_ports(sys).next().is_some()
}

/// Whether a USB device has a control port. Then its network interface is a modem's, not a stick's.
pub(crate) fn is_modem(sys: &Path, device: &Path) -> bool {
    control_ports(sys).any(|port| fs::canonicalize(port).is_ok_and(|port| port.starts_with(device)))
}

/// The USB device of a network interface; `None` if it is not on the USB.
pub(crate) fn device_of(sys: &Path, interface: &str) -> Option<PathBuf> {
    device_above(&sys.join("class/net").join(interface).join("device"))
}

/// The USB device of the first control port. A modem that hung before ModemManager ever had it has
/// one, too.
pub(crate) fn modem_device(sys: &Path) -> Option<PathBuf> {
    control_ports(sys).find_map(|port| device_above(&port))
}

fn device_above(place: &Path) -> Option<PathBuf> {
    let place = fs::canonicalize(place).ok()?;
    place.ancestors().find(|folder| folder.join("idVendor").exists()).map(Path::to_owned)
}

/// Takes a USB device's authorization away and gives it back (Documentation/usb/authorization.rst
/// of the kernel). The device comes back even if nobody waits for this any more. If the program
/// dies in between, its next start puts the device back ([`put_back`]).
pub(crate) async fn cycle(device: &Path, state_dir: &Path) -> Outcome {
    cycle_for(device, state_dir, OFF).await
}

async fn cycle_for(device: &Path, state_dir: &Path, off: Duration) -> Outcome {
    let (device, state_dir) = (device.to_owned(), state_dir.to_owned());
    let cycle = tokio::spawn(async move { off_and_on(&device, &state_dir, off).await });
    match cycle.await {
        Ok(Ok(())) => Outcome::Done,
        Ok(Err(error)) => {
            tracing::warn!(
                error = %causes(&error),
                "the device cannot be taken off the USB and put back"
            );
            Outcome::Failed
        }
        Err(_) => Outcome::Failed,
    }
}

async fn off_and_on(device: &Path, state_dir: &Path, off: Duration) -> io::Result<()> {
    let authorized = device.join("authorized");
    let mark =
        device.file_name().map(|name| state_dir.join(format!("{MARK}{}", name.to_string_lossy())));
    // First: if the program dies in between, its next start must find the mark.
    if let Some(mark) = &mark
        && let Err(error) = fs::write(mark, "")
    {
        tracing::warn!(
            error = %causes(&error),
            file = %mark.display(),
            "it will not be known that the device is off the USB"
        );
    }
    let gone = |source: io::Error| {
        io::Error::new(source.kind(), format!("{}: {source}", authorized.display()))
    };
    let outcome = async {
        tokio::fs::write(&authorized, "0").await.map_err(gone)?;
        tokio::time::sleep(off).await;
        tokio::fs::write(&authorized, "1").await.map_err(gone)
    };
    let outcome = outcome.await;
    if let Some(mark) = mark {
        // If the file stays, the next start only writes "1" to a device that is on.
        let _ = fs::remove_file(mark);
    }
    outcome
}

/// Puts back the devices that an earlier run of this program left off the USB. Others stay off: a
/// person may want that.
pub(crate) fn put_back(sys: &Path, state_dir: &Path) {
    for mark in fs::read_dir(state_dir).into_iter().flatten().flatten() {
        let name = mark.file_name();
        let Some(device) = name.to_str().and_then(|name| name.strip_prefix(MARK)) else { continue };
        match fs::write(sys.join("bus/usb/devices").join(device).join("authorized"), "1") {
            Ok(()) => tracing::info!(device, "a device that was off the USB is put back"),
            Err(error) => {
                tracing::debug!(
                    error = %causes(&error),
                    device,
                    "a device that was off the USB is not there any more"
                )
            }
        }
        let _ = fs::remove_file(mark.path());
    }
}

fn control_ports(sys: &Path) -> impl Iterator<Item = PathBuf> {
    let names = |class: &str| {
        let entries = fs::read_dir(sys.join("class").join(class)).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let control = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("cdc-wdm"))
    };
    let serial = names("tty").into_iter().filter(|path| is_of_modem(path));
    names("usbmisc").into_iter().filter(control).chain(names("wwan")).chain(serial)
}

/// Whether a serial port has a driver of [`SERIAL`]. A folder above it, its USB interface or
/// device, names the driver.
fn is_of_modem(port: &Path) -> bool {
    let Ok(port) = fs::canonicalize(port) else { return false };
    let drivers = port
        .ancestors()
        .take_while(|folder| folder.file_name().is_some_and(|name| name != "devices"));
    let mut drivers = drivers.filter_map(|folder| fs::read_link(folder.join("driver")).ok());
    drivers.any(|driver| {
        driver.file_name().is_some_and(|name| SERIAL.iter().any(|serial| name == *serial))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Adds a port to sysfs, as the kernel shows one of a USB interface with this driver.
    fn plug(sys: &Path, class: &str, name: &str, driver: &str) {
        let interface = sys.join("devices/usb1/1-1/1-1:1.0");
        fs::create_dir_all(interface.join(class).join(name)).unwrap();
        fs::create_dir_all(sys.join("class").join(class)).unwrap();
        symlink(interface.join(class).join(name), sys.join("class").join(class).join(name))
            .unwrap();
        symlink(sys.join("bus/usb/drivers").join(driver), interface.join("driver")).unwrap();
    }

    #[test]
    fn control_ports_are_modems_and_other_serial_ports_are_not() {
        for (class, name, driver, expected) in [
            ("usbmisc", "cdc-wdm0", "qmi_wwan", true),
            ("usbmisc", "hiddev0", "usbhid", false),
            ("tty", "ttyUSB0", "option", true),
            ("tty", "ttyACM0", "cdc_acm", true),
            ("tty", "ttyUSB0", "cp210x", false),
            ("wwan", "wwan0", "mhi", true),
        ] {
            let sys = tempfile::tempdir().unwrap();
            assert!(!has_modem(sys.path()), "nothing is there");
            plug(sys.path(), class, name, driver);
            assert_eq!(has_modem(sys.path()), expected, "{name} of {driver}");
        }
    }

    #[test]
    fn a_port_leads_to_its_device() {
        let sys = tempfile::tempdir().unwrap();
        assert_eq!(modem_device(sys.path()), None);
        plug(sys.path(), "usbmisc", "cdc-wdm0", "qmi_wwan");
        assert_eq!(modem_device(sys.path()), None, "a port that is on no USB");
        let device = fs::canonicalize(sys.path()).unwrap().join("devices/usb1/1-1");
        fs::write(device.join("idVendor"), "2c7c").unwrap();
        assert_eq!(modem_device(sys.path()), Some(device));
    }

    #[tokio::test]
    async fn a_device_that_was_left_off_is_put_back_and_no_other() {
        let (sys, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let authorized =
            |name: &str| sys.path().join("bus/usb/devices").join(name).join("authorized");
        for name in ["1-1", "1-2.4"] {
            fs::create_dir_all(authorized(name).parent().unwrap()).unwrap();
            fs::write(authorized(name), "1").unwrap();
        }
        let device = authorized("1-2.4").parent().unwrap().to_owned();
        let read = |name| fs::read_to_string(authorized(name)).unwrap();
        off_and_on(&device, state.path(), Duration::ZERO).await.unwrap();
        assert_eq!((read("1-2.4").as_str(), fs::read_dir(state.path()).unwrap().count()), ("1", 0));

        let died = tokio::time::timeout(
            Duration::from_millis(200),
            off_and_on(&device, state.path(), OFF),
        );
        assert!(died.await.is_err());
        fs::write(authorized("1-1"), "0").unwrap();
        assert_eq!(read("1-2.4"), "0");
        put_back(sys.path(), state.path());
        assert_eq!((read("1-2.4").as_str(), read("1-1").as_str()), ("1", "0"));
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0);
        put_back(sys.path(), &state.path().join("nowhere"));
    }

    #[tokio::test]
    async fn a_cycle_that_nobody_waits_for_ends_all_the_same() {
        let (device, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let authorized = device.path().join("authorized");
        fs::write(&authorized, "1").unwrap();
        let is = async |value| {
            while fs::read_to_string(&authorized).unwrap() != value {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let cycle = cycle_for(device.path(), state.path(), Duration::from_millis(300));
        tokio::select! {
            _ = cycle => panic!("it was over at once"),
            () = is("0") => {}
        }
        tokio::time::timeout(Duration::from_secs(30), is("1")).await.unwrap();
    }

    #[test]
    fn a_network_interface_is_a_sticks_unless_its_device_has_a_control_port() {
        let sys = tempfile::tempdir().unwrap();
        let device = fs::canonicalize(sys.path()).unwrap().join("devices/usb1/1-1");
        plug(sys.path(), "net", "enx0", "cdc_ether");
        fs::write(device.join("idVendor"), "12d1").unwrap();
        symlink(device.join("1-1:1.0"), device.join("1-1:1.0/net/enx0/device")).unwrap();
        assert_eq!(device_of(sys.path(), "enx0"), Some(device.clone()));
        assert_eq!(device_of(sys.path(), "eth0"), None);
        assert!(!is_modem(sys.path(), &device));
        let port = device.join("1-1:1.1/usbmisc/cdc-wdm0");
        fs::create_dir_all(&port).unwrap();
        fs::create_dir_all(sys.path().join("class/usbmisc")).unwrap();
        symlink(port, sys.path().join("class/usbmisc/cdc-wdm0")).unwrap();
        assert!(is_modem(sys.path(), &device));
        assert!(!is_modem(sys.path(), &device.with_file_name("1-2")), "another device's port");
    }
}
