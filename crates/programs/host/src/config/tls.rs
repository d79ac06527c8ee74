//! `[tls]` of `host.toml`.

use super::Config;
use rccar_daemon::config::ConfigError;
use rccar_site::PublicUrl;
use rccar_tls::CertificateFiles;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// The port that an authority asks at (RFC 8737 section 3).
const PORT_OF_PROOFS: u16 = 443;

/// TLS by the program itself.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tls {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) redirect_listen: Vec<SocketAddr>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) acme: Acme,
}

/// A certificate that the program gets by itself (RFC 8555).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Acme {
    pub(crate) agree_to_terms: bool,
    pub(crate) contact: Option<String>,
    pub(crate) directory: String,
    pub(crate) root: Option<PathBuf>,
    pub(crate) dir: Option<PathBuf>,
}

impl Default for Acme {
    fn default() -> Self {
        Self {
            agree_to_terms: false,
            contact: None,
            directory: "https://acme-v02.api.letsencrypt.org/directory".into(),
            root: None,
            dir: None,
        }
    }
}

impl Tls {
    pub(crate) fn is_on(&self) -> bool {
        !self.listen.is_empty()
    }

    /// The certificate that somebody else renews.
    pub(crate) fn files(&self) -> Option<CertificateFiles> {
        let (chain, key) = self.certificate.clone().zip(self.key.clone())?;
        Some(CertificateFiles { chain, key })
    }
}

impl Config {
    /// Unless configured, `acme` beside the database.
    pub(crate) fn acme_dir(&self) -> PathBuf {
        self.tls.acme.dir.clone().unwrap_or_else(|| self.database.path.with_file_name("acme"))
    }

    pub(super) fn check_tls(&self, file: &str) -> Result<(), ConfigError> {
        let rule = |key, message: &str| Err(ConfigError::rule(file, key, message));
        let tls = &self.tls;
        let own = tls.certificate.is_some() || tls.key.is_some();
        if !tls.is_on() {
            return if own || tls.acme.agree_to_terms || !tls.redirect_listen.is_empty() {
                rule("tls.listen", "name an address for TLS, such as \"0.0.0.0:443\"")
            } else {
                Ok(())
            };
        }
        let Some(url) = self.http.public_url.as_ref().filter(|url| url.is_https()) else {
            return rule("tls.listen", "needs an http.public_url that begins with https://");
        };
        if own && tls.files().is_none() {
            return rule("tls.certificate", "a certificate needs its key, tls.key, and a key it");
        }
        if own && tls.acme.agree_to_terms {
            return rule(
                "tls.acme",
                "either the files in tls.certificate and tls.key, or ACME, and not both",
            );
        }
        if !own {
            return check_acme(&tls.acme, url, file);
        }
        Ok(())
    }
}

fn check_acme(acme: &Acme, url: &PublicUrl, file: &str) -> Result<(), ConfigError> {
    let rule = |key, message: &str| Err(ConfigError::rule(file, key, message));
    if !acme.agree_to_terms {
        return rule(
            "tls.acme.agree_to_terms",
            "read the terms of the authority in tls.acme.directory and say true, or name the files \
             of a certificate in tls.certificate and tls.key",
        );
    }
    if url.host().parse::<IpAddr>().is_ok() || url.is_loopback() {
        return rule("http.public_url", "a certificate by ACME is for a name in the public DNS");
    }
    if url.port() != PORT_OF_PROOFS {
        return rule(
            "http.public_url",
            "has a port: authorities ask for the proof at port 443 only, so page and cars can as \
             well use it",
        );
    }
    if !acme.directory.starts_with("https://") {
        return rule("tls.acme.directory", "is an address that begins with https://");
    }
    let is_address = |text: &String| text.contains('@') && !text.contains([':', ' ', ',']);
    if acme.contact.as_ref().is_some_and(|contact| !is_address(contact)) {
        return rule("tls.acme.contact", "is one e-mail address, such as you@example.org");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::checked;

    const NAME: &str = "[http]\npublic_url = \"https://drive.example\"\n";

    #[test]
    fn files_or_an_authority_and_not_both() {
        let files = "[tls]\nlisten = [\"0.0.0.0:443\"]\ncertificate = \"a\"\nkey = \"b\"\n";
        assert!(checked(&format!("{NAME}{files}")).is_ok());
        let acme = "[tls]\nlisten = [\"0.0.0.0:443\"]\n[tls.acme]\nagree_to_terms = true\n";
        assert!(checked(&format!("{NAME}{acme}")).is_ok());
        assert!(checked(&format!("{NAME}{acme}contact = \"me@example.org\"")).is_ok());
        for (text, words) in [
            (files.to_owned(), &["tls.listen", "http.public_url"][..]),
            (format!("{NAME}{}", files.replace("key = \"b\"\n", "")), &["tls.certificate", "key"]),
            (format!("{NAME}{files}[tls.acme]\nagree_to_terms = true"), &["tls.acme", "not both"]),
            (format!("{NAME}[tls]\nlisten = [\"0.0.0.0:443\"]"), &["agree_to_terms", "terms"]),
            (format!("{NAME}[tls]\nredirect_listen = [\"0.0.0.0:80\"]"), &["tls.listen", ":443"]),
            (format!("{NAME}{acme}contact = \"mailto:me\""), &["tls.acme.contact", "e-mail"]),
            (format!("{NAME}{acme}directory = \"http://a\""), &["tls.acme.directory", "https"]),
            (
                acme.replacen("[tls]", "[http]\npublic_url = \"https://192.0.2.1\"\n[tls]", 1),
                &["http.public_url", "name"],
            ),
            (
                acme.replacen("[tls]", "[http]\npublic_url = \"https://a.example:8443\"\n[tls]", 1),
                &["http.public_url", "443"],
            ),
        ] {
            let error = checked(&text).unwrap_err();
            assert!(words.iter().all(|word| error.contains(word)), "{text}: {error}");
        }
    }
}
