//! What a message costs does not depend on the number of cars.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::scale::{Core, KINDS};

/// Twenty times as many cars: deeper trees and more misses of the cache. A walk over all of them
/// would take twenty times as long.
const AT_MOST: f64 = 4.0;

#[test]
#[allow(clippy::print_stdout, reason = "the figures")]
fn row_3_registration_ping_and_update_cost_as_much_with_twenty_thousand_cars_as_with_a_thousand() {
    let sizes = [1_000, 10_000, 20_000];
    let mut cores = sizes.map(Core::new);
    for kind in KINDS {
        let costs = cores.each_mut().map(|core| core.cost(kind));
        println!("{kind}: {costs:?} with {sizes:?} cars");
        let ratio = costs[2].as_secs_f64() / costs[0].as_secs_f64();
        assert!(ratio <= AT_MOST, "{kind}: {costs:?} with {sizes:?} cars");
    }
}
