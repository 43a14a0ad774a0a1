//! Unpacks a model's zip without trusting anything in it.
//!
//! Sizes are counted while writing, never taken from headers. Names are checked before anything is
//! created. Only plain files and folders are unpacked.

mod directory;
mod end_record;
mod error;
mod method;
mod name;
mod target;

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zip::read::ZipFile;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::clutter::is_clutter;

pub use error::Error;
pub(crate) use target::Target;

use target::Disk;

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
    let root = read(archive, limits, &mut Disk { folder: target })?;
    Ok(target.join(root))
}

/// Gives everything in `archive` that belongs to a model to `target`, and returns the path of the folder that holds `index.py`
/// in it; empty if that is at the top.
///
/// # Errors
/// The archive is damaged, unsafe, too large or has no `index.py`, or the target failed.
pub(crate) fn read(
    archive: File,
    limits: &Limits,
    target: &mut impl Target,
) -> Result<String, Error> {
    let mut archive = open(archive, limits)?;
    let mut seen = HashSet::new();
    let mut names = Names::default();
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
        names.add(&entry);
        if entry.is_folder {
            let made = target.folder(&entry.path);
            made.map_err(|error| entry.not_written(error))?;
            continue;
        }
        let file = target.file(&entry.path, entry.is_executable);
        let mut file = file.map_err(|error| entry.not_written(error))?;
        let limit = limits.file_bytes.min(left);
        let content = archive.by_index(index).map_err(Error::Damaged)?;
        let written = copy(content, &mut file, limit)
            .and_then(|written| target.end(&entry.path, file).map(|()| written));
        let written = written.map_err(|error| match error.kind() {
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
    names.root()
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
}

/// Whether [`unpack`] accepts an entry of this name.
///
/// # Errors
/// What is wrong with the name.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    name::check(name).map(drop)
}

/// `None` when there is more than `limit`.
fn copy(content: impl Read, file: &mut impl io::Write, limit: u64) -> io::Result<Option<u64>> {
    let written = io::copy(&mut content.take(limit.saturating_add(1)), file)?;
    Ok((written <= limit).then_some(written))
}

/// What tells where `index.py` is.
#[derive(Default)]
struct Names {
    /// Those of them that are called `index.py`, by the folder that they are in.
    indexes: HashSet<String>,
    /// Folders at the top.
    tops: BTreeSet<String>,
}

impl Names {
    fn add(&mut self, entry: &Entry) {
        let path = entry.path.as_str();
        let top = path.split_once('/').map(|(top, _)| top);
        let top = top.or_else(|| entry.is_folder.then_some(path));
        self.tops.extend(top.map(str::to_owned));
        if entry.is_folder {
            return;
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name == "index.py" {
            self.indexes.insert(folder.to_owned());
        }
    }

    fn root(self) -> Result<String, Error> {
        if self.indexes.contains("") {
            return Ok(String::new());
        }
        let mut tops = self.tops.into_iter();
        match (tops.next(), tops.next()) {
            (Some(only), None) if self.indexes.contains(&only) => Ok(only),
            _ => Err(Error::IndexMissing),
        }
    }
}

#[cfg(test)]
mod tests;
