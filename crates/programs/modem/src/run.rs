//! The command `run`.

use crate::config::Config;
use crate::error::ModemError;
use crate::supervisor::Supervisor;
use rccar_daemon::shutdown;

/// Supervises until a signal ends it.
pub(crate) async fn run(config: Config) -> Result<(), ModemError> {
    let supervisor = Supervisor::start(config).await?;
    tracing::info!("supervising");
    supervisor.run(shutdown::signal()).await?;
    tracing::info!("stopped; the link stays as it is");
    Ok(())
}

/// A runtime with one thread, which is enough for one loop.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, ModemError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(ModemError::Runtime)
}
