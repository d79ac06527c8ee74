//! What is on the USB, whether ModemManager has it or not.

use rccar_modem_core::Outcome;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a device is off the USB: long enough for its capacitors where power is switched with it.
const OFF: Duration = Duration::from_secs(10);

/// Drivers whose serial ports are a modem's. `90-rccar-on-demand.rules` of the image has the same list.
const SERIAL: [&str; 4] = ["option", "qcserial", "sierra", "cdc_acm"];

/// Whether there is a control port that ModemManager should make a modem of; `sys` is where sysfs is.
pub(crate) fn has_modem(sys: &Path) -> bool {
    control_ports(sys).next().is_some()
}

/// Whether a USB device has such a port, so that its network interface is no stick's but a modem's.
pub(crate) fn is_modem(sys: &Path, device: &Path) -> bool {
    control_ports(sys).any(|port| fs::canonicalize(port).is_ok_and(|port| port.starts_with(device)))
}

/// The USB device that a network interface belongs to.
pub(crate) fn device_of(sys: &Path, interface: &str) -> Option<PathBuf> {
    let device = fs::canonicalize(sys.join("class/net").join(interface).join("device")).ok()?;
    device.ancestors().find(|folder| folder.join("idVendor").exists()).map(Path::to_owned)
}

/// Takes a USB device's authorization and gives it back (Documentation/usb/authorization.rst of the kernel).
pub(crate) async fn cycle(device: &Path) -> Outcome {
    let authorized = device.join("authorized");
    for (value, pause) in [("0", OFF), ("1", Duration::ZERO)] {
        if let Err(error) = tokio::fs::write(&authorized, value).await {
            tracing::warn!(%error, file = %authorized.display(), "the device cannot be taken off the USB and put back");
            return Outcome::Failed;
        }
        tokio::time::sleep(pause).await;
    }
    Outcome::Done
}

fn control_ports(sys: &Path) -> impl Iterator<Item = PathBuf> {
    let names = |class: &str| {
        let entries = fs::read_dir(sys.join("class").join(class)).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let control = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("cdc-wdm"));
    let serial = names("tty").into_iter().filter(|path| is_of_modem(path));
    names("usbmisc").into_iter().filter(control).chain(names("wwan")).chain(serial)
}

/// One of the folders above the port, which are its USB interface and device, names the driver.
fn is_of_modem(port: &Path) -> bool {
    let Ok(port) = fs::canonicalize(port) else { return false };
    let drivers = port.ancestors().take_while(|folder| folder.file_name().is_some_and(|name| name != "devices"));
    let mut drivers = drivers.filter_map(|folder| fs::read_link(folder.join("driver")).ok());
    drivers.any(|driver| driver.file_name().is_some_and(|name| SERIAL.iter().any(|serial| name == *serial)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A port of a class, as the kernel shows one of a USB interface with this driver.
    fn plug(sys: &Path, class: &str, name: &str, driver: &str) {
        let interface = sys.join("devices/usb1/1-1/1-1:1.0");
        fs::create_dir_all(interface.join(class).join(name)).unwrap();
        fs::create_dir_all(sys.join("class").join(class)).unwrap();
        symlink(interface.join(class).join(name), sys.join("class").join(class).join(name)).unwrap();
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
