//! Unpacks a model's zip without trusting anything in it.
//!
//! Sizes are counted while writing, never taken from headers; names are checked before anything is
//! created; nothing but plain files and folders comes out.

mod name;

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crds::Reason;
use zip::ZipArchive;
use zip::result::ZipError;

/// How much a zip may hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Files and folders.
    pub entries: usize,
    /// Bytes of one file, unpacked.
    pub file_bytes: u64,
    /// Bytes of all files, unpacked.
    pub total_bytes: u64,
}

impl Default for Limits {
    /// Ten times what the largest models that we know of need.
    fn default() -> Self {
        Self {
            entries: 10_000,
            file_bytes: 2 << 30,
            total_bytes: 4 << 30,
        }
    }
}

/// Why a zip was not unpacked. What was written until then is the caller's to remove.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not a zip, or damaged.
    #[error("the file is not a sound zip archive: {0}; pack the model again")]
    Damaged(ZipError),
    /// An entry that could harm.
    #[error("the archive's entry {entry:?} {fault}; pack the model from plain files and folders")]
    Unsafe {
        /// Its name as it stands in the archive.
        entry: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Entries lie over each other, as in archives that grow without end.
    #[error("entries of the archive share their data; pack the model again")]
    Overlapping,
    /// It holds more than the limits allow.
    #[error("the archive holds more than {limit} {what}; leave out what the model does not need")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// There is no `index.py` where it belongs.
    #[error(
        "the archive has no index.py at its root or in its only top folder; add one that defines handler(event, context)"
    )]
    IndexMissing,
    /// The disk failed.
    #[error("failed to unpack {entry:?}: {error}")]
    Write {
        /// The entry.
        entry: String,
        /// The system's answer.
        error: io::Error,
    },
}

impl Error {
    /// Why, in one word.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Damaged(_) => Reason::ArchiveInvalid,
            Self::Unsafe { .. } | Self::Overlapping => Reason::ArchiveUnsafe,
            Self::TooLarge { .. } => Reason::ArchiveTooLarge,
            Self::IndexMissing => Reason::IndexMissing,
            Self::Write { .. } => Reason::StoreFailed,
        }
    }
}

/// Unpacks `archive` into the empty folder `target` and returns the folder that holds `index.py`.
///
/// Files are written to disk for good (fsync) when this returns.
///
/// # Errors
/// The archive is damaged, could harm, is too large or has no `index.py`, or the disk failed.
pub fn unpack(archive: File, target: &Path, limits: &Limits) -> Result<PathBuf, Error> {
    let mut archive = ZipArchive::new(archive).map_err(Error::Damaged)?;
    if archive.len() > limits.entries {
        return Err(Error::TooLarge {
            what: "files and folders",
            limit: limits.entries as u64,
        });
    }
    if archive.has_overlapping_files().map_err(Error::Damaged)? {
        return Err(Error::Overlapping);
    }
    let mut seen = HashSet::new();
    let mut tops = HashSet::new();
    let mut left = limits.total_bytes;
    for index in 0..archive.len() {
        // The raw entry tells what it claims to be, encrypted ones included.
        let entry = archive.by_index_raw(index).map_err(Error::Damaged)?;
        let shown = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let refuse = |fault| Error::Unsafe {
            entry: shown.clone(),
            fault,
        };
        let path = name::check(entry.name_raw()).map_err(refuse)?;
        if name::is_clutter(&path) {
            continue;
        }
        if !seen.insert(path.to_lowercase()) {
            return Err(refuse("is there twice"));
        }
        if entry.encrypted() {
            return Err(refuse("is encrypted"));
        }
        let mode = entry.unix_mode().unwrap_or(0);
        // The file type bits of `st_mode`; zips of other systems have none.
        if !matches!(mode & 0o170_000, 0 | 0o100_000 | 0o040_000) {
            return Err(refuse("is a link or a special file"));
        }
        let is_folder = entry.is_dir();
        drop(entry);
        tops.insert(path.split('/').next().unwrap_or_default().to_owned());
        let place = target.join(&path);
        let failed = |error| Error::Write {
            entry: shown.clone(),
            error,
        };
        if is_folder {
            fs::create_dir_all(&place).map_err(failed)?;
            continue;
        }
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let permissions = if mode & 0o111 == 0 { 0o644 } else { 0o755 };
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(permissions)
            .open(&place)
            .map_err(failed)?;
        let limit = limits.file_bytes.min(left);
        let content = archive.by_index(index).map_err(Error::Damaged)?;
        let written = copy(content, file, limit).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidInput => Error::Damaged(ZipError::Io(error)),
            _ => failed(error),
        })?;
        left = match written {
            Some(written) => left - written,
            None if limit == limits.file_bytes => {
                return Err(Error::TooLarge {
                    what: "bytes in one file",
                    limit,
                });
            }
            None => {
                return Err(Error::TooLarge {
                    what: "bytes",
                    limit: limits.total_bytes,
                });
            }
        };
    }
    index_folder(target, &tops)
}

/// Whether [`unpack`] takes an entry of this name.
///
/// # Errors
/// What is wrong with the name.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    name::check(name.as_bytes()).map(drop)
}

/// Copies and syncs; `None` when there is more than `limit`.
fn copy(content: impl Read, mut file: File, limit: u64) -> io::Result<Option<u64>> {
    let written = io::copy(&mut content.take(limit.saturating_add(1)), &mut file)?;
    file.sync_all()?;
    Ok((written <= limit).then_some(written))
}

fn index_folder(target: &Path, tops: &HashSet<String>) -> Result<PathBuf, Error> {
    if target.join("index.py").is_file() {
        return Ok(target.to_owned());
    }
    let mut folders = tops
        .iter()
        .map(|top| target.join(top))
        .filter(|path| path.is_dir());
    match (folders.next(), folders.next()) {
        (Some(only), None) if only.join("index.py").is_file() => Ok(only),
        _ => Err(Error::IndexMissing),
    }
}

#[cfg(test)]
mod tests;
