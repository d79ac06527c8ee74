//! Close codes for the reasons that the rooms give.

use axum::extract::ws::CloseFrame;
use rccar_protocol::close::CloseCode;
use rccar_rooms::Close;

pub(crate) fn code(why: Close) -> CloseCode {
    match why {
        Close::Replaced => CloseCode::Replaced,
        Close::SignedOut => CloseCode::NotSignedIn,
        Close::Revoked | Close::NotEnrolled => CloseCode::Forbidden,
        Close::Shutdown => CloseCode::GoingAway,
    }
}

pub(crate) fn frame(code: CloseCode) -> CloseFrame {
    CloseFrame { code: code.code(), reason: code.text().into() }
}
