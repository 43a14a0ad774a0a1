//! What happens to nodes.

use std::time::Instant;

use super::{Bed, containerd};

impl Bed {
    /// Ends containerd and all containers, and starts containerd again; the kubelet goes on. Returns when they had
    /// ended.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) async fn restart_containerd(&self) -> anyhow::Result<Instant> {
        let mut containerd = self.containerd.lock().await;
        containerd.kill()?;
        self.kill_pods()?;
        let ended = Instant::now();
        containerd.restart()?;
        containerd::until_up(&self.folder, &containerd).await?;
        Ok(ended)
    }

    /// Ends the kubelet, its cache, containerd and all containers, as a loss of power does, and starts them again.
    /// Returns when they had ended.
    ///
    /// # Errors
    /// They do not start.
    pub(crate) async fn reboot(&self) -> anyhow::Result<Instant> {
        let mut kubelet = self.kubelet.lock().await;
        kubelet.kill()?;
        let ended = self.restart_containerd().await?;
        self.api_cache.lock().await.restart().await?;
        kubelet.restart()?;
        Ok(ended)
    }
}
