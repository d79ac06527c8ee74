//! The web page, embedded.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../../web/dist"]
struct Dist;

/// On every response. The page loads nothing from elsewhere and is framed by nobody.
const SECURITY_HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; \
         media-src 'self' blob:; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "gamepad=(self), fullscreen=(self), autoplay=(self), screen-wake-lock=(self), \
         camera=(), microphone=(), geolocation=(), usb=()",
    ),
    ("x-frame-options", "DENY"),
];

pub(crate) async fn secure(mut response: Response) -> Response {
    for (name, value) in SECURITY_HEADERS {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// What a person sees who came to a place that does not exist. Without styles: a proxy may serve
/// this host below a path, where they would not be found either.
const NO_SUCH_PLACE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" \
    content=\"dark light\"><title>Not found \u{2013} rccar</title>\
    <main><h1>There is no such page</h1><p>The address is wrong, or a proxy passes on a path \
    that this host does not have.</p><p><a href=\"/\">To the cars</a></p></main></html>";

/// A file of the page, or the page itself at `/`: it keeps its own places behind the `#`.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, "only GET is served here").into_response();
    }
    let path = uri.path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    match Dist::get(path) {
        Some(file) => respond(path, file, &headers),
        None if path.rsplit('/').next().is_some_and(|last| last.contains('.')) => {
            (StatusCode::NOT_FOUND, "no such file").into_response()
        }
        None => {
            let headers = [(CONTENT_TYPE, content_type("html")), (CACHE_CONTROL, "no-cache")];
            (StatusCode::NOT_FOUND, headers, NO_SUCH_PLACE).into_response()
        }
    }
}

fn respond(path: &str, file: rust_embed::EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", hex::encode(file.metadata.sha256_hash()));
    // The names of assets hold a hash of their content; everything else is asked for each time.
    let cache = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let common = [(CACHE_CONTROL, cache), (ETAG, tag.as_str())];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(CONTENT_TYPE, content_type(path))], Body::from(file.data.into_owned()))
        .into_response()
}

/// Types of what Vite puts into a bundle.
fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &str, known: Option<&HeaderValue>) -> Response {
        let mut headers = HeaderMap::new();
        known.into_iter().for_each(|tag| drop(headers.insert(IF_NONE_MATCH, tag.clone())));
        serve(Method::GET, path.parse().unwrap(), headers).await
    }

    #[tokio::test]
    async fn the_page_answers_at_its_own_places_and_is_asked_for_each_time() {
        for path in ["/", "/index.html"] {
            let response = get(path, None).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
            assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
        }
        let tag = get("/", None).await.headers()[ETAG].clone();
        assert_eq!(get("/", Some(&tag)).await.status(), StatusCode::NOT_MODIFIED);
    }

    #[tokio::test]
    async fn places_that_do_not_exist_are_not_found_and_have_a_way_home() {
        for path in ["/cars", "/cars/abc", "/rccar/", "/a/b/c"] {
            let response = get(path, None).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
            let body = axum::body::to_bytes(response.into_body(), 4_096).await.unwrap();
            assert!(String::from_utf8_lossy(&body).contains("<a href=\"/\">"), "{path}");
        }
    }

    #[tokio::test]
    async fn what_makes_the_page_installable_has_its_type_and_is_asked_for_each_time() {
        for (path, kind) in [
            ("/manifest.webmanifest", "application/manifest+json"),
            ("/sw.js", "text/javascript; charset=utf-8"),
            ("/offline.en.html", "text/html; charset=utf-8"),
            ("/offline.de.html", "text/html; charset=utf-8"),
            ("/offline.css", "text/css; charset=utf-8"),
            ("/offline.js", "text/javascript; charset=utf-8"),
            ("/icons/icon.svg", "image/svg+xml"),
            ("/icons/icon-192.png", "image/png"),
            ("/icons/maskable-192.png", "image/png"),
            ("/icons/apple-touch-icon.png", "image/png"),
        ] {
            let response = get(path, None).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(response.headers()[CONTENT_TYPE], kind, "{path}");
            assert_eq!(response.headers()[CACHE_CONTROL], "no-cache", "{path}");
        }
    }

    #[tokio::test]
    async fn files_that_do_not_exist_are_not_found() {
        for path in ["/assets/none.js", "/../Cargo.toml", "/favicon.none"] {
            assert_eq!(get(path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn hashed_files_are_kept_for_ever() {
        let file = Dist::get("index.html").unwrap();
        let response = respond("assets/index-abc.js", file, &HeaderMap::new());
        assert!(response.headers()[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        assert_eq!(response.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
    }
}
