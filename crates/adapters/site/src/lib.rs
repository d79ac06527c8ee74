//! HTTP and WebSocket routes with the embedded web page: all of signaling but the accounts.
//!
//! **No client can stop the server, whether by what it sends or by what it does not read, and
//! nothing reaches the rooms unchecked**: every message is parsed at the socket, every queue
//! towards a client is bounded in messages and bytes, every connection has a budget.
//!
//! `rccar-host` serves drivers and cars with it; `rccar-car` serves its own page on the local
//! network, with itself as the only car ([`Exchange::attach_local_car`]). They differ in the
//! [`Backend`]: who may sign in, and which cars are known.
//!
//! ```text
//!  browser ── /ws/driver ──► socket task ─┐                ┌─► socket task ── /ws/car ── car
//!                             (Wire)      ├─► Exchange ────┤    (Wire)
//!  browser ── /ws/driver ──► socket task ─┘   owns Rooms   └─► channel ── the car's own process
//! ```
//!
//! ```no_run
//! # async fn example<B: rccar_site::Backend>(
//! #     backend: B,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use rccar_protocol::text::Software;
//! use rccar_site::{Exchange, NoIceServers, Options, router, serve};
//! use std::sync::Arc;
//!
//! let software = Software::new("example/0.1.0")?;
//! let exchange =
//!     Exchange::start(rccar_rooms::Options::new(software.clone()), Arc::new(NoIceServers));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! let page = router(exchange.clone(), Arc::new(backend), Options::new(software));
//! serve(vec![listener], page, async { /* until somebody asks to stop */ }).await;
//! exchange.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Design decisions
//!
//! * One task owns the rooms. It never waits for a client: a full outbox closes that client
//!   ([`CloseCode::SlowReader`](rccar_protocol::close::CloseCode::SlowReader)).
//! * The page is embedded: one file to install, and page and server always fit each other.
//! * The server is hyper's with limits of our own, because `axum::serve` bounds neither connections
//!   nor the time for a request.
//! * A car signs the name of the host. Accepted names come from the configuration and from the
//!   socket's own address, never from the `Host` header: an attacker who relays a car's answer
//!   would choose that.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod access;
mod address;
mod backend;
mod close;
mod exchange;
mod http;
mod ice;
mod known;
mod limits;
mod listening;
mod names;
mod options;
mod outbox;
mod own_addresses;
mod page;
mod people;
mod provision;
mod proxies;
mod releases;
mod rooms_task;
mod server;
mod socket;
mod status;
mod strangers;
mod throttle;
mod token;
mod waiters;

pub use address::Peer;
pub use backend::{
    AccountError, Backend, CarRegistration, Credentials, Enrolment, Mode, Password, RegisterError,
};
pub use exchange::Exchange;
pub use http::rights::{May, rights};
pub use http::{Site, redirect, router, router_with_releases};
pub use ice::{IceEnd, IcePeer, IceServers, NoIceServers};
pub use limits::Limits;
pub use listening::{Listening, Tls};
pub use names::{CarUrlError, PublicUrl, PublicUrlError};
pub use options::Options;
pub use people::{
    AccountInfo, EndedSignIns, NewLink, NewSignIn, Person, PersonInfo, Role, ShareInfo, SharesInfo,
    SignInInfo, SignedIn,
};
pub use provision::provision_file;
pub use proxies::{Proxies, ProxyHeader};
pub use rccar_crowd::Shares;
pub use rccar_rooms::{EnrolledCar, Shared};
pub use releases::{
    BundleFile, Release, ReleaseChange, ReleaseError, ReleaseQuestion, ReleaseRules, Releases,
    Upload, UploadWish,
};
pub use server::serve;
pub use status::{
    CarStatus, HostState, HostStatus, Provision, ProvisionFault, UnusedTable, Viewer,
};
pub use token::{Token, TokenHash};
