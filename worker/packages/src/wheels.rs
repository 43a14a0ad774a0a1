//! Installs the wheels in a model package beside the model, without network access.

mod pip;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::archive::{Limits, unpacked_bytes};
use super::clutter::is_clutter;
use super::error::Error;

/// What all wheels of a model may hold together; large libraries have more files than a model.
const LIMITS: Limits = Limits {
    entries: 100_000,
    file_bytes: 4 << 30,
    total_bytes: 4 << 30,
};

/// Installs `wheels/*.whl` of a model once per interpreter, and returns the folder to import from if there are
/// any. Blocks.
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
    let total = count(&wheels, &LIMITS).map_err(|reason| failed(python, &reason))?;
    let free = rustix::fs::statvfs(copy).map_err(|error| Error::Store(error.into()))?;
    let free = free.f_bavail.saturating_mul(free.f_frsize);
    if total > free {
        let reason =
            format!("they hold {total} bytes, and {free} are free in the models directory");
        return Err(failed(python, &reason));
    }
    pip::install(
        python,
        &root.join("wheels"),
        &distributions(&wheels),
        temporary.path(),
        pip::TIME,
    )
    .map_err(|reason| failed(python, &reason))?;
    match fs::rename(temporary.path(), &target) {
        Ok(()) => {
            // Renamed, so there is nothing to delete.
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

/// Bytes that the wheels hold together, within `limits`.
fn count(wheels: &[PathBuf], limits: &Limits) -> Result<u64, String> {
    let mut total = 0;
    for wheel in wheels {
        let name = wheel.file_name().unwrap_or_default().to_string_lossy();
        let left = Limits {
            total_bytes: limits.total_bytes - total,
            ..*limits
        };
        let file = File::open(wheel).map_err(|error| format!("{name}: {error}"))?;
        total += unpacked_bytes(file, &left).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(total)
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
        return Err(failed(python, "the interpreter did not print its version"));
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
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

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

    fn wheel(folder: &Path, name: &str, bytes: usize) -> PathBuf {
        let path = folder.join(name);
        let mut writer = ZipWriter::new(File::create(&path).unwrap());
        writer
            .start_file("module.py", SimpleFileOptions::default())
            .unwrap();
        writer.write_all(&vec![b' '; bytes]).unwrap();
        writer.finish().unwrap();
        path
    }

    /// 598 KiB of nested zips became 601 MiB of files that no limit counted.
    #[test]
    fn row_18_wheels_are_counted_as_they_are_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            entries: 3,
            file_bytes: 0,
            total_bytes: 1 << 20,
        };
        let small = wheel(folder.path(), "small.whl", 1000);
        let half = wheel(folder.path(), "half.whl", 600 << 10);
        let other = wheel(folder.path(), "other.whl", 600 << 10);
        assert!(fs::metadata(&half).unwrap().len() < 10_000);
        assert_eq!(
            count(&[small, half.clone()], &limits),
            Ok(1000 + (600 << 10))
        );
        let error = count(&[half, other], &limits).unwrap_err();
        assert!(
            error.starts_with("other.whl: the archive holds more than"),
            "{error}"
        );
    }
}
