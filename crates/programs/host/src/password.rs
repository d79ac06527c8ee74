//! Passwords: argon2id, a few at a time, in memory that is allocated once.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use rccar_site::Password;
use std::fmt::{self, Debug, Display, Formatter};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Memory in KiB, passes and lanes: 19 MiB, 2, 1 (OWASP Password Storage Cheat Sheet, argon2id).
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Passwords checked at a time. Strangers who guess take this many times 19 MiB and this many
/// threads, and no more.
const AT_ONCE: usize = 2;
/// Passwords that wait for their turn: a second or two on a small machine. A client that comes then
/// is refused at once, which is better than a long wait.
const WAITING: usize = 16;

#[derive(Debug, thiserror::Error)]
pub(crate) enum HashError {
    #[error("cannot hash a password: {0}")]
    Failed(String),
    #[error("too many passwords wait to be checked")]
    Busy,
}

#[derive(Debug, Clone)]
pub(crate) struct Hasher {
    turns: Arc<Semaphore>,
    /// For passwords that are being checked and those that wait.
    places: Arc<Semaphore>,
    /// One memory for each turn. Otherwise the allocator would keep one for each thread that ever
    /// had a turn, hundreds of them.
    memories: Arc<Mutex<Vec<Memory>>>,
    /// Checked where there is no hash, so that a refusal takes as long for an unknown name as for a
    /// wrong password.
    dummy: Arc<str>,
}

impl Hasher {
    pub(crate) fn new() -> Result<Self, HashError> {
        let mut nobody = [0; 32];
        getrandom::fill(&mut nobody).map_err(|error| failed(&error))?;
        let mut memories: Vec<_> = std::iter::repeat_with(Memory::reserve).take(AT_ONCE).collect();
        let dummy = memories
            .first_mut()
            .map(|memory| memory.hash(&Password(hex::encode(nobody))))
            .transpose()?
            .unwrap_or_default();
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Ok(Self {
            turns: semaphore(AT_ONCE),
            places: semaphore(AT_ONCE + WAITING),
            memories: Arc::new(Mutex::new(memories)),
            dummy: dummy.into(),
        })
    }

    pub(crate) async fn hash(&self, password: Password) -> Result<String, HashError> {
        self.in_turn(move |memory| memory.hash(&password)).await?
    }

    /// Whether the password fits the stored hash. Without a hash it never fits, and the check takes
    /// as long.
    pub(crate) async fn verify(
        &self,
        password: Password,
        stored: Option<String>,
    ) -> Result<bool, HashError> {
        let dummy = Arc::clone(&self.dummy);
        self.in_turn(move |memory| {
            let fits = memory.verify(&password, stored.as_deref().unwrap_or(&dummy));
            stored.is_some() && fits
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| HashError::Busy)?;
        // The semaphore is never closed.
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|error| failed(&error))?;
        let memories = Arc::clone(&self.memories);
        // The work goes on when its client hangs up, so the work itself holds the turn.
        let work = move || {
            let _until_done = (place, turn);
            let mut memory = Lent::take(&memories);
            work(&mut memory.memory)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))
    }
}

/// A memory that goes back when this is dropped, also by a panic.
struct Lent<'a> {
    memory: Memory,
    to: &'a Mutex<Vec<Memory>>,
}

impl<'a> Lent<'a> {
    fn take(from: &'a Mutex<Vec<Memory>>) -> Self {
        let memory = from.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self { memory: memory.unwrap_or_else(Memory::reserve), to: from }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut memory = std::mem::take(&mut self.memory);
        memory.give_back();
        self.to.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }
}

/// The working memory of one computation.
#[derive(Default)]
pub(crate) struct Memory(Vec<Block>);

impl Debug for Memory {
    /// It may still hold traces of a password.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} blocks)", self.0.len())
    }
}

impl Memory {
    /// As much as [`COST`] takes.
    pub(crate) fn reserve() -> Self {
        Self(vec![Block::default(); cost().map_or(0, |params| params.block_count())])
    }

    /// Gives back what a hash of higher costs took beyond [`COST`].
    fn give_back(&mut self) {
        let most = cost().map_or(0, |params| params.block_count());
        if self.0.len() > most {
            self.0.truncate(most);
            self.0.shrink_to_fit();
        }
    }

