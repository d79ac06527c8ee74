//! Adding a car.

use super::App;
use super::caller::Caller;
use super::error::ApiError;
use super::request::OwnJson;
use crate::address::Peer;
use crate::backend::{AccountError, Backend, Mode};
use crate::names::PublicUrl;
use crate::own_addresses::own_addresses;
use crate::provision::provision_file;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use rccar_protocol::text::Name;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;

#[derive(Deserialize)]
pub(crate) struct Wish {
    /// Name of the car; without it the car's own choice counts.
    name: Option<Name>,
    /// Address under which the car finds the host, as a person typed it.
    url: Option<String>,
}

#[derive(Serialize)]
struct Body {
    token: String,
    expires_at: u64,
    /// Address under which a car finds the host. `null`: the host knows only addresses that would
    /// mean the car itself, so the page has to ask a person.
    url: Option<String>,
    /// Lines for `car.toml`. Without such an address they are for a car on the host's own machine.
    config: String,
    /// The whole `provision.toml` for its SD card; without an address if there is none for others.
    provision: String,
}

#[derive(Serialize)]
struct Addresses {
    /// Where a car may find the host, the best first. Empty: as `url` of an enrolment that is
    /// `null`.
    addresses: Vec<String>,
    /// Nothing but this machine itself reaches the host, as far as the host knows: a proxy may
    /// stand in front of it.
    local_only: bool,
}

/// `GET /api/v1/addresses`: for people who add a car.
pub(crate) async fn addresses<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(peer): Extension<Peer>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if app.backend.mode() == Mode::Car {
        return Err(AccountError::NotOffered.into());
    }
    let _ = caller.user()?;
    let public = app.options.public_url.as_ref();
    let best = address_for_cars(public, opened_address(&headers).as_ref(), peer.local);
    // A host with a public address lets nobody in by another one.
    let only = app.options.only_name().is_some();
    let own = if only { Vec::new() } else { own_addresses(&app.options.listens) };
    let own: Vec<_> = own
        .into_iter()
        .filter_map(|address| PublicUrl::try_from(format!("http://{address}")).ok())
        .collect();
    let local_only = best.is_none() && own.is_empty();
    let mut addresses: Vec<String> = Vec::new();
    for url in best.into_iter().chain(own).map(|url| url.to_string()) {
        if !addresses.contains(&url) {
            addresses.push(url);
        }
    }
    let body = Json(Addresses { addresses, local_only });
    Ok(([(CACHE_CONTROL, "no-store")], body).into_response())
}

/// `POST /api/v1/enrolments`
pub(crate) async fn enrol<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(peer): Extension<Peer>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    OwnJson(wish): OwnJson<Wish>,
) -> Result<Response, ApiError> {
    if app.backend.mode() == Mode::Car {
        return Err(AccountError::NotOffered.into());
    }
    let (user, _) = caller.user()?;
    // Checked before the token is made: a refusal must not leave a valid token that nobody has
    // seen.
    let public = app.options.public_url.as_ref();
    let said = wish.url.map(|url| said_address(&url, public)).transpose()?;
    let opened = opened_address(&headers);
    let url = said.or_else(|| address_for_cars(public, opened.as_ref(), peer.local));
    let enrolment = app.backend.enrol(user, wish.name.clone()).await?;
    let (token, url) = (enrolment.token.as_str().to_owned(), url.map(|url| url.to_string()));
    let here = url
        .clone()
        .or(opened.map(|url| url.to_string()))
        .unwrap_or_else(|| "http://localhost".to_owned());
    // Neither a URL nor a token holds what TOML would have to escape.
    let config = format!("[host]\nurl = \"{here}\"\nenrolment = \"{token}\"\n");
    let provision = provision_file(url.as_deref(), &token, wish.name.as_ref().map(Name::as_str));
    let body = Json(Body { token, expires_at: enrolment.expires_at, url, config, provision });
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], body).into_response())
}

