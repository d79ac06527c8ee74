//! Who gives an interface its IPv6 addresses: this program, or the kernel, which hears router
//! advertisements.

use rccar_causes::causes;
use std::io;
use std::path::Path;

/// Where the kernel keeps its settings of interfaces. Whoever has CAP_NET_ADMIN may write them.
const SETTINGS: &str = "/proc/sys/net/ipv6/conf";

/// The kernel takes addresses and a default route from advertisements. `2` is: also on a machine
/// that forwards. `anew`: what there is of it goes, and routers are asked at once; else only if it
/// did not before.
pub(crate) fn advertised(interface: &str, metric: u32, anew: bool) {
    let is = |name: &str, value: &str| {
        let text = std::fs::read_to_string(Path::new(SETTINGS).join(interface).join(name));
        text.is_ok_and(|text| text.trim() == value)
    };
    if !anew && is("accept_ra", "2") && is("disable_ipv6", "0") {
        return;
    }
    write(
        interface,
        &[("disable_ipv6", 1), ("accept_ra", 2), ("ra_defrtr_metric", metric), ("disable_ipv6", 0)],
    );
}

/// The kernel takes addresses from advertisements, beside that which somebody has given to the
/// interface. Of its default route there is another one, with a metric of ours.
pub(crate) fn heard(interface: &str) {
    write(interface, &[("accept_ra", 2)]);
}

/// The kernel does not, so that addresses and routes are those that the interface is given, and no
/// others.
pub(crate) fn given(interface: &str) {
    write(interface, &[("accept_ra", 0), ("disable_ipv6", 0)]);
}

/// Nobody does: what advertisements have brought goes.
pub(crate) fn off(interface: &str) {
    write(interface, &[("disable_ipv6", 1)]);
}

/// Where it may not be written the kernel does as it likes, which is nearly the same: it accepts
/// advertisements, with a metric of 1024.
fn write(interface: &str, settings: &[(&str, u32)]) {
    let folder = Path::new(SETTINGS).join(interface);
    let outcome: io::Result<()> = settings
        .iter()
        .try_for_each(|(name, value)| std::fs::write(folder.join(name), value.to_string()));
    if let Err(error) = outcome {
        tracing::debug!(error = %causes(&error), interface, ?settings, "the kernel's settings for IPv6 stay as they are");
    }
}
