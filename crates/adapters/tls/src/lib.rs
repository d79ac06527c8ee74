//! The certificate that a server shows, from two files (PEM) which are read again when they have
//! changed. Whoever renews them, this crate or another program, writes them and does no more.
//!
//! An authority asks for a proof that the server answers under its name: over TLS, with a
//! certificate that holds the authority's question (RFC 8737). [`Certificate::prove`] answers while
//! the server goes on serving everybody else.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod certificate;
mod challenge;
mod files;

pub use certificate::Certificate;
pub use challenge::Proof;
pub use files::{CertificateError, CertificateFiles};
pub use tokio_rustls::TlsAcceptor;
pub use tokio_rustls::server::TlsStream;
