//! The control group of a bed, in each hierarchy: pods get theirs below it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

const ROOT: &str = "/sys/fs/cgroup";

/// A group of one name in all hierarchies.
#[derive(Debug)]
pub(super) struct Cgroups {
    folders: Vec<PathBuf>,
}

impl Cgroups {
    /// Makes it.
    ///
    /// # Errors
    /// The machine has no control groups, or they cannot be written.
    pub(super) fn make(name: &str) -> anyhow::Result<Self> {
        let mut folders: Vec<_> = hierarchies()?.iter().map(|root| root.join(name)).collect();
        // Links to hierarchies lead to the same group.
        folders.retain(|folder| match fs::create_dir(folder) {
            Ok(()) => true,
            Err(error) => error.kind() != io::ErrorKind::AlreadyExists,
        });
        let missing = folders.iter().find(|folder| !folder.is_dir());
        if let Some(folder) = missing {
            anyhow::bail!("failed to make the control group {}", folder.display());
        }
        Ok(Self { folders })
    }

    /// Removes it with what pods left below it.
    ///
    /// # Errors
    /// A process is still in it.
    pub(super) fn remove(self) -> anyhow::Result<()> {
        for folder in self.folders {
            remove(&folder).with_context(|| format!("failed to remove {}", folder.display()))?;
        }
        Ok(())
    }
}

/// All groups of that name that are there.
pub(super) fn named(name: &str) -> anyhow::Result<Vec<PathBuf>> {
    let all = hierarchies()?;
    let groups = all.iter().map(|root| root.join(name));
    Ok(groups.filter(|group| group.exists()).collect())
}

/// The one of version 2, or all of version 1.
fn hierarchies() -> anyhow::Result<Vec<PathBuf>> {
    let root = Path::new(ROOT);
    if root.join("cgroup.procs").is_file() {
        return Ok(vec![root.to_owned()]);
    }
    let entries = fs::read_dir(root).with_context(|| format!("failed to read {ROOT}"))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.join("cgroup.procs").is_file() {
            found.push(path);
        }
    }
    anyhow::ensure!(!found.is_empty(), "{ROOT} holds no control groups");
    Ok(found)
}

fn remove(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        }
    }
    // The kernel may take a moment to let go of processes that have ended.
    for _ in 0..50 {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                std::thread::sleep(Duration::from_millis(100));
            }
            result => return result,
        }
    }
    fs::remove_dir(folder)
}
