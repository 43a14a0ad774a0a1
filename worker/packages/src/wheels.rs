//! The wheels that a model brings along, installed beside it without any network.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::clutter::is_clutter;
use super::error::Error;

/// The last lines of pip are what says why.
const SHOWN_LINES: usize = 8;

/// Installs `wheels/*.whl` of a model once for an interpreter; gives the folder to import from, if
/// there are any. Blocks.
pub(super) fn install(copy: &Path, root: &Path, python: &Path) -> Result<Option<PathBuf>, Error> {
    let wheels = wheels(&root.join("wheels")).map_err(Error::Store)?;
    if wheels.is_empty() {
        return Ok(None);
    }
    let target = copy.join(format!("wheels-{}", tag(python)?));
    if target.is_dir() {
        return Ok(Some(target));
    }
    let temporary = tempfile::Builder::new()
        .prefix(".wheels-")
        .tempdir_in(copy)
        .map_err(Error::Store)?;
    let output = Command::new(python)
        .args(["-m", "pip", "install", "--quiet", "--no-index", "--no-deps"])
        .args([
            "--disable-pip-version-check",
            "--no-cache-dir",
            "--find-links",
        ])
        .arg(root.join("wheels"))
        .arg("--target")
        .arg(temporary.path())
        .args(distributions(&wheels))
        .output();
    let output = output.map_err(|error| failed(python, &error.to_string()))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<_> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
        return Err(failed(python, &last.join("; ")));
    }
    match fs::rename(temporary.path(), &target) {
        Ok(()) => {
            // The folder is not temporary any more.
            let _ = temporary.keep();
            Ok(Some(target))
        }
        // Another worker was faster.
        Err(_) if target.is_dir() => Ok(Some(target)),
        Err(error) => Err(Error::Store(error)),
    }
}

fn wheels(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut wheels = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let wheel = path.extension().is_some_and(|extension| extension == "whl");
        if wheel && !is_clutter(&entry.file_name().to_string_lossy()) {
            wheels.push(path);
        }
    }
    wheels.sort();
    Ok(wheels)
}

/// The distributions of wheels, each once: of several wheels of one, pip chooses the one for its platform.
fn distributions(wheels: &[PathBuf]) -> BTreeSet<String> {
    let name = |wheel: &PathBuf| {
        let name = wheel.file_stem()?.to_str()?;
        Some(
            name.split('-')
                .next()?
                .to_lowercase()
                .replace(['_', '.'], "-"),
        )
    };
    wheels.iter().filter_map(name).collect()
}

/// What wheels are built for: implementation, version and platform.
fn tag(python: &Path) -> Result<String, Error> {
    let script =
        "import sys, sysconfig; print(sys.implementation.cache_tag, sysconfig.get_platform())";
    let output = Command::new(python)
        .args(["-I", "-c", script])
        .output()
        .map_err(|error| failed(python, &error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let tag: String = text
        .trim()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .collect();
    if tag.is_empty() {
        return Err(failed(python, "it does not say its version"));
    }
    Ok(tag)
}

fn failed(python: &Path, reason: &str) -> Error {
    Error::Wheels {
        python: python.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b7_wheels_of_several_platforms_are_one_distribution() {
        let wheels = [
            "demo_lib-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
            "demo_lib-1.0-cp311-cp311-manylinux_2_17_aarch64.whl",
            "Demo.Lib-1.1-py3-none-any.whl",
            "other-2-py3-none-any.whl",
        ];
        let wheels: Vec<_> = wheels.iter().map(PathBuf::from).collect();
        assert!(distributions(&wheels).into_iter().eq(["demo-lib", "other"]));
    }
}
