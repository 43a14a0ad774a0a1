//! Programs that are run to their end.

use std::fmt::Debug;
use std::process::Output;

/// What a program has written to standard output.
///
/// # Errors
/// It failed, or that is not a string; what it wrote to standard error is in the error, after the command line.
pub fn succeeded(name: &str, arguments: &[&str], output: Output) -> anyhow::Result<String> {
    anyhow::ensure!(
        output.status.success(),
        "{name} {} ended with {}: {}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// Checks that a command succeeded.
///
/// # Errors
/// It failed; the command and everything that it wrote are in the error.
pub(crate) fn check(command: &impl Debug, output: &Output) -> anyhow::Result<()> {
    anyhow::ensure!(
        output.status.success(),
        "{command:?} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
