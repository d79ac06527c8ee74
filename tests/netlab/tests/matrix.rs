//! Every kind of access of the car against every kind of the driver: all connect, by the expected
//! path.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use rccar_netlab::{Access, cell, story};

macro_rules! matrix {
    ($($car_name:ident: $car:ident,)*) => {$(
        mod $car_name {
            use super::*;
            row! { $car;
                driver_without_nat: Open,
                driver_behind_full_cone: FullCone,
                driver_behind_address_restricted: AddressRestricted,
                driver_behind_port_restricted: PortRestricted,
                driver_behind_symmetric: Symmetric,
                driver_behind_cgnat: Cgnat,
                driver_with_ipv6_only: Ipv6Only,
                driver_without_udp: UdpBlocked,
            }
        }
    )*};
}

macro_rules! row {
    ($car:ident; $($name:ident: $driver:ident,)*) => {$(
        #[test]
        #[ignore = "needs namespaces and the programs: run ci/netlab"]
        fn $name() {
            story(async |lab| cell(lab, Access::$car, Access::$driver).await);
        }
    )*};
}

matrix! {
    car_without_nat: Open,
    car_behind_full_cone: FullCone,
    car_behind_address_restricted: AddressRestricted,
    car_behind_port_restricted: PortRestricted,
    car_behind_symmetric: Symmetric,
    car_behind_cgnat: Cgnat,
    car_with_ipv6_only: Ipv6Only,
    car_without_udp: UdpBlocked,
}
