//! The real Helm, as people use it.

use std::process::Stdio;

use anyhow::Context as _;
use tokio::process::Command;

use super::{ControlPlane, programs};
use crate::command::succeeded;

impl ControlPlane {
    /// Runs helm as the administrator, and gives what it writes to standard output.
    ///
    /// # Errors
    /// It cannot be built, or fails; what it writes to standard error is in the error.
    pub async fn helm(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(programs::helm().await?)
            .args(arguments)
            .env("KUBECONFIG", self.kubeconfig())
            // It must neither take nor leave anything of the person who runs the tests.
            .env("HOME", self.directory())
            .env("HELM_CACHE_HOME", self.directory().join("helm"))
            .env("HELM_CONFIG_HOME", self.directory().join("helm"))
            .env("HELM_DATA_HOME", self.directory().join("helm"))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .context("failed to start helm")?;
        succeeded("helm", arguments, output)
    }
}
