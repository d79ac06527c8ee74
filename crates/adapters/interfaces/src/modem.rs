//! Signs by which an interface is recognized as that of a modem or a stick.

use std::path::Path;

/// First letters of the names that the kernel, udev, ModemManager and pppd give to modems'
/// interfaces. `usb` is the kernel's name for sticks that look like Ethernet, and for phones.
const NAMES: [&str; 5] = ["ww", "ppp", "usb", "rmnet", "qmap"];

/// Drivers of sticks and phones that look like Ethernet; udev names those `enx…` or similar. Some
/// adapters for network cables have one of these drivers, too, so it is a sign and no proof.
const DRIVERS: [&str; 5] = ["cdc_ether", "cdc_ncm", "huawei_cdc_ncm", "ipheth", "rndis_host"];

#[must_use]
pub fn is_named_like_a_modem(interface: &str) -> bool {
    NAMES.iter().any(|name| interface.starts_with(name))
}

/// Whether the driver is one of sticks and phones that look like Ethernet. False if sysfs does not
/// show a driver.
#[must_use]
pub fn is_driven_like_a_modem(interface: &str) -> bool {
    driver_of(interface).is_some_and(|driver| DRIVERS.contains(&driver.as_str()))
}

/// The interface's driver by sysfs; `None` if the interface is not that of a device.
#[must_use]
pub fn driver_of(interface: &str) -> Option<String> {
    driver(Path::new("/sys/class/net"), interface)
}

fn driver(class: &Path, interface: &str) -> Option<String> {
    let target = std::fs::read_link(class.join(interface).join("device/driver")).ok()?;
    Some(target.file_name()?.to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modems_are_told_by_their_names() {
        assert!(
            ["wwan0", "wwp0s20u5i4", "ppp0", "usb0", "rmnet_data0", "qmapmux0.0"]
                .into_iter()
                .all(is_named_like_a_modem)
        );
        assert!(
            !["eth0", "end0", "wlan0", "wlp2s0", "enx00e04c680001", "lo"]
                .into_iter()
                .any(is_named_like_a_modem)
        );
    }

    #[test]
    fn a_driver_is_read_where_there_is_one() {
        let class = tempfile::tempdir().unwrap();
        let device = class.path().join("enx0c5b8f279a64/device");
        std::fs::create_dir_all(&device).unwrap();
        std::os::unix::fs::symlink("../../../../bus/usb/drivers/cdc_ether", device.join("driver"))
            .unwrap();
        assert_eq!(driver(class.path(), "enx0c5b8f279a64").as_deref(), Some("cdc_ether"));
        assert_eq!(driver(class.path(), "eth0"), None);
    }
}
