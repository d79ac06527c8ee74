//! What it means when the handshake with the host fails, in words for the person who set it up.
//!
//! A library says "HTTP error: 426 Upgrade Required" or "invalid peer certificate". A person needs
//! to know who answers in the host's place, and what to change.

use crate::host_url::HostUrl;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use tokio_rustls::rustls;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::http::{Response, Uri, header};

/// systemd-timesyncd makes this file when the clock is right.
const CLOCK_IS_RIGHT: &str = "/run/systemd/timesync/synchronized";
/// Its time is that of the image's build (systemd-timesyncd.service(8)).
const BUILT: &str = "/usr/lib/clock-epoch";
/// Longest part of an answer that is quoted, in characters.
const QUOTED: usize = 80;

/// Seconds since 1970.
type Seconds = u64;

/// What the car knows of the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) now: Seconds,
    /// When the image was built: no right clock shows less.
    pub(super) built: Option<Seconds>,
    /// Somebody who knows has set it since the start.
    pub(super) is_set: bool,
}

impl Clock {
    pub(super) fn read() -> Self {
        let seconds = |time: SystemTime| {
            time.duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default()
        };
        let built = Path::new(BUILT).metadata().and_then(|metadata| metadata.modified());
        Self {
            now: seconds(SystemTime::now()),
            built: built.ok().map(seconds),
            is_set: Path::new(CLOCK_IS_RIGHT).exists(),
        }
    }

    fn is_wrong(&self) -> bool {
        self.built.is_some_and(|built| self.now < built)
    }
}

/// Whether the clock may be the cause, so that a better time would help.
pub(super) fn may_be_the_clock(error: &Error, clock: Clock) -> bool {
    let Error::Io(error) = error else { return false };
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(wrong)) = inner else { return false };
    let early = matches!(
        wrong,
        rustls::CertificateError::NotValidYet | rustls::CertificateError::NotValidYetContext { .. }
    );
    !clock.is_set && (early || clock.is_wrong())
}

/// What an error of the handshake means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The host is at this address: the same name, and not less safe than before.
    MovedTo(HostUrl),
    Words(String),
}

/// `None`: the error says all that is known.
pub(super) fn meaning(error: &Error, url: &HostUrl, clock: Clock) -> Option<Meaning> {
    let at = url.origin();
    let words = match error {
        Error::Http(response) => return Some(of_response(response, url)),
        Error::Io(error) => {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match (inner, error.kind()) {
                (Some(error), _) => of_tls(error, url, clock)?,
                (None, std::io::ErrorKind::UnexpectedEof) => closed(url),
                _ => return None,
            }
        }
        Error::Protocol(ProtocolError::HandshakeIncomplete) => closed(url),
        Error::Protocol(ProtocolError::HttparseError(_)) => {
            format!("what answers at {at} is no web server: is the port right?")
        }
        Error::Protocol(
            ProtocolError::MissingUpgradeWebSocketHeader
            | ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::SecWebSocketAcceptKeyMismatch,
        ) => no_upgrade(&at),
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => format!(
            "what answers at {at} takes WebSockets but is no rccar host: another program has this \
             address"
        ),
        _ => return None,
    };
    Some(Meaning::Words(words))
}

fn no_upgrade(at: &str) -> String {
    format!(
        "a proxy in front of {at} does not pass WebSockets on: it has to forward the headers \
         Upgrade and Connection to the host, by HTTP/1.1"
    )
}

fn closed(url: &HostUrl) -> String {
    let at = url.origin();
    let hint = if url.is_secure() {
        "a proxy or a firewall refuses it, or this port is not the host's"
    } else {
        "this port may want https://, or is not the host's"
    };
    format!("what is at {at} hangs up before it says a word: {hint}")
}

