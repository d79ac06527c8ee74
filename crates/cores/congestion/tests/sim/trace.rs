//! Uplinks of a phone that is driven through a city, made up.
//!
//! Each cell is passed in 8 to 20 s: good in its middle, worse at its edge, and between two cells
//! nothing for a moment. Houses and bridges take most of it away for seconds, and other phones make
//! it tremble. A hard one falls off cliffs besides: from 3.2 to 0.15 Mbit/s within 100 ms.

use super::dice::Dice;

/// Values for each 100 ms (bit/s), scaled to their mean.
pub fn lte(seed: u64, seconds: usize, mean: f64, hard: bool) -> Vec<f64> {
    let mut dice = Dice::new(seed ^ 0x17E);
    let slots = seconds * 10;
    let mut rates = Vec::with_capacity(slots);
    let mut shake: f64 = 0.0;
    while rates.len() < slots {
        let cell = dice.between(80.0, 200.0) as usize;
        let strength = dice.between(0.8, 1.4);
        let tries = if hard { 3 } else { 2 };
        let shadows: Vec<Shadow> =
            (0..tries).filter_map(|_| Shadow::cast(&mut dice, cell)).collect();
        let cliff = (hard && dice.chance(0.7)).then(|| {
            let from = dice.between(20.0, cell as f64 - 30.0) as usize;
            from..from + dice.between(10.0, 30.0) as usize
        });
        for slot in 0..cell {
            shake = 0.9f64.mul_add(shake, 0.13 * dice.normal());
            let middle = 1.0 - (2.0 * slot as f64 / cell as f64 - 1.0).powi(2);
            let mut rate = strength * 0.5f64.mul_add(middle, 0.6) * shake.exp();
            for shadow in shadows.iter().filter(|shadow| shadow.slots.contains(&slot)) {
                rate *= shadow.left * dice.between(0.7, 1.3);
            }
            if slot + 2 > cell {
                rate = 0.01;
            }
            rates.push(rate);
        }
        if let Some(cliff) = cliff {
            let edge = rates.len() - cell + cliff.start;
            // Wide before it: the controller has no warning.
            rates[edge - 15..edge].iter_mut().for_each(|rate| *rate = -3.2e6);
            rates[edge..edge + cliff.len()].iter_mut().for_each(|rate| *rate = -0.15e6);
        }
    }
    rates.truncate(slots);
    // Cliffs keep their height; the rest is scaled to what is left of the mean.
    let cliffs: f64 = rates.iter().filter(|rate| **rate < 0.0).sum();
    let rest: f64 = rates.iter().filter(|rate| **rate >= 0.0).sum();
    let scale = (mean * slots as f64 + cliffs) / rest;
    rates.iter().map(|rate| if *rate < 0.0 { -rate } else { rate * scale }).collect()
}

/// Something between car and mast.
struct Shadow {
    slots: std::ops::Range<usize>,
    /// Part of the rate that is left.
    left: f64,
}

impl Shadow {
    fn cast(dice: &mut Dice, cell: usize) -> Option<Self> {
        if !dice.chance(0.4) {
            return None;
        }
        let from = dice.between(0.0, cell as f64 - 40.0) as usize;
        let slots = from..from + dice.between(8.0, 35.0) as usize;
        Some(Self { slots, left: dice.between(0.04, 0.16) })
    }
}
