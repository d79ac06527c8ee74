//! What signing in costs a host.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::Host;
use std::net::Ipv4Addr;

/// Checks of passwords, half of them right.
const CHECKS: u32 = 1_000;
/// At a time: two of either kind. A name may be tried five times at once.
const AT_ONCE: u32 = 4;
/// How much the program may grow or shrink, in kB.
const FLAT: f64 = 32.0 * 1024.0;

/// Checks number `first` and every `AT_ONCE`th from there; the odd ones are wrong.
fn check(host: &Host, first: u32, upto: u32) {
    for number in (first..upto).step_by(AT_ONCE as usize) {
        let wrong = number % 2 == 1;
        // A guesser has to change name and address, or waits.
        let name = if wrong { format!("guest {number}") } else { "Ada".to_owned() };
        let client = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 0)) + number).to_string();
        let body = format!(r#"{{"name":"{name}","password":"correct horse"}}"#);
        let headers = [("content-type", "application/json"), ("x-forwarded-for", client.as_str())];
        let (status, _, _) = host.transfer("POST", "/api/v1/sign-in", &headers, body.as_bytes());
        assert_eq!(status, if wrong { 401 } else { 204 }, "{body}");
    }
}

fn checks(host: &Host, from: u32, upto: u32) {
    std::thread::scope(|scope| {
        (0..AT_ONCE).for_each(|turn| drop(scope.spawn(move || check(host, from + turn, upto))));
    });
}

#[test]
#[allow(clippy::print_stdout, reason = "the figure")]
fn row_1_a_thousand_right_and_wrong_passwords_take_no_more_memory_than_a_few() {
    let host = Host::start_with("trusted_proxies = [\"127.0.0.1\"]\n");
    host.set_up();
    // As many as there are threads for: what each keeps for itself is there by then.
    checks(&host, 0, 40);
    let before = host.resident_kb();
    checks(&host, 40, 40 + CHECKS);
    let grown = host.resident_kb() - before;
    println!("{CHECKS} checks: resident memory grew by {grown} kB, from {before} kB");
    assert!(grown.abs() <= FLAT, "{grown} kB");
}
