//! Puts the parts together and serves.

use crate::accounts::Accounts;
use crate::config::Config;
use crate::db::backup;
use crate::db::{Db, DbError, Store, unix_now};
use crate::error::HostError;
use crate::files;
use crate::ice::{self};
use crate::lifetimes::SETUP_LINK;
use crate::password::Hasher;
use crate::plain_http::is_between_neighbours;
use crate::releases::{ReleaseStore, Shelf, announce_releases, keep_updates};
use crate::sockets::listen;
use crate::tls::{self, Front, Identity};
use rccar_causes::causes;
use rccar_daemon::cli::print;
use rccar_daemon::{notify, shutdown};
use rccar_protocol::text::Software;
use rccar_relay::Relay;
use rccar_site::{
    Exchange, Limits, Listening, Options, PublicUrl, Token, redirect, router_with_releases, serve,
};
use rccar_tls::Certificate;
use std::future::pending;
use std::mem::take;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// How often the host looks for changes by the command line. People wait for their effect.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Every so many looks the host removes expired sign-ins: a minute more or less after 30 days is
/// nothing.
const LOOKS_PER_PURGE: u32 = 60;

/// Runs the host until a signal stops it.
pub(crate) fn run(config: &Config) -> Result<(), HostError> {
    tokio::runtime::Runtime::new().map_err(HostError::Runtime)?.block_on(host(config))
}

async fn host(config: &Config) -> Result<(), HostError> {
    files::allow_all_that_may_be_opened();
    let _alone = backup::hold(&config.database.path)?;
    let mut store = Store::open(&config.database.path)?;
    store.purge(unix_now())?;
    if config.turn.credential_ttl_s() < config.turn.credential_ttl_s {
        tracing::warn!(
            "turn.credential_ttl_s = {} counts as {}: credentials are renewed while a drive goes on",
            config.turn.credential_ttl_s,
            config.turn.credential_ttl_s()
        );
    }
    let (certificate, renewal) = match tls::identity(config)? {
        Some(Identity { certificate, renewal }) => (Some(certificate), renewal),
        None => (None, None),
    };
    let (ice, relay) = ice::start(config, certificate.as_ref())?;
    let mut sockets = Sockets {
        plain: listen(&config.http.listen)?,
        tls: listen(&config.tls.listen)?,
        redirect: listen(&config.tls.redirect_listen)?,
    };
    let software = Software::new(concat!("rccar-host/", env!("CARGO_PKG_VERSION")))?;
    let shelf = Shelf::open(&config.releases_dir(), config.releases.keyring.as_deref())?;
    shelf.tidy();
    let exchange = Exchange::start_with_access(
        rccar_rooms::Options {
            drives_go_on: true,
            by_rights: true,
            idle: config.drives.idle(),
            ..rccar_rooms::Options::new(software.clone())
        },
        Arc::new(ice),
        // A new secret at each start: the access tokens of cars end with the process.
        Token::generate()?,
    );
    exchange.set_admins(store.admins()?).await;
    exchange.set_cars(store.enrolled_cars()?).await;
    exchange.remember_updates(store.remembered_updates()?).await;
    let setup_link = setup_link(config, &mut store)?;

    let known_browsers = store.key_of_known_browsers()?;
    let db = Db::start(store)?;
    let options = Options {
        public_url: config.http.public_url.clone(),
        // As they are: with port 0 the system chose one.
        listens: sockets.plain.iter().filter_map(|socket| socket.local_addr().ok()).collect(),
        plain_http: if config.http.allow_public_http { |_| true } else { is_between_neighbours },
        trusted_proxies: config.http.proxies(),
        known_browsers: Some(known_browsers),
        limits: Limits {
            connections: config.http.max_connections,
            connections_per_address: config.http.max_connections_per_address,
            strangers: config.http.strangers(),
            downloads: config.releases.max_downloads,
            downloads_per_car: config.releases.max_downloads_per_car,
            ..Limits::default()
        },
        ..Options::new(software)
    };
    let changed = Arc::new(Notify::new());
    let releases =
        ReleaseStore::new(db.clone(), shelf, config.releases.max_bytes, Arc::clone(&changed));
    let accounts = Accounts::new(db.clone(), Hasher::new()?, config.accounts);
    let page =
        router_with_releases(exchange.clone(), Arc::new(accounts), options, Arc::new(releases));
    let spread = Duration::from_secs(config.releases.announce_spread_s.into());
    let mut tasks = JoinSet::new();
    tasks.spawn(keep_updates(db.clone(), exchange.watch_updates().await));
    tasks.spawn(announce_releases(db.clone(), exchange.clone(), Arc::clone(&changed), spread));
    tasks.spawn(watch(db, exchange.clone(), changed));
    if let Some(relay) = &relay {
        tasks.spawn(ice::follow_networks(relay.control()));
    }
    if let (Some(url), false) = (&config.http.public_url, sockets.redirect.is_empty()) {
        let leading = redirect(url, Limits::default());
        tasks.spawn(serve(take(&mut sockets.redirect), leading, pending()));
    }
    if let Some(renewal) = renewal {
        tasks.spawn(renewal.run());
    }
    print_addresses(&sockets, config.http.public_url.as_ref(), setup_link.as_deref())?;
    notify::ready();
    let plain = sockets.plain.into_iter().map(Listening::from);
    let listening: Vec<_> = match certificate {
        None => plain.collect(),
        Some(certificate) => {
            plain.chain(with_tls(sockets.tls, &certificate, relay.as_ref())).collect()
        }
    };
    let mut broken = false;
    serve(listening, page, async {
        tokio::select! {
            () = shutdown::signal() => {}
            // None of them ends by itself: without one the host would only look well.
            _ = tasks.join_next() => broken = true,
        }
        notify::stopping();
        // While the server still runs: the sockets say first why they close.
        exchange.shutdown().await;
    })
    .await;
    tasks.abort_all();
    if let Some(relay) = relay {
        relay.close().await;
    }
    if broken { Err(HostError::Task) } else { Ok(()) }
}

