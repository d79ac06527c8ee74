//! Interfaces that pppd configures.

use super::{Connected, Keeper, LOOK, Link, LinkError, Links, kernel, usable};
use crate::dhcp::Port;
use crate::ipv6;
use crate::ppp::Dialled;
use crate::settings::{Given, Settings};
use futures_util::TryStreamExt;
use rccar_causes::causes;
use rtnetlink::RouteMessageBuilder;
use rtnetlink::packet_route::route::RouteAttribute;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long pppd asks for addresses: ten times, 3 s apart (pppd(8), ipcp-max-configure,
/// ipcp-restart).
const PPP_LIMIT: Duration = Duration::from_secs(30);
/// How long IPv4 may come after IPv6: three questions of pppd, which asks for both at once.
const IPV4_BEHIND: Duration = Duration::from_secs(9);

impl Links {
    /// Takes over an interface to which pppd gives addresses, and adds the default routes. If there
    /// is no address in time, the line is hung up.
    pub(crate) async fn adopt(&self, mut dialled: Dialled) -> Result<Connected, LinkError> {
        match self.await_ppp(&mut dialled).await {
            Ok((port, link)) => Ok(Connected {
                link,
                port,
                settings: Settings::default(),
                keeper: Keeper::Ppp(dialled),
            }),
            Err(error) => {
                dialled.hang_up().await;
                Err(error)
            }
        }
    }

    /// Waits for an address. pppd reports that it is up as soon as one family is, and IPv6 then has
    /// only a link-local address. So this waits a little longer for IPv4.
    async fn await_ppp(&self, dialled: &mut Dialled) -> Result<(Port, Link), LinkError> {
        let port = self.port(&dialled.line.interface).await?;
        ipv6::heard(&port.name);
        let begin = Instant::now();
        let addresses = loop {
            let addresses = self.usable_addresses(&port).await?;
            let limit = if addresses.is_empty() { PPP_LIMIT } else { IPV4_BEHIND };
            if addresses.iter().any(IpAddr::is_ipv4)
                || (begin.elapsed() >= limit && !addresses.is_empty())
            {
                break addresses;
            }
            if addresses.is_empty() && begin.elapsed() >= limit {
                return Err(LinkError::NoAddress { interface: port.name });
            }
            tokio::select! {
                // The addresses go with pppd.
                () = dialled.ended() => return Err(LinkError::NoAddress { interface: port.name }),
                () = sleep(LOOK) => {}
            }
        };
        self.keep_routes(&port, &addresses).await?;
        let link = Link {
            interface: port.name.clone(),
            index: port.index,
            prefix: if addresses.first().is_some_and(IpAddr::is_ipv4) { 32 } else { 128 },
            addresses,
            dns: dialled.line.name_servers(),
            advertised: true,
        };
        Ok((port, link))
    }

    /// IPv4 comes first.
    pub(super) async fn usable_addresses(&self, port: &Port) -> Result<Vec<IpAddr>, LinkError> {
        let mut addresses: Vec<IpAddr> =
            self.present(port).await?.iter().filter_map(usable).collect();
        addresses.sort_by_key(IpAddr::is_ipv6);
        Ok(addresses)
    }

    /// Adds a default route for each family that has an address. It names no gateway: PPP has only
    /// two ends. A route that is there stays untouched, because programs that follow the routes
    /// would see a change. An error only if no family has a route.
    pub(super) async fn keep_routes(
        &self,
        port: &Port,
        addresses: &[IpAddr],
    ) -> Result<(), LinkError> {
        let families = [
            addresses.iter().find(|address| address.is_ipv4()),
            addresses.iter().find(|address| address.is_ipv6()),
        ];
        let (mut kept, mut failed) = (false, None);
        for address in families.into_iter().flatten() {
            let outcome = match self.has_default_route(port, address.is_ipv4()).await {
                Ok(true) => Ok(()),
                Ok(false) => {
                    self.add_route(port, &Given { address: *address, prefix: 128, gateway: None })
                        .await
                }
                Err(error) => Err(error),
            };
            match outcome {
                Ok(()) => kept = true,
                Err(error) => {
                    tracing::warn!(error = %causes(&error), %address, "an address without a route");
                    failed = Some(error);
                }
            }
        }
        failed.filter(|_| !kept).map_or(Ok(()), Err)
    }

    /// Whether the interface has a default route with our metric.
    async fn has_default_route(&self, port: &Port, ipv4: bool) -> Result<bool, LinkError> {
        let family = match ipv4 {
            true => RouteMessageBuilder::<Ipv4Addr>::new().build(),
            false => RouteMessageBuilder::<Ipv6Addr>::new().build(),
        };
        let mut routes = self.handle.route().get(family).execute();
        while let Some(route) =
            routes.try_next().await.map_err(kernel(&port.name, "list its routes"))?
        {
            let has = |wanted: &RouteAttribute| route.attributes.contains(wanted);
            let ours = has(&RouteAttribute::Oif(port.index))
                && has(&RouteAttribute::Priority(self.metric));
            if route.header.destination_prefix_length == 0 && ours {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