fn of_response(response: &Response<Option<Vec<u8>>>, url: &HostUrl) -> Meaning {
    let at = url.origin();
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let is_page = header(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"));
    if status.is_redirection()
        && let Some(location) = header(header::LOCATION)
    {
        return of_redirect(location, url);
    }
    let portal = "a network's sign-in page (captive portal), or another site under this name";
    let words = match status.as_u16() {
        511 => {
            format!("the car's network wants a sign-in on a web page (captive portal), not {at}")
        }
        200..=299 if is_page => format!("a web page answers at {at} and not the host: {portal}"),
        200..=299 => {
            format!("something answers at {at} that is not the host ({status}): is the port right?")
        }
        400 if !url.is_secure() => {
            format!("{}. Or this port wants https:// ({status})", no_upgrade(&at))
        }
        400 | 426 => format!("{} ({status})", no_upgrade(&at)),
        401 | 403 | 407 => format!(
            "a proxy or a firewall in front of {at} lets the car not through ({status}): cars need \
             the path /ws/car without a sign-in of the proxy"
        ),
        404 | 405 | 410 => format!(
            "a web server answers at {at}, but no rccar host ({status}): another server has this \
             name, or a proxy has the host below a path; the host needs a name or a port of its own"
        ),
        408 | 425 | 429 => format!("{at} is asked too often and wants the car to wait ({status})"),
        502..=504 => format!(
            "a proxy answers at {at}, but the host behind it does not run, or the proxy does not \
             reach it ({status})"
        ),
        _ => format!("{at} answers {status} where a host takes a car"),
    };
    Meaning::Words(words)
}

/// A redirect is followed to the same name only, and never from https to http: whoever answers on
/// an unsafe connection must not be able to send the car to a host of theirs.
fn of_redirect(location: &str, url: &HostUrl) -> Meaning {
    let at = url.origin();
    let shown: String = location.chars().filter(|c| !c.is_control()).take(QUOTED).collect();
    let Ok(to) = location.parse::<Uri>() else {
        return Meaning::Words(format!("{at} sends the car on to `{shown}`, which is no address"));
    };
    let Some(host) = to.host() else {
        return Meaning::Words(format!(
            "{at} sends the car on to the path `{shown}`: a proxy asks for a sign-in, or has the \
             host below a path; the host needs a name or a port of its own"
        ));
    };
    if !host.eq_ignore_ascii_case(url.host()) {
        let host: String = host.chars().take(QUOTED).collect();
        return Meaning::Words(format!(
            "{at} sends the car on to another name, {host}, which the car does not follow: if the \
             host is there, put that address into `url`; otherwise it is a network's sign-in page \
             (captive portal)"
        ));
    }
    let authority = to.authority().map_or(host, |authority| authority.as_str());
    let next = HostUrl::try_from(format!("{}://{authority}", to.scheme_str().unwrap_or_default()));
    match next {
        Ok(next) if url.is_secure() && !next.is_secure() => Meaning::Words(format!(
            "{at} sends the car on to http://, where nothing is kept secret: the car does not follow"
        )),
        Ok(next) if next == *url => Meaning::Words(format!(
            "{at} sends the car on to itself (`{shown}`): a proxy in front of it goes round in \
             circles, or asks for a sign-in"
        )),
        Ok(next) => Meaning::MovedTo(next),
        Err(_) => Meaning::Words(format!("{at} sends the car on to `{shown}`, which is no host")),
    }
}

fn of_tls(error: &rustls::Error, url: &HostUrl, clock: Clock) -> Option<String> {
    use rustls::CertificateError as Wrong;
    let at = url.origin();
    let today = date(clock.now);
    let ntp = "the car sets its clock by NTP (UDP port 123), which this network may keep back";
    if clock.is_wrong() && matches!(error, rustls::Error::InvalidCertificate(_)) {
        let built = clock.built.map(date).unwrap_or_default();
        return Some(format!(
            "the car's clock is wrong: it shows {today}, and the car's programs were made on \
             {built}; no certificate can be judged by it. {ntp}"
        ));
    }
    Some(match error {
        rustls::Error::InvalidCertificate(wrong) => match wrong {
            Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => {
                let begins = match wrong {
                    Wrong::NotValidYetContext { not_before, .. } => date(not_before.as_secs()),
                    _ => "later".to_owned(),
                };
                let cause = match clock.is_set {
                    true => "the host's certificate is for later",
                    false => "the car's clock is wrong",
                };
                format!(
                    "{cause}: the clock shows {today}, the certificate of {at} begins {begins}. {ntp}"
                )
            }
            Wrong::Expired | Wrong::ExpiredContext { .. } => {
                let ended = match wrong {
                    Wrong::ExpiredContext { not_after, .. } => date(not_after.as_secs()),
                    _ => "earlier".to_owned(),
                };
                let doubt = match clock.is_set {
                    true => String::new(),
                    false => format!(". Or the car's clock is wrong, which shows {today}"),
                };
                format!(
                    "the certificate of {at} ended {ended}: whoever runs the host has to renew it{doubt}"
                )
            }
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
                let names = match wrong {
                    Wrong::NotValidForNameContext { presented, .. } => presented.join(", "),
                    _ => String::new(),
                };
                let names: String =
                    names.chars().filter(|c| !c.is_control()).take(QUOTED).collect();
                let names = if names.is_empty() { names } else { format!(" ({names})") };
                format!(
                    "what answers at {at} has a certificate for another name{names}: another \
                     server, a network's sign-in page (captive portal), or a proxy that is set up \
                     for other names"
                )
            }
            Wrong::UnknownIssuer => format!(
                "the certificate of {at} is signed by nobody whom the car trusts: a network's \
                 sign-in page (captive portal), or a certificate that its owner made; the host \
                 needs one that browsers take without a question"
            ),
            Wrong::Revoked => {
                format!("the certificate of {at} was revoked: the host needs a new one")
            }
            other => format!("the certificate of {at} is not right ({other:?})"),
        },
        rustls::Error::InvalidMessage(_) => format!(
            "what answers at {at} does not speak TLS: this port may want http://, or is not the \
             host's"
        ),
        rustls::Error::AlertReceived(alert) => {
            format!("what answers at {at} breaks TLS off ({alert:?}): it may not know this name")
        }
        _ => return None,
    })
}

