//! Passwords: argon2id, at a bounded number at a time.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use rccar_signaling::Password;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Shortest password, in characters (NIST SP 800-63B section 5.1.1.2).
pub(crate) const MIN_CHARACTERS: usize = 8;
/// Memory in KiB, passes and lanes: 19 MiB, 2, 1 (OWASP Password Storage Cheat Sheet, argon2id).
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Passwords checked at a time: strangers who try take this many times 19 MiB and this many threads.
const AT_ONCE: usize = 2;
/// Passwords that wait for their turn: a second or two on a small machine. Whoever comes then is better told than kept waiting.
const WAITING: usize = 16;

/// Hashing failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashError {
    #[error("cannot hash a password: {0}")]
    Failed(String),
    #[error("too many passwords wait to be checked")]
    Busy,
}

/// Hashes and checks passwords.
#[derive(Debug, Clone)]
pub(crate) struct Hasher {
    turns: Arc<Semaphore>,
    /// Places for those whose turn it is and those who wait.
    places: Arc<Semaphore>,
    /// Checked where there is nothing to check, so that a refusal takes as long for an unknown name as for a wrong password.
    dummy: Arc<str>,
}

impl Hasher {
    pub(crate) fn new() -> Result<Self, HashError> {
        let mut nobody = [0; 32];
        getrandom::fill(&mut nobody).map_err(|error| failed(&error))?;
        let dummy = hash(&Password(hex::encode(nobody)))?;
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Ok(Self { turns: semaphore(AT_ONCE), places: semaphore(AT_ONCE + WAITING), dummy: dummy.into() })
    }

    /// The hash of a new password.
    pub(crate) async fn hash(&self, password: Password) -> Result<String, HashError> {
        self.in_turn(move || hash(&password)).await?
    }

    /// Whether the password fits the stored hash; without one it never does and takes as long.
    pub(crate) async fn verify(&self, password: Password, stored: Option<String>) -> Result<bool, HashError> {
        let dummy = Arc::clone(&self.dummy);
        self.in_turn(move || {
            let fits = verify(&password, stored.as_deref().unwrap_or(&dummy));
            stored.is_some() && fits
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, HashError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| HashError::Busy)?;
        // The semaphore is never closed.
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|error| failed(&error))?;
        // The work goes on if nobody waits for it any more, and keeps its turn as long.
        let work = move || {
            let _until_done = (place, turn);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))
    }
}

fn failed(error: &dyn std::fmt::Display) -> HashError {
    HashError::Failed(error.to_string())
}

/// The PHC string for a password.
pub(crate) fn hash(password: &Password) -> Result<String, HashError> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(|error| failed(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Ok(argon2.hash_password(password.0.as_bytes()).map_err(|error| failed(&error))?.to_string())
}

/// The costs are those of the stored hash, so that raising [`COST`] locks nobody out.
fn verify(password: &Password, stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|hash| Argon2::default().verify_password(password.0.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let hasher = Hasher::new().unwrap();
        let password = || Password("correct horse".into());
        let stored = hasher.hash(password()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(hasher.verify(password(), Some(stored.clone())).await.unwrap());
        assert!(!hasher.verify(Password("correct horsf".into()), Some(stored)).await.unwrap());
        assert!(!hasher.verify(password(), None).await.unwrap());
        assert!(!hasher.verify(password(), Some("damaged".into())).await.unwrap());
    }

    #[tokio::test]
    async fn a_crowd_is_sent_away_at_once() {
        let hasher = Hasher::new().unwrap();
        let _busy = Arc::clone(&hasher.turns).acquire_many_owned(2).await.unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE + WAITING {
            let hasher = hasher.clone();
            waiting.spawn(async move { hasher.verify(Password("guess".into()), None).await });
        }
        while hasher.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(hasher.verify(Password("guess".into()), None).await, Err(HashError::Busy)));
        // Whoever hangs up makes room.
        waiting.shutdown().await;
        assert_eq!(hasher.places.available_permits(), AT_ONCE + WAITING);
    }
}
