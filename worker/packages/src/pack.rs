//! Packs a model's folder into a zip. The same files give the same bytes, and so the same digests.

mod error;
mod ignore;
mod listing;

use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crds::digest::{Md5, Sha256};
use md5::Digest as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::archive::Limits;

pub use error::Error;
pub use listing::Listing;

/// A packed model.
#[derive(Debug, Clone)]
pub struct Packed {
    /// Where the zip is.
    pub path: PathBuf,
    /// MD5 of the zip.
    pub md5: Md5,
    /// SHA-256 of the zip.
    pub sha256: Sha256,
    /// Size of the zip in bytes.
    pub size: u64,
    /// Names of the files in the zip, sorted.
    pub files: Vec<String>,
}

/// Packs `folder` into the zip `output`, which is replaced only when the new one is complete.
///
/// # Errors
/// The folder isn't a model or holds something that workers refuse, or a file failed.
pub fn pack(folder: &Path, output: &Path) -> Result<Packed, Error> {
    check_output(folder, output)?;
    Draft::write(&Listing::read(folder)?, output)?.publish()
}

/// Refuses an output inside the folder.
///
/// # Errors
/// It is inside.
pub fn check_output(folder: &Path, output: &Path) -> Result<(), Error> {
    let inside = match (parent(output).canonicalize(), folder.canonicalize()) {
        (Ok(parent), Ok(folder)) => parent.starts_with(folder),
        // A missing file is reported where it is read or written.
        _ => false,
    };
    if inside {
        return Err(Error::OutputInside {
            output: output.to_owned(),
            folder: folder.to_owned(),
        });
    }
    Ok(())
}

fn parent(output: &Path) -> &Path {
    output
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A complete zip that can be tried before it replaces the previous one. Removed when it is dropped.
#[derive(Debug)]
pub struct Draft {
    file: tempfile::NamedTempFile,
    packed: Packed,
}

impl Draft {
    /// Writes the files of `listing` into a zip beside `output`.
    ///
    /// # Errors
    /// A file failed, or together they are larger than a worker unpacks.
    pub fn write(listing: &Listing, output: &Path) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Write {
            path: output.to_owned(),
            error: error.into(),
        };
        let limits = Limits::default();
        let temporary = tempfile::NamedTempFile::new_in(parent(output)).map_err(failed)?;
        let mut writer = ZipWriter::new(temporary);
        let mut left = limits.total_bytes;
        for (name, path) in &listing.files {
            let size = add(&mut writer, path, name, output)?;
            left = match left.checked_sub(size) {
                Some(left) if size <= limits.file_bytes => left,
                _ => return Err(Error::TooLarge("too many bytes")),
            };
        }
        let file = writer.finish().map_err(|error| Error::Write {
            path: output.to_owned(),
            error,
        })?;
        file.as_file().sync_all().map_err(failed)?;
        // Temporary files are private, but others must be able to fetch a zip.
        let shared = fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(shared).map_err(failed)?;
        let (md5, sha256, size) = digest(file.path())?;
        Ok(Self {
            file,
            packed: Packed {
                path: output.to_owned(),
                md5,
                sha256,
                size,
                files: listing.files.keys().cloned().collect(),
            },
        })
    }

    /// Where the zip is until it is published.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Gives the zip its name.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn publish(self) -> Result<Packed, Error> {
        let output = &self.packed.path;
        self.file.persist(output).map_err(|error| Error::Write {
            path: output.clone(),
            error: error.error.into(),
        })?;
        Ok(self.packed)
    }
}

/// Adds a file and returns its size.
fn add<W: Write + io::Seek>(
    writer: &mut ZipWriter<W>,
    path: &Path,
    name: &str,
    output: &Path,
) -> Result<u64, Error> {
    let unreadable = |error| Error::Read {
        path: path.to_owned(),
        error,
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let executable = metadata.permissions().mode() & 0o111 != 0;
    // A constant time, so that the bytes depend on the contents alone.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .large_file(metadata.len() > u64::from(u32::MAX))
        .unix_permissions(if executable { 0o755 } else { 0o644 });
    writer
        .start_file(name, options)
        .map_err(|error| Error::Write {
            path: output.to_owned(),
            error,
        })?;
    io::copy(&mut file, writer).map_err(|error| Error::Write {
        path: output.to_owned(),
        error: error.into(),
    })
}

/// Both digests and the size of a file.
///
/// # Errors
/// The file cannot be read.
pub fn digest(path: &Path) -> Result<(Md5, Sha256, u64), Error> {
    let unreadable = |error| Error::Read {
        path: path.to_owned(),
        error,
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let (mut md5, mut sha256) = (md5::Md5::new(), sha2::Sha256::new());
    let mut size = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer).map_err(unreadable)?;
        if read == 0 {
            return Ok((
                Md5(md5.finalize().into()),
                Sha256(sha256.finalize().into()),
                size,
            ));
        }
        md5.update(&buffer[..read]);
        sha256.update(&buffer[..read]);
        size += read as u64;
    }
}

#[cfg(test)]
mod tests;
