//! Asks the host for a release.

use crate::http::{HostClient, HttpError};
use hyper::StatusCode;
use rccar_protocol::MAX_MESSAGE_BYTES;
use rccar_protocol::release::{Channel, ReleaseOffer};
use rccar_update_core::{Release, Source, Version};

#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) channel: Channel,
    /// RAUC's `compatible` of this system.
    pub(crate) compatible: String,
    /// The release has to be newer than this.
    pub(crate) newer_than: Version,
}

/// Returns `None` if the host has no release for this car.
pub(crate) async fn ask(
    host: &HostClient,
    question: &Question,
) -> Result<Option<Release>, HttpError> {
    let Question { channel, compatible, newer_than } = question;
    let path = format!(
        "/api/v1/car/releases/offer?channel={channel}&compatible={}&running={}",
        escape(compatible),
        escape(&newer_than.to_string())
    );
    let answer = host.get(&path, None).await?;
    match answer.status() {
        StatusCode::OK => {
            let text = HostClient::text(answer, MAX_MESSAGE_BYTES).await?;
            let release = ReleaseOffer::parse(&text)
                .map_err(|error| HttpError::Answer(error.text.to_string()))?;
            accept(&release, question).map(Some)
        }
        StatusCode::NO_CONTENT => Ok(None),
        status => Err(HttpError::Status(status)),
    }
}

/// Refuses a release for another board or channel, which is a fault of the host.
fn accept(offer: &ReleaseOffer, question: &Question) -> Result<Release, HttpError> {
    if offer.compatible.as_str() != question.compatible || offer.channel != question.channel {
        let why = format!(
            "it offers {} of channel {} for {}",
            offer.version, offer.channel, offer.compatible
        );
        return Err(HttpError::Answer(why));
    }
    let version = offer
        .version
        .to_string()
        .parse()
        .map_err(|error: semver::Error| HttpError::Answer(error.to_string()))?;
    Ok(Release {
        version,
        size: offer.size.value(),
        source: Source::Host(offer.url.as_str().to_owned()),
    })
}

/// Percent-encodes every byte but the unreserved ones (RFC 3986 section 2.3).
fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_metadata_survives_the_query() {
        assert_eq!(escape("1.0.0-dev.1+a b"), "1.0.0-dev.1%2Ba%20b");
    }
}
