//! Virtual environments for models that need libraries.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};

/// What data scientists' models import.
const LIBRARIES: [&str; 3] = ["numpy", "pandas", "scikit-learn"];

/// An interpreter with numpy, pandas and scikit-learn, made once for a build folder.
///
/// # Errors
/// They cannot be installed.
pub fn scientific() -> anyhow::Result<PathBuf> {
    static MADE: LazyLock<Result<PathBuf, String>> =
        LazyLock::new(|| make().map_err(|error| format!("{error:#}")));
    MADE.clone().map_err(anyhow::Error::msg)
}

fn make() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let target = test.ancestors().nth(3).context("no target folder")?;
    let folder = target.join("python-scientific");
    // Tests run in several processes at once.
    let lock = std::fs::File::create(target.join("python-scientific.lock"))?;
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
            .args(LIBRARIES))?;
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
