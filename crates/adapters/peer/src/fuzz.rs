//! For the fuzz targets: what the stack makes of a driver's texts.

use rtc::ice::candidate::unmarshal_candidate;
use rtc::peer_connection::sdp::RTCSessionDescription;

/// Whether the stack can read an answer.
#[must_use]
pub fn answer(sdp: &str) -> bool {
    RTCSessionDescription::answer(sdp.to_owned())
        .is_ok_and(|description| description.unmarshal().is_ok())
}

/// Whether the stack can read a candidate line.
#[must_use]
pub fn candidate(line: &str) -> bool {
    unmarshal_candidate(line).is_ok()
}
