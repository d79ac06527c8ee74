//! Gets a certificate from an authority, and a new one in good time (RFC 8555).
//!
//! The authority asks at port 443 of the name whether this program answers there (RFC 8737), so no
//! second port has to be open.

use super::TlsError;
use super::authority::Https;
use crate::config::Config;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount,
    NewOrder, Order, OrderStatus, RetryPolicy,
};
use rccar_causes::causes;
use rccar_daemon::files::{self, FileError};
use rccar_tls::{Certificate, Proof};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{sleep, timeout};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use webpki::EndEntityCert;
use x509_cert::der::Decode;

/// How often the certificate's age is looked at; the machine may have slept.
const LOOK_INTERVAL: Duration = Duration::from_secs(3600);
/// Pause after a first failure, which doubles. Let's Encrypt allows five failed proofs of a name in
/// an hour; these are at minute 0, 5, 15, 35 and 75.
const FIRST_PAUSE: Duration = Duration::from_secs(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3600);
/// Time for all of it, from the account to the certificate.
const WITHIN: Duration = Duration::from_secs(600);
/// Bytes of a chain with its key, and some more.
const LARGEST: usize = 32 * 1024;
/// How long the authority may take for a step.
const PATIENCE: Duration = Duration::from_secs(120);

/// Renews the certificate of one name.
pub(crate) struct Renewal {
    name: String,
    directory: String,
    contact: Option<String>,
    /// Chain and key.
    path: PathBuf,
    account: PathBuf,
    https: Https,
    certificate: Arc<Certificate>,
}

