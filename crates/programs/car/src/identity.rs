//! The car's key: made at the first start, kept in the state directory, never shown.

use ed25519_dalek::{Signer, SigningKey};
use rccar_daemon::files::{self, FileError};
use rccar_protocol::identity::{CarKey, Nonce, Signature, registration_message};
use rccar_protocol::text::CarId;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    #[error("cannot use the car's key")]
    File(#[from] FileError),
    #[error(
        "{} does not hold a key of 32 bytes; remove it to make a new key, and enrol the car again",
        .0.display()
    )]
    Damaged(PathBuf),
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

pub(crate) struct Identity {
    key: SigningKey,
}

impl Identity {
    /// Reads `car.key` in `directory`, or makes it with mode 0600.
    pub(crate) fn load_or_create(directory: &Path) -> Result<Self, IdentityError> {
        let path = directory.join("car.key");
        if let Some(content) = files::read(&path)? {
            let secret: [u8; 32] = content.try_into().map_err(|_| IdentityError::Damaged(path))?;
            return Self { key: SigningKey::from_bytes(&secret) }.with_id_in(directory);
        }
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(IdentityError::Random)?;
        files::write(&path, &secret)?;
        tracing::info!(path = %path.display(), "made the car's key");
        Self { key: SigningKey::from_bytes(&secret) }.with_id_in(directory)
    }

    /// Writes the id to `car.id`, so that rccar-provision need not read the key for its report.
    fn with_id_in(self, directory: &Path) -> Result<Self, IdentityError> {
        let (path, id) = (directory.join("car.id"), format!("{}\n", self.id()));
        if files::read(&path)?.as_deref() != Some(id.as_bytes()) {
            files::write(&path, id.as_bytes())?;
        }
        Ok(self)
    }

    pub(crate) fn public(&self) -> CarKey {
        CarKey(self.key.verifying_key().to_bytes())
    }

    pub(crate) fn id(&self) -> CarId {
        self.public().id()
    }

    /// Answers a host's challenge. `host` is the authority that the car dialled. It must not come
    /// from the host: a host could pass another host's challenge on.
    pub(crate) fn answer(&self, host: &str, nonce: &Nonce) -> Signature {
        Signature(self.key.sign(&registration_message(host, nonce)).to_bytes())
    }
}
