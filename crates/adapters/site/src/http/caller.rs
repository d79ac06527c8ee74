//! The sign-in that a request shows. The backend is asked once for each request.

use super::App;
use super::error::ApiError;
use crate::backend::{AccountError, Backend};
use crate::people::Person;
use crate::token::TokenHash;
use axum::http::HeaderMap;
use rccar_protocol::text::Name;

/// Who sent a request, by its cookie. Every request has one among its extensions.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Result<Option<(Person, TokenHash)>, AccountError>);

impl Caller {
    pub(crate) fn stranger() -> Self {
        Self(Ok(None))
    }

    pub(crate) async fn of<B: Backend>(app: &App<B>, headers: &HeaderMap) -> Self {
        let Some(sign_in) = app.shown_sign_in(headers) else { return Self::stranger() };
        Self(app.backend.who(sign_in).await.map(|user| user.map(|user| (user, sign_in))))
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        matches!(self.0, Ok(Some(_)))
    }

    /// `None`: the request has no cookie, or an old one.
    pub(crate) fn signed_in(self) -> Result<Option<(Person, TokenHash)>, ApiError> {
        self.0.map_err(Into::into)
    }

    pub(crate) fn person(self) -> Result<Person, ApiError> {
        Ok(self.signed_in()?.ok_or(ApiError::NotSignedIn)?.0)
    }

    pub(crate) fn user(self) -> Result<(Name, TokenHash), ApiError> {
        let (person, sign_in) = self.signed_in()?.ok_or(ApiError::NotSignedIn)?;
        Ok((person.name, sign_in))
    }
}