/// The sockets of the page.
struct Sockets {
    plain: Vec<TcpListener>,
    tls: Vec<TcpListener>,
    /// Leads to the page over TLS.
    redirect: Vec<TcpListener>,
}

fn with_tls<'a>(
    sockets: Vec<TcpListener>,
    certificate: &'a Arc<Certificate>,
    relay: Option<&'a Relay>,
) -> impl Iterator<Item = Listening> + use<'a> {
    sockets.into_iter().map(move |socket| {
        let address = socket.local_addr().ok();
        let turn = relay.zip(address).map(|(relay, address)| relay.streams(address));
        let front = Front { certificate: Arc::clone(certificate), turn };
        Listening::with_tls(socket, Arc::new(front))
    })
}

/// Prints one line to the standard output when clients can come, for scripts that start the host.
/// Then it prints the set-up link there: the way in must not depend on what is logged, and the log
/// must not keep it.
fn print_addresses(
    sockets: &Sockets,
    url: Option<&PublicUrl>,
    setup_link: Option<&str>,
) -> Result<(), HostError> {
    let addresses = |of: &[TcpListener]| -> Vec<SocketAddr> {
        of.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    };
    let (tls, addresses) = (addresses(&sockets.tls), addresses(&sockets.plain));
    tracing::info!(?addresses, ?tls, "listening");
    let mut lines =
        addresses.first().map(|first| format!("listening on http://{first}\n")).unwrap_or_default();
    if let Some(url) = url.filter(|_| !tls.is_empty()) {
        lines += &format!("listening on {url}\n");
    }
    if let Some(link) = setup_link {
        tracing::info!(
            "nobody may sign in yet; the link that sets the host up was printed to the standard \
             output"
        );
        lines += &format!(
            "nobody may sign in yet; open this link within 24 hours to set the host up:\n{link}\n"
        );
    }
    // In one write: a script that waits for the first line may close the pipe after it.
    Ok(print(&lines)?)
}

/// While there is no account, each start makes a new link and withdraws the one before.
fn setup_link(config: &Config, store: &mut Store) -> Result<Option<String>, HostError> {
    if store.has_accounts()? {
        return Ok(None);
    }
    let token = Token::generate()?;
    store.set_setup_link(token.hash(), unix_now() + SETUP_LINK)?;
    Ok(Some(format!("{}/#/setup?token={}", config.url(), token.as_str())))
}

/// Carries what the command line changed, and what has expired, into the rooms.
async fn watch(db: Db, exchange: Exchange, changed: Arc<Notify>) {
    let mut looks = interval(LOOK_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut version, mut count) = (None, 0_u32);
    loop {
        looks.tick().await;
        count = count.wrapping_add(1);
        let due = count % LOOKS_PER_PURGE == 0;
        let before = version;
        let outcome = look(&db, &exchange, &mut version, due).await;
        if before != version {
            changed.notify_one();
        }
        if let Err(error) = outcome {
            tracing::error!(error = %causes(&error), "cannot look for changes in the database");
        }
    }
}

async fn look(
    db: &Db,
    exchange: &Exchange,
    version: &mut Option<i64>,
    due: bool,
) -> Result<(), DbError> {
    let found = db.run(|store| store.data_version()).await?;
    if *version == Some(found) && !due {
        return Ok(());
    }
    exchange.set_admins(db.run(|store| store.admins()).await?).await;
    exchange.set_cars(db.run(|store| store.enrolled_cars()).await?).await;
    if due {
        db.run(|store| store.purge(unix_now())).await?;
    }
    for sign_in in exchange.sign_ins().await {
        if db.run(move |store| store.sign_in(sign_in, unix_now())).await?.is_none() {
            exchange.revoke(sign_in).await;
        }
    }
    // Only connected drivers have a sign-in above. A session outlives its connection for a while,
    // so its user is looked up, too.
    for user in exchange.users().await {
        let name = user.clone();
        if db.run(move |store| store.account(name.as_str())).await?.is_none() {
            exchange.revoke_user(user).await;
        }
    }
    // Last: after an error the next look does everything again.
    *version = Some(found);
    Ok(())
}
