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

    /// Ends the kubelet, containerd and all containers, as a loss of power does, and starts both again.
    ///
    /// # Errors
    /// They do not start.
    pub(crate) async fn reboot(&self) -> anyhow::Result<()> {
        let mut kubelet = self.kubelet.lock().await;
        kubelet.kill()?;
        self.restart_containerd().await?;
        kubelet.restart()
    }
}
