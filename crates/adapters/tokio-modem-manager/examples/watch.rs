//! Prints every change of all modems, until the bus ends.
#![allow(clippy::print_stdout, reason = "an example")]

use futures_util::StreamExt;
use tokio_modem_manager::{Error, ModemManager};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let manager = ModemManager::system().await?;
    let mut snapshots = manager.snapshots();
    while let Some(snapshot) = snapshots.next().await {
        println!("daemon {}", snapshot.daemon.as_deref().unwrap_or("not running"));
        for modem in &snapshot.modems {
            let registration =
                modem.modem3gpp.as_ref().map_or("-", |modem| modem.registration.as_str());
            let (state, quality) = (modem.state, modem.signal_quality);
            println!(
                "  {} {state}, registration {registration}, signal {} %",
                modem.device, quality.percent
            );
            for bearer in modem.bearers.iter().filter(|bearer| bearer.connected) {
                println!(
                    "    {} {:?} {:?}",
                    bearer.interface.as_deref().unwrap_or("-"),
                    bearer.ip4,
                    bearer.ip6
                );
            }
        }
    }
    Ok(())
}
