//! The names of this host.

use axum::http::Uri;
use rccar_protocol::loopback::is_loopback;
use serde::Deserialize;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The address under which people and cars reach the host: `https://rccar.example.org`, with a port
/// where it is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl {
    https: bool,
    authority: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not of the form https://name or https://name:port, without a path")]
pub struct PublicUrlError(String);

impl PublicUrl {
    /// Whether browsers come over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Host and port as in the `Host` header: without the port where it is the scheme's own.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether it means the machine that uses it, such as `localhost`. It leads to the host only
    /// from the host itself.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.host())
    }

    /// The port that clients dial.
    #[must_use]
    pub fn port(&self) -> u16 {
        let own = if self.https { 443 } else { 80 };
        let port = self.authority.parse::<Uri>().ok().and_then(|uri| uri.port_u16());
        port.unwrap_or(own)
    }

    /// Host without port; IPv6 addresses without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        without_port(&self.authority).trim_start_matches('[').trim_end_matches(']')
    }
}

/// Why a car that is given an address would not find this host, or would not be let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CarUrlError {
    #[error("for the car, {0} is the car itself")]
    Loopback(String),
    /// A car signs the name that it dials, and the host has to know that name as its own.
    #[error(
        "this host does not know itself as {0}: give its address in numbers, or set \
         http.public_url in its configuration"
    )]
    UnknownName(String),
    /// A host with a public address lets nobody in by another one.
    #[error("cars reach this host as {0} only (http.public_url in its configuration)")]
    NotThePublicOne(PublicUrl),
}

impl PublicUrl {
    /// Checks that a car can be given this address. `public` is the host's configured one.
    pub fn check_for_cars(&self, public: Option<&Self>) -> Result<(), CarUrlError> {
        if self.is_loopback() {
            return Err(CarUrlError::Loopback(self.host().to_owned()));
        }
        match public.filter(|public| !public.is_loopback()) {
            Some(public) if public != self => Err(CarUrlError::NotThePublicOne(public.clone())),
            None if !self.is_numeric() => Err(CarUrlError::UnknownName(self.host().to_owned())),
            _ => Ok(()),
        }
    }

    /// Whether its host is an IP address.
    pub(crate) fn is_numeric(&self) -> bool {
        self.host().parse::<IpAddr>().is_ok()
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = PublicUrlError;
    fn try_from(text: String) -> Result<Self, PublicUrlError> {
        let error = || PublicUrlError(text.clone());
        let uri: Uri = text.parse().map_err(|_| error())?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(error()),
        };
        let authority = uri.authority().ok_or_else(error)?.as_str();
        let bare = uri.path_and_query().is_none_or(|path| path.as_str() == "/");
        if authority.contains('@') || !bare || uri.host().is_none_or(str::is_empty) {
            return Err(error());
        }
        Ok(Self { https, authority: normal(authority, https) })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.authority)
    }
}

/// Lower case, without the port that the scheme implies.
pub(crate) fn normal(authority: &str, https: bool) -> String {
    let authority = authority.to_ascii_lowercase();
    let implied = if https { ":443" } else { ":80" };
    authority.strip_suffix(implied).unwrap_or(&authority).to_owned()
}

/// Names that a car may sign when it registers over a connection that arrived at `local`: those of
/// `public` and no other, if there is one.
///
/// Each name counts with and without its port: for the car's owner a port is no part of a host's
/// identity, and a proxy in front may change it.
pub(crate) fn accepted(public: Option<&PublicUrl>, local: SocketAddr) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(url) = public {
        let implied = if url.https { 443 } else { 80 };
        names.extend([
            url.authority.clone(),
            format!("{}:{implied}", url.authority),
            without_port(&url.authority).to_owned(),
        ]);
        return names;
    }
    let local = SocketAddr::new(local.ip().to_canonical(), local.port());
    let text = local.to_string();
    names.extend([without_port(&text).to_owned(), text]);
    if local.ip().is_loopback() {
        names.extend(["localhost".to_owned(), format!("localhost:{}", local.port())]);
    }
    names
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port))
            if port.bytes().all(|b| b.is_ascii_digit())
                && !host.ends_with(':')
                && balanced(host) =>
        {
            host
        }
        _ => authority,
    }
}

/// `[::1` is half an address.
fn balanced(host: &str) -> bool {
    host.contains('[') == host.contains(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<PublicUrl, PublicUrlError> {
        PublicUrl::try_from(text.to_owned())
    }

    #[test]
    fn urls_are_brought_to_one_form() {
        assert_eq!(url("https://Rccar.Example:443/").unwrap().to_string(), "https://rccar.example");
        assert_eq!(url("http://[::1]:8080").unwrap().host(), "::1");
        assert_eq!(url("http://10.0.0.1:8080").unwrap().host(), "10.0.0.1");
    }

    #[test]
    fn cars_are_given_addresses_that_lead_to_the_host_and_that_it_knows_as_its_own() {
        let public = url("https://rccar.example").unwrap();
        let local = url("http://127.0.0.1:8080").unwrap();
        for (given, public, words) in [
            ("http://192.0.2.7:8080", None, None),
            ("http://[2001:db8::7]:8080", Some(&public), Some("https://rccar.example only")),
            ("https://RCCAR.example", Some(&public), None),
            ("http://rccar.example", Some(&public), Some("https://rccar.example only")),
            ("http://127.0.0.1:8080", Some(&public), Some("the car itself")),
            ("http://localhost", None, Some("the car itself")),
            ("http://rccar.lan:8080", None, Some("does not know itself as rccar.lan")),
            ("https://other.example", Some(&public), Some("public_url")),
            ("http://192.0.2.7:8080", Some(&local), None),
            ("http://rccar.lan:8080", Some(&local), Some("does not know itself as rccar.lan")),
        ] {
            let error =
                url(given).unwrap().check_for_cars(public).err().map(|error| error.to_string());
            assert!(
                error.as_deref().unwrap_or_default().contains(words.unwrap_or_default()),
                "{given}: {error:?}"
            );
            assert_eq!(error.is_some(), words.is_some(), "{given}");
        }
    }

    #[test]
    fn what_is_not_the_address_of_a_host_is_refused() {
        for text in [
            "",
            "rccar.example",
            "ftp://a",
            "https://a/path",
            "https://a/?q",
            "https://u:p@a",
            "https://",
        ] {
            assert!(url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn row_9_a_car_names_the_public_address_and_only_without_one_the_socket_that_it_reached() {
        let public = url("https://rccar.example").unwrap();
        let mut names = accepted(Some(&public), "127.0.0.1:8080".parse().unwrap());
        names.dedup();
        assert_eq!(names, ["rccar.example", "rccar.example:443", "rccar.example"]);
        let names = accepted(None, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(names, ["127.0.0.1", "127.0.0.1:8080", "localhost", "localhost:8080"]);
        let names = accepted(None, "[::ffff:192.0.2.1]:8080".parse().unwrap());
        assert_eq!(names, ["192.0.2.1", "192.0.2.1:8080"]);
        assert!(accepted(None, "[::1]:8080".parse().unwrap()).contains(&"[::1]".to_owned()));
    }
}
