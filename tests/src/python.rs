//! Virtual environments for what tests and benchmarks run in Python.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};

/// An interpreter with numpy, pandas and scikit-learn: what data scientists' models import.
///
/// # Errors
/// They cannot be installed.
pub fn scientific() -> anyhow::Result<PathBuf> {
    environment("scientific", &["numpy", "pandas", "scikit-learn"])
}

/// An interpreter with what the benchmark's baselines import.
///
/// # Errors
/// They cannot be installed.
pub fn baselines() -> anyhow::Result<PathBuf> {
    environment("baselines", &["paho-mqtt", "gmqtt", "uvloop", "orjson"])
}

/// A virtual environment with libraries, made once for a build folder.
fn environment(name: &str, libraries: &[&str]) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let target = test.ancestors().nth(3).context("no target folder")?;
    let folder = target.join(format!("python-{name}"));
    // Tests run in several threads and processes at once.
    let lock = std::fs::File::create(folder.with_extension("lock"))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    let python = folder.join("bin").join("python");
    let complete = folder.join("complete");
    if !complete.exists() {
        virtual_environment(&folder)?;
        run(Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(libraries))?;
        std::fs::write(complete, "")?;
    }
    Ok(python)
}

/// Makes an empty virtual environment.
///
/// # Errors
/// Python's `venv` is missing.
pub fn virtual_environment(folder: &Path) -> anyhow::Result<()> {
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(folder))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    anyhow::ensure!(
        output.status.success(),
        "{command:?} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
