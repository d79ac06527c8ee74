//! Answers the questions of the routes and the command line from directory and database.

use super::choice::choose;
use super::shelf::{Draft, Shelf, ShelfError};
use crate::db::{Db, DbError, Store, unix_now};
use async_trait::async_trait;
use rccar_causes::causes;
use rccar_protocol::release::{ByteCount, Version};
use rccar_protocol::text::CarId;
use rccar_site::{
    BundleFile, Release, ReleaseChange, ReleaseError, ReleaseQuestion, ReleaseRules, Releases,
    Upload, UploadWish,
};
use std::io::{self, Write};
use std::sync::Arc;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Releases of a running host.
pub(crate) struct ReleaseStore {
    db: Db,
    shelf: Arc<Shelf>,
    max_bytes: u64,
    /// One upload at a time: each may fill `max_bytes` of the disk, and people do not upload side
    /// by side.
    place: Arc<Semaphore>,
    changed: Arc<Notify>,
}

impl ReleaseStore {
    /// `changed` is notified when a release was added or changed.
    pub(crate) fn new(db: Db, shelf: Shelf, max_bytes: u64, changed: Arc<Notify>) -> Self {
        Self { db, shelf: Arc::new(shelf), max_bytes, place: Arc::new(Semaphore::new(1)), changed }
    }
}

#[async_trait]
impl Releases for ReleaseStore {
    fn rules(&self) -> ReleaseRules {
        ReleaseRules {
            max_bytes: ByteCount::saturating(self.max_bytes),
            accepts_uploads: self.shelf.has_keyring(),
        }
    }

    async fn list(&self) -> Result<Vec<Release>, ReleaseError> {
        self.db.run(|store| store.releases()).await.map_err(fault)
    }

    async fn begin(&self, wish: UploadWish) -> Result<Box<dyn Upload>, ReleaseError> {
        if !self.shelf.has_keyring() {
            return Err(ReleaseError::NoKeyring);
        }
        if wish.bytes.is_some_and(|bytes| bytes > self.max_bytes) {
            return Err(ReleaseError::TooLarge(self.max_bytes));
        }
        let place = Arc::clone(&self.place).try_acquire_owned().map_err(|_| ReleaseError::Busy)?;
        let draft = Some(self.shelf.draft().map_err(refuse)?);
        let (db, shelf, changed) =
            (self.db.clone(), Arc::clone(&self.shelf), Arc::clone(&self.changed));
        Ok(Box::new(Arrival {
            db,
            shelf,
            changed,
            wish,
            draft,
            bytes: 0,
            max_bytes: self.max_bytes,
            _place: place,
        }))
    }

    async fn change(
        &self,
        version: Version,
        change: ReleaseChange,
    ) -> Result<Release, ReleaseError> {
        let name = version.clone();
        let changed =
            self.db.run(move |store| store.change_release(&name, &change)).await.map_err(fault)?;
        self.changed.notify_one();
        changed.ok_or(ReleaseError::NoSuchRelease(version))
    }

    async fn remove(&self, version: Version) -> Result<(), ReleaseError> {
        let shelf = Arc::clone(&self.shelf);
        let removed = self
            .db
            .run(move |store| remove(store, &shelf, &version).map(|found| found.ok_or(version)));
        removed.await.map_err(fault)?.map(drop).map_err(ReleaseError::NoSuchRelease)
    }

    async fn release_for(
        &self,
        car: CarId,
        question: ReleaseQuestion,
    ) -> Result<Option<Release>, ReleaseError> {
        Ok(choose(self.list().await?, &car, &question))
    }

    async fn bundle(&self, version: Version) -> Result<Option<BundleFile>, ReleaseError> {
        let release = self.db.run(move |store| store.release(&version)).await.map_err(fault)?;
        let release = release.filter(|release| !release.paused);
        Ok(release.map(|release| BundleFile {
            path: self.shelf.path(&release.sha256),
            sha256: release.sha256,
        }))
    }
}

/// A bundle that comes over HTTP.
struct Arrival {
    db: Db,
    shelf: Arc<Shelf>,
    changed: Arc<Notify>,
    wish: UploadWish,
    /// `None` only while a thread for blocking work has it, or after that has failed.
    draft: Option<Draft>,
    bytes: u64,
    max_bytes: u64,
    _place: OwnedSemaphorePermit,
}