#[derive(Debug, thiserror::Error)]
enum AcmeError {
    #[error("the authority: {0}")]
    Authority(#[from] Error),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the authority does not take proofs over TLS (tls-alpn-01)")]
    NoSuchProof,
    #[error("cannot make the proof")]
    Proof(#[source] std::io::Error),
    #[error("the authority did not accept that this host is {name}: {why}")]
    Refused { name: String, why: String },
    #[error("it took longer than {} s", WITHIN.as_secs())]
    Slow,
    #[error("the certificate cannot be used")]
    Unusable(#[from] rccar_tls::CertificateError),
}

/// The file of the account.
#[derive(Serialize, Deserialize)]
struct Saved<C> {
    directory: String,
    account: C,
}

impl Renewal {
    /// `None` without a public name; `Config::check` has refused that.
    pub(crate) fn new(
        config: &Config,
        path: PathBuf,
        certificate: Arc<Certificate>,
    ) -> Result<Option<Self>, TlsError> {
        let Some(url) = &config.http.public_url else { return Ok(None) };
        let acme = &config.tls.acme;
        Ok(Some(Self {
            name: url.host().to_owned(),
            directory: acme.directory.clone(),
            contact: acme.contact.as_ref().map(|contact| format!("mailto:{contact}")),
            account: path.with_file_name("account.json"),
            path,
            https: Https::new(acme.root.as_deref()).map_err(TlsError::Root)?,
            certificate,
        }))
    }

    /// Keeps the certificate fresh. Never ends.
    pub(crate) async fn run(self) {
        // One from before serves while a new one is asked for.
        if let Err(error) = self.certificate.read() {
            tracing::info!(error = %causes(&error), "no certificate yet");
        }
        let mut pause = FIRST_PAUSE;
        loop {
            if !self.is_due(SystemTime::now()) {
                sleep(LOOK_INTERVAL).await;
                continue;
            }
            tracing::info!(
                name = self.name,
                directory = self.directory,
                "asking for a certificate"
            );
            let renewed = timeout(WITHIN, self.renew()).await.unwrap_or(Err(AcmeError::Slow));
            self.certificate.prove(None);
            match renewed {
                Ok(()) if !self.is_due(SystemTime::now()) => {
                    tracing::info!(name = self.name, "there is a new certificate");
                    pause = FIRST_PAUSE;
                    continue;
                }
                Ok(()) => tracing::error!(
                    name = self.name,
                    again_in_s = pause.as_secs(),
                    "the new certificate is due for renewal already: is this machine's clock right?"
                ),
                Err(error) => tracing::error!(
                    error = %causes(&error), again_in_s = pause.as_secs(),
                    "no new certificate{}", error.hint()
                ),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Whether the certificate is missing, of another name or authority, or in the last third of
    /// its life.
    fn is_due(&self, now: SystemTime) -> bool {
        let written = files::read(&self.path).ok().flatten().unwrap_or_default();
        if !written.starts_with(self.first_line().as_bytes()) {
            return true;
        }
        let Ok(der) = CertificateDer::from_pem_file(&self.path) else { return true };
        if self.certificate.acceptor().is_none() || !is_for(&self.name, &der) {
            return true;
        }
        let Ok(certificate) = x509_cert::Certificate::from_der(&der) else { return true };
        let validity = certificate.tbs_certificate.validity;
        let (from, until) =
            (validity.not_before.to_system_time(), validity.not_after.to_system_time());
        let life = until.duration_since(from).unwrap_or_default();
        now > until.checked_sub(life / 3).unwrap_or(until)
    }

    /// Whose certificate a file has. Text beside certificates is legal (RFC 7468 section 2).
    fn first_line(&self) -> String {
        format!("From {}\n", self.directory)
    }

    async fn renew(&self) -> Result<(), AcmeError> {
        let name = [Identifier::Dns(self.name.clone())];
        let account = self.account().await?;
        let ordered = account.new_order(&NewOrder::new(&name)).await;
        if ordered.as_ref().is_err_and(is_no_account) {
            // The authority has been set up anew, say. The next try makes another account.
            let _ = std::fs::remove_file(&self.account);
        }
        let mut order = ordered?;
        self.prove(&mut order).await?;
        let retries = RetryPolicy::new().timeout(PATIENCE);
        if order.poll_ready(&retries).await? != OrderStatus::Ready {
            let why = refusal(&mut order).await;
            return Err(AcmeError::Refused { name: self.name.clone(), why });
        }
        // A certificate that cannot be kept would count for the authority's limits all the same.
        let probe = self.path.with_extension("probe");
        files::write(&probe, &[0; LARGEST])?;
        let _ = std::fs::remove_file(&probe);
        let key = order.finalize().await?;
        let chain = order.poll_certificate(&retries).await?;
        let text = format!("{}{chain}\n{key}", self.first_line());
        files::write(&self.path, text.as_bytes())?;
        Ok(self.certificate.read()?)
    }

    async fn prove(&self, order: &mut Order) -> Result<(), AcmeError> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            // It remembers former proofs for a while.
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let mut challenge =
                authorization.challenge(ChallengeType::TlsAlpn01).ok_or(AcmeError::NoSuchProof)?;
            let digest = challenge.key_authorization().digest();
            let proof = Proof::new(&self.name, digest.as_ref()).map_err(AcmeError::Proof)?;
            self.certificate.prove(Some(proof));
            challenge.set_ready().await?;
        }
        Ok(())
    }

    /// The account of before, if it is one with this authority.
    async fn account(&self) -> Result<Account, AcmeError> {
        let builder = || Account::builder_with_http(Box::new(self.https.clone()));
        let saved = files::read(&self.account)?
            .and_then(|saved| serde_json::from_slice::<Saved<AccountCredentials>>(&saved).ok())
            .filter(|saved| saved.directory == self.directory);
        if let Some(saved) = saved {
            match builder().from_credentials(saved.account).await {
                // As good as no file.
                Err(Error::Crypto | Error::KeyRejected) => {}
                account => return Ok(account?),
            }
        }
        let contact: Vec<_> = self.contact.iter().map(String::as_str).collect();
        let new = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let (account, credentials) = builder().create(&new, self.directory.clone(), None).await?;
        let saved = Saved { directory: self.directory.clone(), account: &credentials };
        let text = serde_json::to_vec_pretty(&saved).map_err(Error::Json)?;
        files::write(&self.account, &text)?;
        Ok(account)
    }
}

impl AcmeError {
    /// What the operator has to look at.
    fn hint(&self) -> &'static str {
        match self {
            Self::Refused { .. } | Self::Authority(Error::Api(_)) => {
                ": the name must lead to this machine, and port 443 of it to this program"
            }
            _ => "",
        }
    }
}

fn is_no_account(error: &Error) -> bool {
    let Error::Api(problem) = error else { return false };
    problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:accountDoesNotExist")
}

/// What the authority says of the proof that it did not accept.
async fn refusal(order: &mut Order) -> String {
    let mut why = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        if let Ok(state) = authorization.refresh().await {
            let errors = state.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
            why.extend(errors.map(ToString::to_string));
        }
    }
    if why.is_empty() { "it does not say why".to_owned() } else { why.join("; ") }
}

fn is_for(name: &str, der: &CertificateDer<'_>) -> bool {
    let Ok(name) = ServerName::try_from(name) else { return false };
    EndEntityCert::try_from(der)
        .is_ok_and(|certificate| certificate.verify_is_valid_for_subject_name(&name).is_ok())
}
