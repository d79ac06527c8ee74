//! Leads clients of plain HTTP to the page over TLS.

use super::Site;
use crate::limits::Limits;
use crate::names::PublicUrl;
use crate::proxies::Proxies;
use axum::Router;
use axum::http::header::LOCATION;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

/// Sends everybody to the same path below this address, for good. Nothing but the question is taken
/// over plain HTTP: what a form or a car would send could have been read on the way already.
#[must_use]
pub fn redirect(to: &PublicUrl, limits: Limits) -> Site {
    let to = to.to_string();
    let router =
        Router::new().fallback(async move |method: Method, uri: Uri| lead(&to, &method, &uri));
    Site { router, limits, trusted_proxies: Proxies::default(), admits: |_| true }
}

fn lead(to: &str, method: &Method, uri: &Uri) -> Response {
    if ![Method::GET, Method::HEAD].contains(method) {
        return (StatusCode::FORBIDDEN, format!("this host is at {to}\n")).into_response();
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    // A path never begins with anything else, but `*` is a target, too.
    let path = if path.starts_with('/') { path } else { "/" };
    let place = format!("{to}{path}");
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, place)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_led_to_the_same_path_and_nothing_else_is_taken() {
        let led = |method: Method, uri: &str| {
            let answer = lead("https://drive.example", &method, &uri.parse().unwrap());
            let place =
                answer.headers().get(LOCATION).map(|place| place.to_str().unwrap().to_owned());
            (answer.status().as_u16(), place)
        };
        let to = |place: &str| (308, Some(format!("https://drive.example{place}")));
        assert_eq!(led(Method::GET, "/"), to("/"));
        assert_eq!(led(Method::HEAD, "/a?b=c&d"), to("/a?b=c&d"));
        assert_eq!(led(Method::GET, "http://other.example/x"), to("/x"), "the name is ours");
        assert_eq!(led(Method::GET, "//evil.example/"), to("//evil.example/"), "below our name");
        assert_eq!(led(Method::POST, "/api/v1/sign-in").0, 403);
    }
}
