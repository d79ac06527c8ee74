//! Calls to RAUC's service.

use crate::bundle::Bundle;
use crate::error::RaucError;
use crate::installer::InstallerProxy;
use crate::slot::Slot;
use futures_util::StreamExt;
use std::collections::HashMap;
use zbus::Connection;
use zbus::zvariant::Value;

/// What to tell the bootloader about the booted slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The slot works: the bootloader gives it all its attempts again.
    Good,
    /// The slot does not work: the other slot is booted next.
    Bad,
}

/// A client of RAUC's service, which need not run yet: the bus starts it.
#[derive(Debug, Clone)]
pub struct Rauc {
    connection: Connection,
}

impl Rauc {
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// All slots, in RAUC's order.
    pub async fn slots(&self) -> Result<Vec<Slot>, RaucError> {
        let slots = self.installer().await?.get_slot_status().await?;
        Ok(slots.into_iter().map(|(name, values)| Slot::read(name, &values)).collect())
    }

    /// RAUC's name of the slot that the bootloader would choose.
    pub async fn primary(&self) -> Result<String, RaucError> {
        Ok(self.installer().await?.get_primary().await?)
    }

    /// The bootloader's name of the booted slot.
    pub async fn booted(&self) -> Result<String, RaucError> {
        Ok(self.installer().await?.boot_slot().await?)
    }

    /// Whether an installation is under way, also one that another program began.
    pub async fn is_busy(&self) -> Result<bool, RaucError> {
        Ok(self.installer().await?.operation().await? != "idle")
    }

    /// The board that this system is made for.
    pub async fn compatible(&self) -> Result<String, RaucError> {
        Ok(self.installer().await?.compatible().await?)
    }

    /// Reads a bundle's manifest and checks its signature. `source` is a path or an `http://` URL.
    pub async fn inspect(&self, source: &str) -> Result<Bundle, RaucError> {
        Bundle::read(&self.installer().await?.inspect_bundle(source, HashMap::new()).await?)
    }

    /// Installs a bundle and returns when that is done. If `manifest_hash` is given, RAUC refuses
    /// every other bundle. `progress` gets the percent.
    ///
    /// Dropping the future does not stop RAUC. Only the end of the bundle's source does.
    pub async fn install(
        &self,
        source: &str,
        manifest_hash: Option<&str>,
        mut progress: impl FnMut(u8) + Send,
    ) -> Result<(), RaucError> {
        let installer = self.installer().await?;
        // Subscribe before it begins, so that the end cannot be missed.
        let mut completed = installer.receive_completed().await?;
        let mut changes = installer.receive_progress_changed().await;
        let mut owners = installer.inner().receive_owner_changed().await?;
        let args = manifest_hash
            .map(|hash| ("require-manifest-hash", Value::from(hash)))
            .into_iter()
            .collect();
        installer.install_bundle(source, args).await?;
        loop {
            tokio::select! {
                biased;
                end = completed.next() => {
                    let result = end.ok_or(RaucError::Absent)?.args()?.result;
                    return if result == 0 {
                        Ok(())
                    } else {
                        Err(RaucError::Refused(installer.last_error().await?))
                    };
                }
                Some(owner) = owners.next() => {
                    // RAUC's service has ended, and the installation with it.
                    if owner.is_none() {
                        return Err(RaucError::Absent);
                    }
                }
                Some(change) = changes.next() => {
                    if let Ok((percent, step, _)) = change.get().await {
                        tracing::debug!(percent, step, "RAUC");
                        progress(u8::try_from(percent.clamp(0, 100)).unwrap_or(100));
                    }
                }
            }
        }
    }

    pub async fn mark(&self, mark: Mark) -> Result<(), RaucError> {
        let state = match mark {
            Mark::Good => "good",
            Mark::Bad => "bad",
        };
        let (slot, message) = self.installer().await?.mark(state, "booted").await?;
        tracing::info!(slot, message, "RAUC");
        Ok(())
    }

    async fn installer(&self) -> Result<InstallerProxy<'static>, RaucError> {
        Ok(InstallerProxy::new(&self.connection).await?)
    }
}
