//! Packs a model's folder into a zip. The same files give the same bytes, and so the same digests.

mod error;

use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crds::digest::{Md5, Sha256};
use md5::Digest as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::archive::{self, Limits};
use super::clutter::is_clutter;

pub use error::Error;

/// Folders of editors, version control and Python tools, besides [`is_clutter`].
const TOOLS: [&str; 7] = [
    ".git",
    ".venv",
    "venv",
    ".idea",
    ".vscode",
    ".mypy_cache",
    ".pytest_cache",
];

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
    let parent = output
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let inside = match (parent.canonicalize(), folder.canonicalize()) {
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
    let mut files = Vec::new();
    collect(folder, "", &mut files)?;
    files.sort();
    if files.binary_search(&"index.py".to_owned()).is_err() {
        return Err(Error::IndexMissing(folder.to_owned()));
    }
    let limits = Limits::default();
    if files.len() > limits.entries {
        return Err(Error::TooLarge("too many files"));
    }
    let failed = |error: io::Error| Error::Write {
        path: output.to_owned(),
        error: error.into(),
    };
    let temporary = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
    let mut writer = ZipWriter::new(temporary);
    let mut left = limits.total_bytes;
    for name in &files {
        let size = add(&mut writer, folder, name, output)?;
        left = match left.checked_sub(size) {
            Some(left) if size <= limits.file_bytes => left,
            _ => return Err(Error::TooLarge("too many bytes")),
        };
    }
    let temporary = writer.finish().map_err(|error| Error::Write {
        path: output.to_owned(),
        error,
    })?;
    temporary.as_file().sync_all().map_err(failed)?;
    // Temporary files are private, but others must be able to fetch a zip.
    let shared = fs::Permissions::from_mode(0o644);
    temporary
        .as_file()
        .set_permissions(shared)
        .map_err(failed)?;
    temporary
        .persist(output)
        .map_err(|error| failed(error.error))?;
    let (md5, sha256, size) = digest(output)?;
    let path = output.to_owned();
    Ok(Packed {
        path,
        md5,
        sha256,
        size,
        files,
    })
}

/// The files below `folder`, each with its name in the zip.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) -> Result<(), Error> {
    let unreadable = |error| Error::Read {
        path: folder.to_owned(),
        error,
    };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        let unsafe_entry = |fault| Error::Unsafe {
            path: path.clone(),
            fault,
        };
        let file_name = entry.file_name();
        let file_name = file_name
            .to_str()
            .ok_or_else(|| unsafe_entry("has a name that is not UTF-8"))?;
        // A compiled module without a source is the module itself.
        let compiled = path.extension().is_some_and(|extension| extension == "pyc");
        let compiled = compiled && path.with_extension("py").exists();
        if compiled || is_clutter(file_name) || TOOLS.contains(&file_name) {
            continue;
        }
        let name = format!("{prefix}{file_name}");
        archive::check_name(&name).map_err(unsafe_entry)?;
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else if kind.is_file() {
            files.push(name);
        } else {
            return Err(unsafe_entry("is a link or a special file"));
        }
    }
    Ok(())
}

/// Adds a file and returns its size.
fn add<W: Write + io::Seek>(
    writer: &mut ZipWriter<W>,
    folder: &Path,
    name: &str,
    output: &Path,
) -> Result<u64, Error> {
    let path = folder.join(name);
    let unreadable = |error| Error::Read {
        path: path.clone(),
        error,
    };
    let mut file = File::open(&path).map_err(unreadable)?;
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
