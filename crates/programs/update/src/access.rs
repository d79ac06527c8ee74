//! Access to the host: its address and the car's token.

use async_trait::async_trait;
use rccar_bus::car::{CarClient, HostAccess};
use std::time::Duration;

/// Ample: `rccar-car` answers from memory.
const WITHIN: Duration = Duration::from_secs(5);

/// Source of the token that is valid now: `rccar-car`, or a stand-in in tests.
#[async_trait]
pub trait AccessSource: Send + Sync + 'static {
    /// The error says why there is no access, in words.
    async fn access(&self) -> Result<HostAccess, String>;
}

#[async_trait]
impl AccessSource for CarClient {
    async fn access(&self) -> Result<HostAccess, String> {
        let asked = tokio::time::timeout(WITHIN, self.host_access()).await;
        asked
            .map_err(|_| "rccar-car does not answer".to_owned())?
            .map_err(|error| error.to_string())
    }
}
