//! Runs one installation, from the first look at the bundle to RAUC's end.

use crate::http::HostClient;
use crate::proxy::{Gate, Proxy};
use crate::rauc_faults::fault;
use rccar_rauc::{Bundle, Rauc};
use rccar_update_core::{Fault, Input, InstallNews, Release, Source};
use tokio::sync::mpsc;

#[derive(Debug, Clone)]
pub(crate) struct Installer {
    pub(crate) rauc: Rauc,
    pub(crate) host: HostClient,
}

impl Installer {
    /// Installs a release, and reports progress and end to `news`.
    pub(crate) async fn run(self, release: Release, gate: Gate, news: mpsc::Sender<Input>) {
        let progress = news.clone();
        let report = move |percent| {
            // If the queue is full, a later percentage will do.
            let _ = progress.try_send(Input::Install(InstallNews::Percent(percent)));
        };
        let end = match self.install(&release, &gate, report).await {
            Ok(()) => InstallNews::Done,
            // If the transfer was ended, RAUC only sees an input/output error. The gate knows why.
            Err(error) => InstallNews::Failed(gate.ended().map_or(error, Fault::Passing)),
        };
        // Fails only when the program ends.
        let _ = news.send(Input::Install(end)).await;
    }

    async fn install(
        &self,
        release: &Release,
        gate: &Gate,
        progress: impl FnMut(u8) + Send,
    ) -> Result<(), Fault> {
        // `_proxy` lives, and serves, until the installation is done.
        let (_proxy, source) = match &release.source {
            Source::File(path) => (None, path.display().to_string()),
            Source::Host(path) => {
                let proxy = Proxy::start(self.host.clone(), path, release.size, gate.clone()).await;
                let proxy = proxy.map_err(|error| {
                    Fault::Passing(format!("cannot serve the bundle to RAUC: {error}"))
                })?;
                let url = proxy.url().to_owned();
                (Some(proxy), url)
            }
        };
        let bundle = self.rauc.inspect(&source).await.map_err(|error| fault(&error))?;
        self.judge(release, &bundle).await?;
        // With the hash, RAUC installs only the bundle that was judged, whatever the host serves.
        let Some(hash) = bundle.manifest_hash.as_deref() else {
            return Err(Fault::Final("RAUC does not say which manifest it has read".to_owned()));
        };
        self.rauc.install(&source, Some(hash), progress).await.map_err(|error| fault(&error))
    }

    /// Whether the signed manifest has this car's board and the version that was offered.
    async fn judge(&self, release: &Release, bundle: &Bundle) -> Result<(), Fault> {
        let system = self.rauc.compatible().await.map_err(|error| fault(&error))?;
        if bundle.compatible != system {
            return Err(Fault::Final(format!(
                "it is made for {}, and this car is {system}",
                bundle.compatible
            )));
        }
        if bundle.version != release.version.to_string() {
            return Err(Fault::Final(format!(
                "the bundle that was offered as {} is {}",
                release.version, bundle.version
            )));
        }
        Ok(())
    }
}
