//! A certificate authority that all programs of the story trust, and the host's certificate.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::fs;
use std::io;
use std::path::Path;

/// File of the authority's certificate. The story has a `/run` of its own.
pub(crate) const AUTHORITY: &str = "/run/ca.pem";

/// Makes both certificates. The host's files are `tls.pem` and `tls.key` in `folder`.
pub(crate) fn make(folder: &Path, name: &str) -> io::Result<()> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "network lab");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = authority.self_signed(&key).map_err(io::Error::other)?;
    fs::write(AUTHORITY, certificate.pem())?;
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let host = CertificateParams::new(vec![name.to_owned()])
        .and_then(|params| params.signed_by(&key, &issuer));
    fs::write(folder.join("tls.pem"), host.map_err(io::Error::other)?.pem())?;
    fs::write(folder.join("tls.key"), key.serialize_pem())
}
