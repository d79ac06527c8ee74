//! What is on the USB, whether ModemManager has it or not.

use std::fs;
use std::path::Path;

/// Drivers whose serial ports are a modem's. `90-rccar-on-demand.rules` of the image has the same list.
const SERIAL: [&str; 4] = ["option", "qcserial", "sierra", "cdc_acm"];

/// Whether there is a control port that ModemManager should make a modem of; `sys` is where sysfs is.
pub(crate) fn has_modem(sys: &Path) -> bool {
    let names = |class: &str| {
        let entries = fs::read_dir(sys.join("class").join(class)).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let control = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("cdc-wdm"));
    names("usbmisc").iter().any(|path| control(path))
        || !names("wwan").is_empty()
        || names("tty").iter().any(|path| is_of_modem(path))
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
}