#[async_trait]
impl Upload for Arrival {
    async fn write(&mut self, chunk: bytes::Bytes) -> Result<(), ReleaseError> {
        self.bytes += chunk.len() as u64;
        if self.bytes > self.max_bytes {
            return Err(ReleaseError::TooLarge(self.max_bytes));
        }
        let mut draft = self.draft.take().ok_or_else(lost)?;
        let written =
            tokio::task::spawn_blocking(move || draft.file.write_all(&chunk).map(|()| draft)).await;
        self.draft =
            Some(written.map_err(|_| lost())?.map_err(|error| refuse(ShelfError::Write(error)))?);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Release, ReleaseError> {
        let (mut draft, shelf) = (self.draft.take().ok_or_else(lost)?, Arc::clone(&self.shelf));
        // This reads the whole file, so it is done before the database is locked.
        let checked = tokio::task::spawn_blocking(move || {
            shelf.check(&mut draft).map(|bundle| (draft, bundle))
        })
        .await;
        let (draft, bundle) = checked.map_err(|_| lost())?.map_err(refuse)?;
        let (shelf, release) = (Arc::clone(&self.shelf), release(bundle, &self.wish));
        let added = self
            .db
            .run(move |store| Ok(add(store, &shelf, draft, release)))
            .await
            .map_err(fault)?;
        self.changed.notify_one();
        added
    }
}

/// The release that a checked bundle becomes.
pub(crate) fn release(bundle: rccar_bundle::Bundle, wish: &UploadWish) -> Release {
    Release {
        version: bundle.version,
        compatible: bundle.compatible,
        size: ByteCount::saturating(bundle.size),
        sha256: bundle.sha256,
        signer: bundle.signer,
        notes: wish.notes.clone(),
        channels: vec![wish.channel.clone()],
        rollout: wish.rollout,
        paused: false,
        uploaded_at: unix_now(),
        uploaded_by: wish.user.clone(),
    }
}

/// First the file, then the row that names it: a crash in between leaves no row without a file.
pub(crate) fn add(
    store: &mut Store,
    shelf: &Shelf,
    draft: Draft,
    release: Release,
) -> Result<Release, ReleaseError> {
    if store.release(&release.version).map_err(fault)?.is_some() {
        return Err(ReleaseError::Exists(release.version));
    }
    shelf.keep(draft, &release.sha256).map_err(refuse)?;
    match store.add_release(&release).map_err(fault)? {
        true => Ok(release),
        // The command line added this version after the look above. Our file goes unless its
        // content is the same.
        false => {
            discard_unused(store, shelf, &release).map_err(fault)?;
            Err(ReleaseError::Exists(release.version))
        }
    }
}

/// First the row, then the file: no row is ever without a file.
pub(crate) fn remove(
    store: &Store,
    shelf: &Shelf,
    version: &Version,
) -> Result<Option<Release>, DbError> {
    let removed = store.remove_release(version)?;
    if let Some(release) = &removed {
        discard_unused(store, shelf, release)?;
    }
    Ok(removed)
}

fn discard_unused(store: &Store, shelf: &Shelf, release: &Release) -> Result<(), DbError> {
    if store.releases()?.iter().all(|other| other.sha256 != release.sha256) {
        shelf.discard(&release.sha256);
    }
    Ok(())
}

/// In words for the person who uploads.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
pub(crate) fn refuse(error: ShelfError) -> ReleaseError {
    match &error {
        ShelfError::Bundle(bundle @ rccar_bundle::BundleError::Io(_)) => {
            ReleaseError::Internal(causes(bundle).to_string())
        }
        ShelfError::Bundle(bundle) => ReleaseError::BadBundle(bundle.to_string()),
        ShelfError::Write(source) if source.kind() == io::ErrorKind::StorageFull => {
            ReleaseError::NoSpace
        }
        _ => ReleaseError::Internal(causes(&error).to_string()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn fault(error: DbError) -> ReleaseError {
    ReleaseError::Internal(causes(&error).to_string())
}

fn lost() -> ReleaseError {
    ReleaseError::Internal("a task of the release store broke off".into())
}
