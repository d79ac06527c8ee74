//! Connects the first modem: `connect APN`.
#![allow(clippy::print_stdout, reason = "an example")]

use tokio_modem_manager::{ConnectProperties, Error, IpFamilies, ModemManager, Selector};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let apn = std::env::args().nth(1).unwrap_or_else(|| "internet".to_owned());
    let modem = ModemManager::system().await?.modem(Selector::Any);
    let properties =
        ConnectProperties { ip_type: Some(IpFamilies::IPV4V6), ..ConnectProperties::apn(apn) };
    let path = modem.connect(&properties).await?;
    let bearer = modem.bearer(&path).await?;
    println!("connected on {}", bearer.interface.as_deref().unwrap_or("-"));
    println!("IPv4 {:?}\nIPv6 {:?}", bearer.ip4, bearer.ip6);
    Ok(())
}
