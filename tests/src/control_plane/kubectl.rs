//! The real kubectl, as people use it.

use std::process::Stdio;

use anyhow::Context as _;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::ControlPlane;
use crate::command::succeeded;

impl ControlPlane {
    /// Installs a CustomResourceDefinition, and waits until it is served.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn define(&self, definition: &str) -> anyhow::Result<()> {
        let apply = ["apply", "--server-side", "-f", "-"];
        self.kubectl_with_input(&apply, definition).await?;
        let wait = [
            "wait",
            "--for=condition=Established",
            "--timeout=60s",
            "-f",
            "-",
        ];
        self.kubectl_with_input(&wait, definition).await?;
        Ok(())
    }

    /// Runs kubectl as the administrator, and gives what it writes to standard output.
    ///
    /// # Errors
    /// It fails; what it writes to standard error is in the error.
    pub async fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.kubectl_with_input(arguments, "").await
    }

    /// The same with a standard input, for `apply -f -`.
    ///
    /// # Errors
    /// It fails; what it writes to standard error is in the error.
    pub async fn kubectl_with_input(
        &self,
        arguments: &[&str],
        input: &str,
    ) -> anyhow::Result<String> {
        let mut child = Command::new(self.program("kubectl"))
            .args(arguments)
            .env("KUBECONFIG", self.kubeconfig())
            // It must neither take nor leave anything of the person who runs the tests.
            .env("HOME", self.directory())
            .env("KUBERC", "off")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("failed to start kubectl")?;
        let mut stdin = child.stdin.take().context("stdin is piped")?;
        let write = async {
            // It need not read it, as when it refuses its arguments.
            let _ = stdin.write_all(input.as_bytes()).await;
            drop(stdin);
        };
        let ((), output) = tokio::join!(write, child.wait_with_output());
        succeeded("kubectl", arguments, output?)
    }
}
