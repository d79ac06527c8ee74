//! `make bench-link`: how the picture fares on links that make it hard. Each scene prints its row
//! of a table, and fails only if there is no picture at all.
#![allow(clippy::print_stdout, reason = "the table is for the reader")]

use rccar_link_emulator::Scene;
use rccar_netlab::story;
use std::time::Duration;

macro_rules! scenes {
    ($($test:ident: $scene:expr;)*) => {
        $(
            #[test]
            #[ignore = "takes ten minutes: run make bench-link"]
            fn $test() {
                story(async |lab| {
                    let played = lab.play(&$scene).await;
                    println!("{played}");
                    let frames: u64 = played.watched.frames.iter().sum();
                    assert!(frames > 0, "{played}");
                });
            }
        )*
    };
}

scenes! {
    s01_steps: Scene::steps();
    s02_variable_capacity: Scene::variable();
    s03_loss_of_one_percent: Scene::loss("1 % lost, 60 ms", 10);
    s04_loss_of_five_percent: Scene::loss("5 % lost, 60 ms", 50);
    s05_bursts: Scene::bursts();
    s06_policer: Scene::policer();
    s07_mild_drive: Scene::drive(1);
    s08_mild_drive: Scene::drive(2);
    s09_hard_drive: Scene::drive(3);
    s10_hard_drive: Scene::drive(4);
    s11_cell_change: Scene::outage("400 ms of nothing", Duration::from_millis(400));
    s12_tunnel: Scene::outage("4 s of nothing", Duration::from_secs(4));
}
