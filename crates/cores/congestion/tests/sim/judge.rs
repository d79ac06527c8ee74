//! What every drive is held to, and the figures of one that fails.

use super::scenes::SEEDS;
use super::sheet::{HEADER, Sheet};
use super::world::{Scene, play};

/// Plays a scene with each seed.
pub fn each(scene: &Scene, check: impl Fn(&[Sheet])) {
    for seed in SEEDS {
        let sheets = play(scene, seed);
        println!("{}, seed {seed}\n{HEADER}", scene.name);
        sheets.iter().for_each(|sheet| println!("{sheet}"));
        for sheet in &sheets {
            assert!(sheet.painted() > 100, "pictures are seen");
            // A copy may be lost, too.
            assert!(sheet.copies <= 2 * sheet.lost, "no storm of copies");
        }
        check(&sheets);
    }
}

/// As [`each`], with one car.
pub fn alone(scene: &Scene, check: impl Fn(&Sheet)) {
    each(scene, |sheets| {
        assert_eq!(sheets.len(), 1);
        sheets.iter().for_each(&check);
    });
}

/// Bytes on the air beside the target, over any 5 s.
pub fn spends_no_more_than_said(sheet: &Sheet) {
    assert!(sheet.air() <= 1.15, "{:.2} of the target on the air", sheet.air());
}
