//! Whether the traffic of updates is paid for by the byte.

use crate::config::Metered;
use rccar_interfaces::{is_driven_like_a_modem, is_named_like_a_modem};
use std::path::Path;

/// The kernel's routing tables, as text.
const ROUTES: [&str; 2] = ["/proc/net/route", "/proc/net/ipv6_route"];

pub(crate) fn is_metered(configured: Metered) -> bool {
    match configured {
        Metered::Always => true,
        Metered::Never => false,
        Metered::Auto => {
            let [four, six] =
                ROUTES.map(|path| std::fs::read_to_string(Path::new(path)).unwrap_or_default());
            default_interface(&four, &six).is_some_and(|interface| {
                is_named_like_a_modem(&interface) || is_driven_like_a_modem(&interface)
            })
        }
    }
}

/// The interface of the default route with the lowest metric. IPv6 counts only if there is no
/// default route by IPv4.
fn default_interface(four: &str, six: &str) -> Option<String> {
    let by_four = four.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_default = *fields.get(1)? == "00000000" && *fields.get(7)? == "00000000";
        is_default.then_some((fields.get(6)?.parse::<u32>().ok()?, fields[0].to_owned()))
    });
    let by_six = six.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_default =
            fields.first()?.bytes().all(|digit| digit == b'0') && *fields.get(1)? == "00";
        // The kernel's own "unreachable" route is a default route on the loopback interface.
        let interface = (*fields.get(9)?).to_owned();
        (is_default && interface != "lo")
            .then_some((u32::from_str_radix(fields[5], 16).ok()?, interface))
    });
    let best = |routes: Vec<(u32, String)>| {
        routes.into_iter().min_by_key(|(metric, _)| *metric).map(|(_, interface)| interface)
    };
    best(by_four.collect()).or_else(|| best(by_six.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    #[test]
    fn the_default_route_with_the_lowest_metric_counts() {
        let four = format!(
            "{HEAD}wwan0\t00000000\t0102A8C0\t0003\t0\t0\t700\t00000000\t0\t0\t0\n\
             wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n\
             wlan0\t0002A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0\n"
        );
        assert_eq!(default_interface(&four, "").as_deref(), Some("wlan0"));
    }

    #[test]
    fn ipv6_counts_where_there_is_no_ipv4() {
        let zero = "00000000000000000000000000000000";
        let six = format!(
            "{zero} 00 {zero} 00 fe800000000000000000000000000001 \
             00000400 00000001 00000000 00000003 wwan0\n\
             {zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n"
        );
        assert_eq!(default_interface(HEAD, &six).as_deref(), Some("wwan0"));
        assert_eq!(default_interface(HEAD, ""), None);
    }

    #[test]
    fn the_configuration_has_the_last_word() {
        assert!(is_metered(Metered::Always));
        assert!(!is_metered(Metered::Never));
    }
}
