//! Plays the scenes of the tests and prints what a driver would have seen.
//!
//! `cargo run --example scenes [-- PART OF A NAME]`
#![allow(clippy::print_stdout, reason = "that is what it is for")]

#[path = "../tests/sim/mod.rs"]
mod sim;

use sim::{scenes, sheet, world};

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    println!("{:<28} seed car {}", "scene", sheet::HEADER);
    for scene in scenes::all().iter().filter(|scene| scene.name.contains(&wanted)) {
        for seed in scenes::SEEDS {
            for (car, sheet) in world::play(scene, seed).iter().enumerate() {
                println!("{:<28} {seed:>4} {:>3} {sheet}", scene.name, car + 1);
            }
        }
    }
}
