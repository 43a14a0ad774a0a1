//! `edgemodel pack --requirements`: wheels for the platforms of workers.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use packages::Platform;

/// What wheels to add.
#[derive(Debug, clap::Args)]
pub(super) struct WheelArguments {
    /// Add wheels for the requirements in this file, downloaded with pip.
    #[arg(long, value_name = "FILE")]
    requirements: Option<PathBuf>,
    /// Platforms of the wheels: linux/amd64, linux/arm64. Default: that of this machine.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        requires = "requirements"
    )]
    platform: Vec<Platform>,
}

/// Downloaded wheels, removed when this is dropped.
pub(super) struct Wheels {
    files: Vec<PathBuf>,
    _folder: tempfile::TempDir,
}

impl Wheels {
    /// Downloads what the arguments ask for.
    pub(super) fn download(
        arguments: &WheelArguments,
        python: Option<&str>,
    ) -> anyhow::Result<Option<Self>> {
        let Some(requirements) = &arguments.requirements else {
            return Ok(None);
        };
        let platforms = match arguments.platform.as_slice() {
            [] => vec![Platform::of_this_machine().context("set --platform")?],
            platforms => platforms.to_vec(),
        };
        // pip downloads for any version, so the one asked for need not be installed.
        let (pip, version) = if let Some(version) = python.filter(|text| is_version(text)) {
            (hosts::python(None)?, version.to_owned())
        } else {
            let pip = hosts::python(python)?;
            let version = version_of(&pip)?;
            (pip, version)
        };
        let folder = tempfile::tempdir().context("failed to create a temporary folder")?;
        let files = packages::download(&pip, requirements, &version, &platforms, folder.path())?;
        Ok(Some(Self {
            files,
            _folder: folder,
        }))
    }

    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

/// The interpreter of `--python`: `python3.11` for 3.11.
pub(super) fn program(python: Option<&str>) -> Option<String> {
    python.map(|text| {
        if is_version(text) {
            format!("python{text}")
        } else {
            text.to_owned()
        }
    })
}

/// Whether it is a version such as 3.11.
fn is_version(text: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.')
        .is_some_and(|(major, minor)| number(major) && number(minor))
}

fn version_of(python: &Path) -> anyhow::Result<String> {
    let script = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = Command::new(python).args(["-I", "-c", script]).output();
    let output = output.with_context(|| format!("failed to run {}", python.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    anyhow::ensure!(
        is_version(&text),
        "{} did not print its version; name the wheels' version with --python 3.11",
        python.display()
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_stands_for_its_interpreter() {
        for (python, expected) in [
            ("3.11", "python3.11"),
            ("3", "3"),
            (".venv/bin/python", ".venv/bin/python"),
            ("python3.11", "python3.11"),
        ] {
            assert_eq!(program(Some(python)).as_deref(), Some(expected));
        }
        assert_eq!(program(None), None);
    }
}
