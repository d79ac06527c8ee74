//! An invented `/sys` with one USB modem. Without udev, ModemManager goes from `/sys/class/…` up to
//! the folder that has `idVendor`.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

#[derive(Debug, Clone, Copy)]
pub(crate) struct UsbModem {
    pub(crate) vendor: &'static str,
    pub(crate) product: &'static str,
    pub(crate) name: &'static str,
    pub(crate) ports: &'static [UsbPort],
}

/// A port of the modem.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UsbPort {
    pub(crate) subsystem: &'static str,
    pub(crate) name: &'static str,
    /// Number of the USB interface. Several ports may share one.
    pub(crate) interface: u8,
    pub(crate) driver: &'static str,
    /// Class, subclass and protocol of the USB interface.
    pub(crate) class: [&'static str; 3],
}

impl UsbModem {
    /// The kernel's events for the ports, as ModemManager's options have them.
    pub(crate) fn events(&self, action: &str) -> Vec<String> {
        let event = |port: &UsbPort| {
            format!("action={action},subsystem={},name={}", port.subsystem, port.name)
        };
        self.ports.iter().map(event).collect()
    }

    /// Writes the tree into an empty folder.
    pub(crate) fn write(&self, sys: &Path) -> io::Result<()> {
        let controller = sys.join("devices/pci0000:00/0000:00:14.0");
        link(&controller.join("subsystem"), &sys.join("bus/pci"))?;
        link(&controller.join("driver"), &sys.join("bus/pci/drivers/xhci_hcd"))?;
        let device = controller.join("usb1/1-1");
        let event = format!("DEVTYPE=usb_device\nPRODUCT={}/{}/100", self.vendor, self.product);
        let attributes = [
            ("idVendor", self.vendor),
            ("idProduct", self.product),
            ("bcdDevice", "0100"),
            ("manufacturer", "Emu"),
            ("product", self.name),
            ("busnum", "1"),
            ("devnum", "2"),
            ("authorized", "1"),
            ("uevent", &event),
        ];
        attributes.into_iter().try_for_each(|(name, value)| attribute(&device, name, value))?;
        link(&device.join("subsystem"), &sys.join("bus/usb"))?;
        link(&device.join("driver"), &sys.join("bus/usb/drivers/usb"))?;
        // ModemManager reads this folder also if there are no ports in it.
        fs::create_dir_all(sys.join("class/wwan"))?;
        self.ports.iter().try_for_each(|port| port.write(sys, &device))
    }
}

impl UsbPort {
    fn write(&self, sys: &Path, device: &Path) -> io::Result<()> {
        let interface = device.join(format!("1-1:1.{}", self.interface));
        let [class, subclass, protocol] = self.class;
        let attributes = [
            ("bInterfaceNumber", format!("{:02x}", self.interface)),
            ("bInterfaceClass", class.to_owned()),
            ("bInterfaceSubClass", subclass.to_owned()),
            ("bInterfaceProtocol", protocol.to_owned()),
            ("uevent", format!("DEVTYPE=usb_interface\nDRIVER={}", self.driver)),
        ];
        attributes.iter().try_for_each(|(name, value)| attribute(&interface, name, value))?;
        link(&interface.join("subsystem"), &sys.join("bus/usb"))?;
        link(&interface.join("driver"), &sys.join("bus/usb/drivers").join(self.driver))?;
        let port = interface.join(self.subsystem).join(self.name);
        let event = match self.subsystem {
            "net" => format!("INTERFACE={}\nIFINDEX=9", self.name),
            _ => format!("DEVNAME={}", self.name),
        };
        attribute(&port, "uevent", &event)?;
        let class = sys.join("class").join(self.subsystem);
        link(&port.join("subsystem"), &class)?;
        link(&port.join("device"), &interface)?;
        link(&class.join(self.name), &port)
    }
}

fn attribute(folder: &Path, name: &str, value: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(name), format!("{value}\n"))
}

/// Makes a relative link, because programs see the tree under two paths. A link that is there
/// stays: ports of one USB interface share its links.
fn link(at: &Path, to: &Path) -> io::Result<()> {
    if at.is_symlink() {
        return Ok(());
    }
    let folder = at.parent().unwrap_or(at);
    fs::create_dir_all(folder)?;
    fs::create_dir_all(to)?;
    symlink(relative(folder, to), at)
}

fn relative(from: &Path, to: &Path) -> PathBuf {
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (from.components().collect(), to.components().collect());
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n(Component::ParentDir, from.len() - common);
    up.chain(to[common..].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_go_up_to_the_common_folder_and_down() {
        let path = relative(Path::new("/sys/class/net"), Path::new("/sys/devices/usb1/net/wwan0"));
        assert_eq!(path, Path::new("../../devices/usb1/net/wwan0"));
    }
}
