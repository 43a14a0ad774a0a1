//! Unpacks a model's zip without trusting anything in it.
//!
//! Sizes are counted while writing, never taken from headers. Names are checked before anything is
//! created. Only plain files and folders are unpacked.

mod directory;
mod end_record;
mod error;
mod method;
mod name;

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use zip::read::ZipFile;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::clutter::is_clutter;

pub use error::Error;

/// Limits on what a zip may hold.
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
    /// Ten times the needs of the largest models we know.
    fn default() -> Self {
        Self {
            entries: 10_000,
            file_bytes: 2 << 30,
            total_bytes: 4 << 30,
        }
    }
}

/// Unpacks `archive` into the empty folder `target` and returns the folder that holds `index.py`.
///
/// Files are synced to disk (fsync) when this returns.
///
/// # Errors
/// The archive is damaged, unsafe, too large or has no `index.py`, or the disk failed.
pub fn unpack(archive: File, target: &Path, limits: &Limits) -> Result<PathBuf, Error> {
    let mut archive = open(archive, limits)?;
    let mut seen = HashSet::new();
    let mut tops = HashSet::new();
    let mut left = limits.total_bytes;
    for index in 0..archive.len() {
        // The raw entry has the metadata of encrypted ones too.
        let entry = archive.by_index_raw(index).map_err(Error::Damaged)?;
        let Some(entry) = Entry::read(entry)? else {
            continue;
        };
        if !seen.insert(entry.path.to_lowercase()) {
            return Err(entry.refused("occurs twice"));
        }
        tops.insert(entry.path.split('/').next().unwrap_or_default().to_owned());
        let place = target.join(&entry.path);
        if entry.is_folder {
            fs::create_dir_all(&place).map_err(|error| entry.not_written(error))?;
            continue;
        }
        let file = entry.create(&place)?;
        let limit = limits.file_bytes.min(left);
        let content = archive.by_index(index).map_err(Error::Damaged)?;
        let written = copy(content, file, limit).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Other => Error::Damaged(ZipError::Io(error)),
            _ => entry.not_written(error),
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

/// Reads the central directory and makes the checks that need nothing else.
fn open(archive: File, limits: &Limits) -> Result<ZipArchive<File>, Error> {
    let failed = |error: io::Error| Error::Damaged(error.into());
    let file = archive.try_clone().map_err(failed)?;
    let too_many = || Error::TooLarge {
        what: "files and folders",
        limit: limits.entries as u64,
    };
    if end_record::entries(&archive).map_err(failed)? > limits.entries as u64 {
        return Err(too_many());
    }
    let mut archive = ZipArchive::new(archive).map_err(Error::Damaged)?;
    if archive.len() > limits.entries {
        return Err(too_many());
    }
    let (start, known) = (archive.central_directory_start(), archive.len());
    let listed = directory::entries(file, start, known + 1).map_err(failed)?;
    if listed > known {
        return Err(Error::Repeated);
    }
    if archive.has_overlapping_files().map_err(Error::Damaged)? {
        return Err(Error::Overlapping);
    }
    Ok(archive)
}

/// How many bytes the files in `archive` say that they have, as which tools unpack no more of them.
///
/// # Errors
/// It is damaged, or has more entries or bytes than the limits allow.
pub(crate) fn unpacked_bytes(archive: File, limits: &Limits) -> Result<u64, Error> {
    let mut archive = open(archive, limits)?;
    let mut total: u64 = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(Error::Damaged)?;
        total = total.saturating_add(entry.size());
    }
    if total > limits.total_bytes {
        return Err(Error::TooLarge {
            what: "bytes",
            limit: limits.total_bytes,
        });
    }
    Ok(total)
}

/// An entry that may be unpacked.
struct Entry {
    /// Its name in messages.
    shown: String,
    /// Its path relative to the target.
    path: String,
    is_folder: bool,
    is_executable: bool,
}

impl Entry {
    /// Checks an entry; `None` if it is skipped.
    fn read<R: Read>(mut raw: ZipFile<'_, R>) -> Result<Option<Self>, Error> {
        let code_page_437 = raw.name().map_err(Error::Damaged)?;
        let shown = name::decode(raw.name_raw(), &code_page_437).into_owned();
        let refuse = |fault| Error::Unsafe {
            entry: shown.clone(),
            fault,
        };
        // First, since a name that is left out can't harm: macOS has a file `Icon\r`.
        if shown.split(['/', '\\']).any(is_clutter) {
            return Ok(None);
        }
        let path = name::check(&shown).map_err(refuse)?;
        if path.is_empty() {
            return Ok(None);
        }
        if raw.encrypted() {
            return Err(refuse("is encrypted"));
        }
        let mode = raw.unix_mode().unwrap_or(0);
        // The file type bits of `st_mode`; zips from other systems have none.
        if !matches!(mode & 0o170_000, 0 | 0o100_000 | 0o040_000) {
            return Err(refuse("is a link or a special file"));
        }
        // A folder written by an old Windows tool.
        let is_folder = raw.is_dir() || shown.ends_with('\\');
        if let Some(method) = method::unsupported(raw.compression()) {
            let entry = shown;
            return Err(Error::Unsupported { entry, method });
        }
        if raw.compression() == CompressionMethod::Lzma && raw.size() > 0 {
            let dictionary = method::lzma_dictionary(&mut raw);
            if dictionary.map_err(|error| Error::Damaged(error.into()))? > method::LZMA_DICTIONARY {
                return Err(Error::TooLarge {
                    what: "bytes in an LZMA dictionary",
                    limit: method::LZMA_DICTIONARY.into(),
                });
            }
        }
        Ok(Some(Self {
            shown,
            path,
            is_folder,
            is_executable: mode & 0o111 != 0,
        }))
    }

    fn refused(&self, fault: &'static str) -> Error {
        Error::Unsafe {
            entry: self.shown.clone(),
            fault,
        }
    }

    fn not_written(&self, error: io::Error) -> Error {
        Error::Write {
            entry: self.shown.clone(),
            error,
        }
    }

    /// Creates its file.
    fn create(&self, place: &Path) -> Result<File, Error> {
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(|error| self.not_written(error))?;
        }
        let permissions = if self.is_executable { 0o755 } else { 0o644 };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(permissions);
        let file = options.open(place);
        file.map_err(|error| self.not_written(error))
    }
}

/// Whether [`unpack`] accepts an entry of this name.
///
/// # Errors
/// What is wrong with the name.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    name::check(name).map(drop)
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
