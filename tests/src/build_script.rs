//! Scripts that build or fetch what tests need, once.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use tokio::process::Command;

/// Runs a script in the folder of the tests, which makes `what` unless it is there; the folder that it prints last.
///
/// # Errors
/// It is not there and cannot be made; the script has told why.
pub async fn folder(script: &str, arguments: &[&str], what: &str) -> anyhow::Result<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    let output = Command::new(&path)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .with_context(|| format!("failed to run {}", path.display()))?;
    anyhow::ensure!(
        output.status.success(),
        "{what} could not be built for the tests; see what {script} says above"
    );
    let output = String::from_utf8(output.stdout)?;
    let folder = output.lines().last();
    let folder = folder.with_context(|| format!("{script} names no folder"))?;
    Ok(folder.into())
}
