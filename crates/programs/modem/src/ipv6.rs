//! Decides where an interface gets its IPv6 addresses from: from this program, or from the kernel,
//! which hears router advertisements.

use rccar_causes::causes;
use std::io;
use std::path::Path;

/// The kernel's settings of interfaces. A process with CAP_NET_ADMIN may write them.
const SETTINGS: &str = "/proc/sys/net/ipv6/conf";

/// Makes the kernel take addresses and a default route from advertisements (`accept_ra` 2: also on
/// a machine that forwards). With `anew` the kernel drops those that it has and asks routers at
/// once; else nothing happens if the kernel takes advertisements already.
pub(crate) fn advertised(interface: &str, metric: u32, anew: bool) {
    let is = |name: &str, value: &str| {
        let text = std::fs::read_to_string(Path::new(SETTINGS).join(interface).join(name));
        text.is_ok_and(|text| text.trim() == value)
    };
    if !anew && is("accept_ra", "2") && is("disable_ipv6", "0") {
        return;
    }
    // Off and on again: that drops old addresses, and the kernel asks routers when it is on.
    write(
        interface,
        &[("disable_ipv6", 1), ("accept_ra", 2), ("ra_defrtr_metric", metric), ("disable_ipv6", 0)],
    );
}

/// Makes the kernel take addresses from advertisements, in addition to those that pppd gives. The
/// caller adds a default route with our metric beside the kernel's.
pub(crate) fn heard(interface: &str) {
    write(interface, &[("accept_ra", 2)]);
}

/// Makes the kernel ignore advertisements, so that the interface has only the addresses and routes
/// that this program gives it.
pub(crate) fn given(interface: &str) {
    write(interface, &[("accept_ra", 0), ("disable_ipv6", 0)]);
}

/// Switches IPv6 off: addresses and routes from advertisements go.
pub(crate) fn off(interface: &str) {
    write(interface, &[("disable_ipv6", 1)]);
}

/// If this program may not write, the kernel's defaults stay. They are nearly the same: it accepts
/// advertisements, with a metric of 1024.
fn write(interface: &str, settings: &[(&str, u32)]) {
    let folder = Path::new(SETTINGS).join(interface);
    let outcome: io::Result<()> = settings
        .iter()
        .try_for_each(|(name, value)| std::fs::write(folder.join(name), value.to_string()));
    if let Err(error) = outcome {
        tracing::debug!(
            error = %causes(&error),
            interface,
            ?settings,
            "the kernel's settings for IPv6 stay as they are"
        );
    }
}
