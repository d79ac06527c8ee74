//! Offers of releases: `offer.json`.

use super::load;
use rccar_protocol::release::ReleaseOffer;
use rccar_protocol::signaling::{ErrorCode, Json};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    json: String,
    canonical: Option<bool>,
    means: Option<String>,
    error: Option<ErrorCode>,
}

#[test]
fn offers_read_and_write_as_the_vectors_say() {
    for Vector { name, json, canonical, means, error } in load::<Vector>("offer.json") {
        match (canonical, means, error) {
            (Some(true), None, None) => {
                let offer =
                    ReleaseOffer::parse(&json).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(offer.to_json(), json, "{name}");
            }
            (Some(false), Some(means), None) => {
                let offer =
                    ReleaseOffer::parse(&json).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(offer.to_json(), means, "{name}");
            }
            (None, None, Some(code)) => {
                let error = ReleaseOffer::parse(&json).expect_err(&format!("{name}: accepted"));
                assert_eq!(error.code, code, "{name}: {error}");
            }
            _ => panic!("{name}: needs `canonical`, `canonical` and `means`, or `error`"),
        }
    }
}