/// `2026-11-30`, UTC.
fn date(seconds: Seconds) -> String {
    let time = i64::try_from(seconds).ok().map(OffsetDateTime::from_unix_timestamp);
    time.and_then(Result::ok).map_or_else(|| "never".to_owned(), |time| time.date().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::CertificateError;
    use rustls::pki_types::UnixTime;
    use std::time::Duration;

    /// 2026-11-30.
    const NOW: Seconds = 1_795_996_800;
    const DAY: Seconds = 86_400;

    fn url(text: &str) -> HostUrl {
        HostUrl::try_from(text.to_owned()).unwrap()
    }

    fn clock(now: Seconds) -> Clock {
        Clock { now, built: Some(NOW - 30 * DAY), is_set: false }
    }

    fn words(error: &Error, at: &str, clock: Clock) -> String {
        match meaning(error, &url(at), clock) {
            Some(Meaning::Words(words)) => words,
            other => panic!("{error}: {other:?}"),
        }
    }

    fn http(status: u16, headers: &[(&str, &str)]) -> Error {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        Error::Http(Box::new(response.body(None).unwrap()))
    }

    #[test]
    fn whoever_answers_in_the_hosts_place_is_named() {
        let page = [("Content-Type", "text/html; charset=utf-8")];
        for (status, headers, said) in [
            (200, &page[..], "captive portal"),
            (200, &[], "not the host (200 OK)"),
            (400, &[], "headers Upgrade and Connection"),
            (426, &[], "headers Upgrade and Connection"),
            (401, &[], "without a sign-in"),
            (403, &page, "lets the car not through"),
            (404, &page, "below a path"),
            (429, &[], "too often"),
            (502, &page, "does not run"),
            (504, &[], "does not run"),
            (511, &page, "captive portal"),
            (418, &[], "418"),
        ] {
            let words = words(&http(status, headers), "https://drive.example", clock(NOW));
            assert!(words.contains(said), "{status}: {words}");
            assert!(words.contains("https://drive.example"), "{status}: {words}");
        }
        let plain = words(&http(400, &[]), "http://drive.example:443", clock(NOW));
        assert!(plain.contains("this port wants https://"), "{plain}");
    }

    #[test]
    fn a_redirect_is_followed_to_the_same_name_and_never_to_a_less_safe_one() {
        let to = |from: &str, location: &str| {
            meaning(&http(301, &[("Location", location)]), &url(from), clock(NOW)).unwrap()
        };
        for (from, location, next) in [
            ("http://drive.example", "https://drive.example/ws/car", "https://drive.example"),
            ("http://drive.example", "https://Drive.Example:443/", "https://drive.example"),
            (
                "http://drive.example:8080",
                "https://drive.example:8443/x",
                "https://drive.example:8443",
            ),
            (
                "https://drive.example",
                "https://drive.example:8443/ws/car",
                "https://drive.example:8443",
            ),
            ("http://[2001:db8::1]", "https://[2001:db8::1]/ws/car", "https://[2001:db8::1]"),
        ] {
            assert_eq!(to(from, location), Meaning::MovedTo(url(next)), "{from} {location}");
        }
        for (from, location, said) in [
            ("http://drive.example", "https://evil.example/ws/car", "another name, evil.example"),
            ("http://drive.example", "http://portal.example/?u=1", "captive portal"),
            ("http://drive.example", "https://drive.example.evil.example/", "another name"),
            ("https://drive.example", "http://drive.example/ws/car", "does not follow"),
            ("https://drive.example", "https://drive.example/login", "on to itself"),
            ("https://drive.example", "/rccar/ws/car", "below a path"),
            ("http://drive.example", "ftp://drive.example/", "which is no host"),
            ("http://drive.example", "::", "no address"),
            ("http://drive.example", "https://user@drive.example/", "which is no host"),
        ] {
            let Meaning::Words(words) = to(from, location) else { panic!("{location}") };
            assert!(words.contains(said), "{location}: {words}");
        }
        let long = "a".repeat(3000);
        for location in [format!("http://{long}/"), format!("/{long}"), format!("ftp://x/{long}")] {
            let Meaning::Words(words) = to("http://drive.example", &location) else { panic!() };
            assert!(words.len() < 500, "{words}");
        }
    }

    fn certificate(error: CertificateError) -> Error {
        let error = rustls::Error::InvalidCertificate(error);
        Error::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, error))
    }

    fn time(seconds: Seconds) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn a_clock_that_is_wrong_is_called_that() {
        let at = "https://drive.example";
        let early = certificate(CertificateError::NotValidYetContext {
            time: time(NOW),
            not_before: time(NOW + 2 * DAY),
        });
        let said = words(&early, at, clock(NOW));
        assert!(said.contains("clock is wrong") && said.contains("2026-12-02"), "{said}");
        let set = Clock { is_set: true, ..clock(NOW) };
        assert!(words(&early, at, set).contains("certificate is for later"));
        let old = certificate(CertificateError::ExpiredContext {
            time: time(NOW),
            not_after: time(NOW - DAY),
        });
        let said = words(&old, at, clock(NOW));
        assert!(said.contains("2026-11-29") && said.contains("clock"), "{said}");
        assert!(!words(&old, at, set).contains("clock"));
        // Before the programs were made nothing else is worth a word.
        for wrong in [CertificateError::UnknownIssuer, CertificateError::NotValidYet] {
            let said = words(&certificate(wrong), at, clock(0));
            assert!(said.contains("1970-01-01") && said.contains("clock is wrong"), "{said}");
        }
    }

    #[test]
    fn other_mistakes_of_tls_have_their_words() {
        let at = "https://drive.example";
        let other = certificate(CertificateError::NotValidForNameContext {
            expected: "drive.example".try_into().unwrap(),
            presented: vec!["portal.example".to_owned(), "\n".to_owned()],
        });
        assert!(words(&other, at, clock(NOW)).contains("another name (portal.example, )"));
        let unknown = certificate(CertificateError::UnknownIssuer);
        assert!(words(&unknown, at, clock(NOW)).contains("nobody whom the car trusts"));
        let plain = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        let plain = Error::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, plain));
        assert!(words(&plain, at, clock(NOW)).contains("does not speak TLS"));
    }
}