fn said_address(said: &str, public: Option<&PublicUrl>) -> Result<PublicUrl, ApiError> {
    let url = PublicUrl::try_from(said.trim().to_owned())
        .map_err(|error| ApiError::BadAddress(error.to_string()))?;
    url.check_for_cars(public).map_err(|error| ApiError::BadAddress(error.to_string()))?;
    Ok(url)
}

/// The address under which the page was opened. Browsers send it with its scheme (`Origin`), other
/// programs send the host only.
fn opened_address(headers: &HeaderMap) -> Option<PublicUrl> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let opened =
        text(ORIGIN).map(str::to_owned).or_else(|| text(HOST).map(|host| format!("http://{host}")));
    PublicUrl::try_from(opened?).ok()
}

/// The configured address, else the one under which the page was opened. An address that would mean
/// the car itself, such as `localhost`, is passed over.
///
/// A car signs the name that it dials, and the host has to know that name as its own. It does not
/// know a name that only the local network has, so its address in numbers takes the place of that.
fn address_for_cars(
    public: Option<&PublicUrl>,
    opened: Option<&PublicUrl>,
    reached: SocketAddr,
) -> Option<PublicUrl> {
    let found = public.into_iter().chain(opened).find(|url| !url.is_loopback())?.clone();
    let reached = SocketAddr::new(reached.ip().to_canonical(), reached.port());
    let numbers =
        PublicUrl::try_from(format!("http://{reached}")).ok().filter(|url| !url.is_loopback());
    let is_known = found.check_for_cars(public).is_ok() || found.is_https();
    if is_known { Some(found) } else { Some(numbers.unwrap_or(found)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(public: Option<&str>, host: &str, origin: Option<&str>) -> Option<String> {
        address_at(public, host, origin, "127.0.0.1:8080")
    }

    fn address_at(
        public: Option<&str>,
        host: &str,
        origin: Option<&str>,
        reached: &str,
    ) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        origin.into_iter().for_each(|origin| drop(headers.insert(ORIGIN, origin.parse().unwrap())));
        let public = public.map(|url| PublicUrl::try_from(url.to_owned()).unwrap());
        address_for_cars(
            public.as_ref(),
            opened_address(&headers).as_ref(),
            reached.parse().unwrap(),
        )
        .map(|url| url.to_string())
    }

    #[test]
    fn the_car_gets_the_address_that_works_for_other_machines_than_the_host() {
        let lan = "192.168.1.5:8080";
        assert_eq!(
            address(Some("https://drive.example"), lan, None).unwrap(),
            "https://drive.example"
        );
        assert_eq!(address(None, lan, None).unwrap(), "http://192.168.1.5:8080");
        assert_eq!(
            address(None, "drive.example", Some("https://drive.example")).unwrap(),
            "https://drive.example"
        );
        assert_eq!(
            address(Some("http://localhost:8080"), lan, None).unwrap(),
            "http://192.168.1.5:8080"
        );
        assert_eq!(
            address_at(None, "rccar.lan:8080", None, "[::ffff:192.168.1.5]:8080").unwrap(),
            "http://192.168.1.5:8080"
        );
        assert_eq!(
            address(None, "rccar.lan:8080", None).unwrap(),
            "http://rccar.lan:8080",
            "behind a proxy"
        );
        assert_eq!(
            said_address(" http://10.0.0.7:8080 ", None).unwrap().to_string(),
            "http://10.0.0.7:8080"
        );
    }

    #[test]
    fn an_address_that_means_the_machine_itself_is_never_given_out() {
        for host in ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:8080"]
        {
            let origin = format!("http://{host}");
            for (public, origin) in
                [(None, None), (None, Some(origin.as_str())), (Some(origin.as_str()), None)]
            {
                assert_eq!(address(public, host, origin), None, "{host}");
            }
            assert!(
                said_address(&origin, None).unwrap_err().to_string().contains("the car itself"),
                "{host}"
            );
        }
        assert!(
            said_address("drive.example", None).unwrap_err().to_string().contains("https://name")
        );
    }
}
