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

/// A file of the page. A path whose last part has no dot is one of the page's own places:
/// `index.html` resolves it.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, "only GET is served here").into_response();
    }
    let path = uri.path().trim_start_matches('/');
    let is_place =
        path.is_empty() || !path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    let path = if is_place { "index.html" } else { path };
    match Dist::get(path) {
        Some(file) => respond(path, file, &headers),
        None => (StatusCode::NOT_FOUND, "no such file").into_response(),
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
        for path in ["/", "/index.html", "/cars/abc"] {
            let response = get(path, None).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
            assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
        }
        let tag = get("/", None).await.headers()[ETAG].clone();
        assert_eq!(get("/", Some(&tag)).await.status(), StatusCode::NOT_MODIFIED);
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
