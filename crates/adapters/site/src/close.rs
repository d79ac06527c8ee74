//! Why the rooms close a connection, in words of the wire.

use axum::extract::ws::CloseFrame;
use rccar_protocol::close::CloseCode;
use rccar_rooms::Close;

/// What the client is told when the rooms want its connection closed.
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
