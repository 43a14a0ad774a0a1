//! Installed versions: which there are, which are in use, and which may be deleted.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use super::{INCOMING, Store};
use crate::error::Error;
use crate::manifest::Manifest;

/// A version of a model in the models directory.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its folder.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// When a worker last installed or started it.
    pub used: SystemTime,
    /// Whether a worker serves it now.
    pub in_use: bool,
}

impl Version {
    /// What makes it a version of the same model: the model's name, or for a copy of an older release its address.
    fn model(&self) -> &str {
        self.manifest
            .model
            .as_deref()
            .unwrap_or(&self.manifest.address)
    }
}

/// Keeps a version from being deleted until it is dropped.
#[derive(Debug)]
pub struct InUse(#[expect(dead_code, reason = "holds the lock")] File);

impl InUse {
    /// Marks a version as used now. Waits while another process deletes it. `None` where files cannot be locked.
    pub(super) fn mark(folder: &std::path::Path) -> Option<Self> {
        let file = File::open(folder.join(crate::manifest::FILE)).ok()?;
        file.lock_shared().ok()?;
        // Fails for a directory of another user, which keeps the time of the installation.
        let _ = file.set_modified(SystemTime::now());
        Some(Self(file))
    }
}

impl Store {
    /// All versions, those of one model together, the last used first.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn versions(&self) -> Result<Vec<Version>, Error> {
        let mut versions = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(Error::Store)? {
            let folder = entry.map_err(Error::Store)?.path();
            let Some(manifest) = Manifest::read(&folder) else {
                continue;
            };
            let Ok(file) = File::open(folder.join(crate::manifest::FILE)) else {
                continue;
            };
            let used = file.metadata().and_then(|metadata| metadata.modified());
            versions.push(Version {
                in_use: matches!(file.try_lock(), Err(TryLockError::WouldBlock)),
                used: used.unwrap_or(SystemTime::UNIX_EPOCH),
                folder,
                manifest,
            });
        }
        versions.sort_by(|one, other| {
            let used = other.used.cmp(&one.used);
            one.model().cmp(other.model()).then(used)
        });
        Ok(versions)
    }

    /// Deletes all versions but the last `keep` of each model, and those in use. Returns the deleted ones.
    ///
    /// # Errors
    /// The directory cannot be read, or a version cannot be deleted.
    pub fn prune(&self, keep: usize) -> Result<Vec<Version>, Error> {
        let versions = self.versions()?;
        let mut pruned = Vec::new();
        for version in excess(&versions, keep) {
            if self.delete(version).map_err(Error::Store)? {
                pruned.push(version.clone());
            }
        }
        Ok(pruned)
    }

    /// The versions that [`Self::prune`] would delete.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn prunable(&self, keep: usize) -> Result<Vec<Version>, Error> {
        let versions = self.versions()?;
        Ok(excess(&versions, keep).into_iter().cloned().collect())
    }

    /// Deletes a version unless a worker has begun to use it.
    fn delete(&self, version: &Version) -> io::Result<bool> {
        let file = File::open(version.folder.join(crate::manifest::FILE))?;
        if file.try_lock().is_err() {
            return Ok(false);
        }
        // Renamed first, so that a crash leaves no half of it; the next start removes the rest.
        let name = version.folder.file_name().unwrap_or_default();
        let doomed = format!("{INCOMING}{}", name.to_string_lossy());
        let doomed = self.directory.join(doomed);
        fs::rename(&version.folder, &doomed)?;
        fs::remove_dir_all(&doomed)?;
        Ok(true)
    }
}

/// All but the first `keep` of each model that are not in use.
fn excess(versions: &[Version], keep: usize) -> Vec<&Version> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    versions
        .iter()
        .filter(|version| {
            let count = counts.entry(version.model()).or_default();
            *count += 1;
            *count > keep && !version.in_use
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A store with versions `(model, number)`, the first used last.
    fn store(versions: &[(&str, u8)]) -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        for (index, (model, number)) in versions.iter().enumerate() {
            let folder = directory.path().join(format!("sha256-{number}"));
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("index.py"), "").unwrap();
            let manifest = serde_json::json!({
                "model": model, "md5": "", "sha256": "", "size": 1, "address": "http://m/", "installedAt": "", "root": ".",
            });
            let path = folder.join(crate::manifest::FILE);
            fs::write(&path, manifest.to_string()).unwrap();
            let used = SystemTime::UNIX_EPOCH + Duration::from_secs(1000 - index as u64);
            File::open(&path).unwrap().set_modified(used).unwrap();
        }
        (directory, store)
    }

    fn names(versions: &[Version]) -> Vec<String> {
        let name = |version: &Version| {
            let folder = version.folder.file_name().unwrap_or_default();
            folder.to_string_lossy().into_owned()
        };
        versions.iter().map(name).collect()
    }

    #[test]
    fn the_last_used_versions_of_each_model_stay() {
        let (_directory, store) = store(&[("a", 4), ("b", 9), ("a", 3), ("a", 2), ("a", 1)]);
        let pruned = store.prune(2).unwrap();
        assert_eq!(names(&pruned), ["sha256-2", "sha256-1"]);
        let left = store.versions().unwrap();
        assert_eq!(names(&left), ["sha256-4", "sha256-3", "sha256-9"]);
        assert_eq!(names(&store.prunable(1).unwrap()), ["sha256-3"]);
    }

    #[test]
    fn a_version_in_use_stays_however_old_it_is() {
        let (directory, store) = store(&[("a", 3), ("a", 2), ("a", 1)]);
        let old = directory.path().join("sha256-1");
        let in_use = InUse::mark(&old).unwrap();
        // What is used now is the last used.
        let versions = store.versions().unwrap();
        assert_eq!(names(&versions), ["sha256-1", "sha256-3", "sha256-2"]);
        assert!(versions[0].in_use && !versions[1].in_use);
        assert_eq!(names(&store.prune(0).unwrap()), ["sha256-3", "sha256-2"]);
        drop(in_use);
        assert_eq!(names(&store.prune(0).unwrap()), ["sha256-1"]);
    }
}