    /// The PHC string for a password.
    pub(crate) fn hash(&mut self, password: &Password) -> Result<String, HashError> {
        let mut salt = [0; Salt::RECOMMENDED_LENGTH];
        getrandom::fill(&mut salt).map_err(|error| failed(&error))?;
        let (algorithm, version, params) = (Algorithm::Argon2id, Version::V0x13, cost()?);
        let hash = PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: ParamsString::try_from(&params).map_err(|error| failed(&error))?,
            salt: Some(Salt::new(&salt).map_err(|error| failed(&error))?),
            hash: Some(self.derive(password, &salt, &Argon2::new(algorithm, version, params))?),
        };
        Ok(hash.to_string())
    }

    /// Takes the costs from the stored hash, so that raising [`COST`] locks nobody out.
    fn verify(&mut self, password: &Password, stored: &str) -> bool {
        self.derive_as(password, stored).is_some_and(|(expected, output)| expected == output)
    }

    /// The stored hash, and that of the password with the same salt and costs. `None`: the stored
    /// text is no hash of a known kind.
    fn derive_as(&mut self, password: &Password, stored: &str) -> Option<(Output, Output)> {
        let stored = PasswordHash::new(stored).ok()?;
        let (salt, expected) = (stored.salt?, stored.hash?);
        let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
        let version = stored.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
        let params = Params::try_from(&stored).ok()?;
        let output = self.derive(password, &salt, &Argon2::new(algorithm, version, params)).ok()?;
        Some((expected, output))
    }

    fn derive(
        &mut self,
        password: &Password,
        salt: &[u8],
        argon2: &Argon2<'_>,
    ) -> Result<Output, HashError> {
        let blocks = argon2.params().block_count();
        if self.0.len() < blocks {
            self.0.resize(blocks, Block::default());
        }
        let mut buffer = [0; Output::MAX_LENGTH];
        let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let output =
            buffer.get_mut(..length).ok_or_else(|| failed(&"the stored hash is too long"))?;
        argon2
            .hash_password_into_with_memory(
                password.0.as_bytes(),
                salt,
                output,
                &mut self.0[..blocks],
            )
            .map_err(|error| failed(&error))?;
        Output::new(output).map_err(|error| failed(&error))
    }
}

fn cost() -> Result<Params, HashError> {
    let (memory, passes, lanes) = COST;
    Params::new(memory, passes, lanes, None).map_err(|error| failed(&error))
}

fn failed(error: &dyn Display) -> HashError {
    HashError::Failed(error.to_string())
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
    async fn hashes_of_other_costs_are_checked_by_their_own() {
        let hasher = Hasher::new().unwrap();
        // Made by the reference implementation for "password" and "somesalt".
        for stored in [
            "$argon2id$v=19$m=64,t=1,p=2$c29tZXNhbHQ$fulyYjWJJvMORDFTPUq4Eatpl3lItiixI9xM9B6eb10",
            "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$lPDHmOTbbL/DCPkEffSNrhTyRIaXZdjg",
        ] {
            assert!(
                hasher.verify(Password("password".into()), Some(stored.into())).await.unwrap(),
                "{stored}"
            );
            assert!(
                !hasher.verify(Password("passwore".into()), Some(stored.into())).await.unwrap(),
                "{stored}"
            );
        }
        let memories = hasher.memories.lock().unwrap();
        assert_eq!(memories.len(), AT_ONCE);
        let usual = cost().unwrap().block_count();
        assert!(memories.iter().all(|memory| memory.0.len() == usual), "nothing more is kept");
    }

    /// Resident memory of this process in MiB (proc(5), `status`).
    fn resident() -> f64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// Each try runs on a new thread: memory that the allocator keeps for a thread would add up.
    #[test]
    #[allow(clippy::print_stdout, reason = "the figure")]
    fn three_hundred_tries_take_no_more_memory_than_one() {
        let hasher = Hasher::new().unwrap();
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let stored = runtime().block_on(hasher.hash(Password("correct horse".into()))).unwrap();
        let before = resident();
        for number in 0..150 {
            let (hasher, stored) = (hasher.clone(), stored.clone());
            let tries = async {
                let right = hasher.verify(Password("correct horse".into()), Some(stored));
                let wrong = hasher.verify(Password(format!("guess {number}")), None);
                let (right, wrong) = tokio::join!(right, wrong);
                assert!(right.unwrap() && !wrong.unwrap());
            };
            runtime().block_on(tries);
        }
        let grown = resident() - before;
        println!("300 tries: resident memory grew by {grown:.1} MiB, from {before:.1} MiB");
        assert!(grown < 32.0, "{grown} MiB");
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
        assert!(matches!(
            hasher.verify(Password("guess".into()), None).await,
            Err(HashError::Busy)
        ));
        // A client that hangs up makes room.
        waiting.shutdown().await;
        assert_eq!(hasher.places.available_permits(), AT_ONCE + WAITING);
    }
}
