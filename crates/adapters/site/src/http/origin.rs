//! Whether a request comes from a page of ours.

use crate::names::{PublicUrl, normal};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};

/// Whether a page of another origin sent this request. Asked for WebSockets, and for requests that
/// change something. `only` is the only name of this program, if it has one.
///
/// A program that is no browser sends no `Origin` and is let through: a forged request does harm
/// only from a browser, which adds the user's cookie, and every browser names the origin of such
/// requests.
pub(crate) fn is_foreign(headers: &HeaderMap, only: Option<&PublicUrl>) -> bool {
    match headers.get(ORIGIN) {
        Some(origin) => !origin.to_str().is_ok_and(|origin| is_own(origin, headers, only)),
        None => headers
            .get("sec-fetch-site")
            .is_some_and(|site| site != "same-origin" && site != "none"),
    }
}

fn is_own(origin: &str, headers: &HeaderMap, only: Option<&PublicUrl>) -> bool {
    // `null`, of sandboxed pages, has no authority.
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let https = match scheme {
        "https" => true,
        "http" => false,
        _ => return false,
    };
    let origin = normal(authority.as_str(), https);
    match only {
        Some(url) => url.is_https() == https && url.authority() == origin,
        // Without a configured address browsers come over what this program speaks itself: HTTP.
        None => {
            let host = headers.get(HOST).and_then(|host| host.to_str().ok());
            !https && host.is_some_and(|host| normal(host, https) == origin)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign_at(
        only: Option<&str>,
        host: &str,
        origin: Option<&str>,
        site: Option<&str>,
    ) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        origin.into_iter().for_each(|origin| drop(headers.insert(ORIGIN, origin.parse().unwrap())));
        site.into_iter()
            .for_each(|site| drop(headers.insert("sec-fetch-site", site.parse().unwrap())));
        let only = only.map(|url| PublicUrl::try_from(url.to_owned()).unwrap());
        is_foreign(&headers, only.as_ref())
    }

    fn foreign(host: &str, origin: Option<&str>, site: Option<&str>) -> bool {
        foreign_at(None, host, origin, site)
    }

    #[test]
    fn own_pages_are_own_whatever_the_port_is_called() {
        assert!(!foreign("h:8080", Some("http://h:8080"), Some("same-origin")));
        assert!(!foreign("h", Some("http://h:80"), None));
        assert!(!foreign("H:80", Some("http://h"), None));
    }

    #[test]
    fn row_9_the_origin_counts_with_its_scheme_and_beside_a_public_address_no_other_does() {
        let only = Some("https://rccar.example");
        let own = |origin| !foreign_at(only, "rccar.example", Some(origin), None);
        assert!(own("https://rccar.example") && own("https://RCCAR.example:443"));
        for other in ["http://rccar.example", "https://rccar.example:8443", "http://127.0.0.1:8080"]
        {
            assert!(!own(other), "{other}");
        }
        assert!(foreign_at(only, "h:8080", Some("http://h:8080"), None));
        assert!(foreign("h", Some("https://h"), None), "no page of plain HTTP");
    }

    #[test]
    fn other_pages_are_foreign() {
        for origin in
            ["http://evil", "http://h:8081", "null", "file://", "", "http://h.evil:8080", "ws://h"]
        {
            assert!(foreign("h:8080", Some(origin), None), "{origin}");
        }
        assert!(foreign("h", None, Some("cross-site")));
        assert!(foreign("h", None, Some("same-site")));
    }

    #[test]
    fn programs_send_no_origin() {
        assert!(!foreign("h", None, None));
    }
}
