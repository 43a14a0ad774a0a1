//! What a folder must hold: the SHA-256 of each file, as the verified zip has it.
//!
//! Other files may lie there too, unless Python would import them. Links are never followed.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use crate::archive::{self, Limits, Target};

type Hash = [u8; 32];

/// See the module's description.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// By their paths in the folder.
    files: BTreeMap<String, Hash>,
    /// How files were when they last had the right content: as long as they are so, they need not be read again.
    seen: Mutex<HashMap<String, Stamp>>,
}

/// What differs, by paths in the folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Files that are missing or have another content.
    pub(crate) lost: Vec<String>,
    /// Modules that were added, and what lies where a file or a folder should be.
    pub(crate) added: Vec<PathBuf>,
}

/// What changes with each change of a file. The last item is set by the kernel alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A file that changed within this time may change again without another stamp: clocks of file systems are coarse.
const COARSE: Duration = Duration::from_secs(2);

impl Contents {
    /// What the zip of a model holds, and the path of the folder with `index.py` in it.
    pub(crate) fn of_zip(zip: File) -> Result<(Self, String), archive::Error> {
        let mut contents = Self::default();
        let root = archive::read(zip, &Limits::default(), &mut contents)?;
        Ok((contents, root))
    }

    /// Compares a folder. Blocks.
    pub(crate) fn compare(&self, folder: &Path) -> io::Result<Changes> {
        let mut changes = Changes::default();
        let mut missing = self.files.clone();
        let is_folder = fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir());
        let mut folders = vec![PathBuf::new()];
        if !is_folder {
            folders.clear();
            changes.added.push(PathBuf::new());
        }
        while let Some(inside) = folders.pop() {
            for entry in fs::read_dir(folder.join(&inside))? {
                let entry = entry?;
                let path = inside.join(entry.file_name());
                let kind = entry.file_type()?;
                let name = path.to_str().unwrap_or_default();
                let expected = missing.remove(name);
                match expected {
                    Some(hash) if kind.is_file() => {
                        let same = self.has(name, &hash, &entry.path())?;
                        changes.lost.extend((!same).then(|| name.to_owned()));
                    }
                    Some(_) => {
                        changes.lost.push(name.to_owned());
                        changes.added.push(path);
                    }
                    None if kind.is_dir() => folders.push(path),
                    None if kind.is_symlink() || is_module(&path) || self.is_folder(name) => {
                        changes.added.push(path);
                    }
                    None => {}
                }
            }
        }
        changes.lost.extend(missing.into_keys());
        Ok(changes)
    }

    /// Whether a file has this content.
    fn has(&self, name: &str, hash: &Hash, place: &Path) -> io::Result<bool> {
        let mut file = File::open(place)?;
        let metadata = file.metadata()?;
        let stamp = Stamp::of(&metadata);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(name) == Some(&stamp) {
            return Ok(true);
        }
        seen.remove(name);
        let changed = Duration::from_secs(metadata.ctime().unsigned_abs());
        let settled = SystemTime::UNIX_EPOCH + changed + COARSE < SystemTime::now();
        let mut content = Hashing(Sha256::new());
        io::copy(&mut file, &mut content)?;
        let same = content.0.finalize()[..] == *hash;
        if same && settled {
            seen.insert(name.to_owned(), stamp);
        }
        Ok(same)
    }

    /// Whether there are files below this path.
    fn is_folder(&self, path: &str) -> bool {
        let inside = format!("{path}/");
        let next = self.files.range(inside.clone()..).next();
        next.is_some_and(|(path, _)| path.starts_with(&inside))
    }
}

impl Target for Contents {
    type File = Hashing;

    fn folder(&mut self, _path: &str) -> io::Result<()> {
        Ok(())
    }

    fn file(&mut self, _path: &str, _is_executable: bool) -> io::Result<Hashing> {
        Ok(Hashing(Sha256::new()))
    }

    fn end(&mut self, path: &str, file: Hashing) -> io::Result<()> {
        self.files.insert(path.to_owned(), file.0.finalize().into());
        Ok(())
    }
}

/// A file of which only the digest is wanted.
pub(crate) struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Changes {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.added.is_empty()
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Whether Python imports a file of this name.
fn is_module(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    ["py", "pyc", "so"].contains(&extension)
}

#[cfg(test)]
mod tests;
