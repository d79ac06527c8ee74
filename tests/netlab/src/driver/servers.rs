//! Makes ICE servers usable for the driver's stack. A browser speaks TURN over TCP and TLS; the
//! stack needs a tunnel for that.

use rccar_protocol::ice_url::{IceTransport, IceUrl};
use rccar_protocol::signaling::IceServer;
use rccar_tunnel::{Local, Options, Server, ServerName, Tunnel};

/// The same servers, but those over streams are behind one tunnel.
///
/// # Panics
/// A name does not resolve.
#[allow(clippy::expect_used, reason = "this is what a failed test is")]
pub(super) async fn usable(mut servers: Vec<IceServer>) -> (Vec<IceServer>, Option<Tunnel>) {
    let mut options = Options::default();
    let mut tunnelled = None;
    for (index, server) in servers.iter_mut().enumerate() {
        for text in std::mem::take(&mut server.urls) {
            let url = IceUrl::parse(&text).expect("an address of an ICE server");
            let addresses = tokio::net::lookup_host((url.host, url.port))
                .await
                .expect("the host's name resolves");
            let tls = match url.transport {
                IceTransport::Udp => {
                    options.datagrams.extend(addresses);
                    server.urls.push(text);
                    continue;
                }
                IceTransport::Tcp => None,
                IceTransport::Tls => {
                    Some(ServerName::try_from(url.host.to_owned()).expect("a name"))
                }
            };
            tunnelled = Some(index);
            options.servers.extend(addresses.map(|address| Server { address, tls: tls.clone() }));
        }
    }
    let Some(index) = tunnelled else { return (servers, None) };
    let mut tunnel = Tunnel::new(options);
    tunnel.follow(&Local::all());
    servers[index]
        .urls
        .extend(tunnel.addresses().into_iter().map(|near| format!("turn:{near}?transport=udp")));
    (servers, Some(tunnel))
}
