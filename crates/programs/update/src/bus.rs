//! Serves `org.rccar.Update1`: the state of the updates for other programs, and their wishes.

use async_trait::async_trait;
use rccar_bus::update::{UpdateProperties, UpdateService};
use rccar_rauc::Rauc;
use rccar_update_core::{Refusal, Release, Source, Version, Wish};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// A wish for the shell, and the way back for its answer.
pub(crate) struct Command {
    pub(crate) wish: Wish,
    pub(crate) answer: oneshot::Sender<Result<(), Refusal>>,
}

/// The side of the shell that the bus calls.
pub(crate) struct Service {
    properties: Arc<Mutex<UpdateProperties>>,
    commands: mpsc::Sender<Command>,
    rauc: Rauc,
}

impl Service {
    pub(crate) fn new(
        properties: Arc<Mutex<UpdateProperties>>,
        commands: mpsc::Sender<Command>,
        rauc: Rauc,
    ) -> Self {
        Self { properties, commands, rauc }
    }

    async fn wish(&self, wish: Wish) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        let ending = |_| "rccar-update is about to end".to_owned();
        self.commands.send(Command { wish, answer }).await.map_err(|_| ending(()))?;
        answered.await.map_err(|_| ending(()))?.map_err(|refusal| refusal.to_string())
    }
}

#[async_trait]
impl UpdateService for Service {
    fn properties(&self) -> UpdateProperties {
        self.properties.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn check(&self) {
        if let Err(error) = self.wish(Wish::Check).await {
            tracing::debug!(error, "not checked");
        }
    }

    async fn install(&self, version: &str) -> Result<(), String> {
        self.wish(Wish::Install { version: parse(version)?, downgrade: false }).await
    }

    async fn install_for_owner(&self, what: &str, allow_downgrade: bool) -> Result<(), String> {
        if !what.contains('/') {
            return self
                .wish(Wish::Install { version: parse(what)?, downgrade: allow_downgrade })
                .await;
        }
        let bundle = self
            .rauc
            .inspect(what)
            .await
            .map_err(|error| crate::rauc_faults::fault(&error).reason().to_owned())?;
        let path = PathBuf::from(what);
        // Only RAUC may be allowed to look at the file: then the size is shown as 0.
        let size = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        let release =
            Release { version: parse(&bundle.version)?, size, source: Source::File(path) };
        self.wish(Wish::InstallFile { release, downgrade: allow_downgrade }).await
    }
}

fn parse(version: &str) -> Result<Version, String> {
    version.parse().map_err(|error| {
        format!("`{version}` is neither a version such as 1.2.3 nor the path of a bundle: {error}")
    })
}
