//! Packs a model's folder into a zip. The same files give the same bytes, and so the same digests.

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

/// Why a folder was not packed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder isn't a model.
    #[error("{0} has no index.py; add one that defines handler(event, context)")]
    IndexMissing(PathBuf),
    /// An entry that workers refuse.
    #[error("{path} {fault}; put a plain file there or leave it out")]
    Unsafe {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The zip would be inside the folder, and be packed into itself the next time.
    #[error("{output} is inside {folder}, the folder to pack; write it elsewhere with --output")]
    OutputInside {
        /// The zip.
        output: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// More than a worker unpacks.
    #[error(
        "the folder holds more than a worker unpacks ({0}); leave out what the model does not need"
    )]
    TooLarge(&'static str),
    /// A file or folder could not be read.
    #[error("failed to read {path}: {error}")]
    Read {
        /// Which.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// The zip could not be written.
    #[error("failed to write {path}: {error}")]
    Write {
        /// Which.
        path: PathBuf,
        /// The error of the system or the zip library.
        error: zip::result::ZipError,
    },
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
mod tests {
    use super::*;

    fn model() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("index.py"),
            "def handler(event, context): return event\n",
        )
        .unwrap();
        fs::create_dir_all(folder.path().join("data/__pycache__")).unwrap();
        fs::write(folder.path().join("data/权重.bin"), [0, 159, 146]).unwrap();
        fs::write(folder.path().join("data/__pycache__/x.pyc"), "").unwrap();
        fs::write(folder.path().join("index.pyc"), "").unwrap();
        fs::write(folder.path().join("core.pyc"), "").unwrap();
        folder
    }

    #[test]
    fn what_is_packed_unpacks_to_the_same_files() {
        let (folder, out) = (model(), tempfile::tempdir().unwrap());
        let packed = pack(folder.path(), &out.path().join("m.zip")).unwrap();
        // A compiled module without a source is the module itself.
        assert_eq!(packed.files, ["core.pyc", "data/权重.bin", "index.py"]);
        let target = out.path().join("target");
        fs::create_dir(&target).unwrap();
        let zip = File::open(&packed.path).unwrap();
        let root = archive::unpack(zip, &target, &Limits::default()).unwrap();
        assert_eq!(fs::read(root.join("data/权重.bin")).unwrap(), [0, 159, 146]);
    }

    #[test]
    fn the_same_folder_gives_the_same_digests() {
        let (one, other, out) = (model(), model(), tempfile::tempdir().unwrap());
        let first = pack(one.path(), &out.path().join("1.zip")).unwrap();
        let second = pack(other.path(), &out.path().join("2.zip")).unwrap();
        assert_eq!(
            (first.md5, first.sha256, first.size),
            (second.md5, second.sha256, second.size)
        );
        fs::write(
            other.path().join("index.py"),
            "def handler(event, context): return None\n",
        )
        .unwrap();
        let third = pack(other.path(), &out.path().join("2.zip")).unwrap();
        assert_ne!(third.sha256, first.sha256);
    }

    /// The digests of RFC 1321 and FIPS 180-2 for the text `abc`.
    #[test]
    fn digests_are_those_of_the_standards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        fs::write(&path, "abc").unwrap();
        let (md5, sha256, size) = digest(&path).unwrap();
        assert_eq!(md5, "900150983cd24fb0d6963f7d28e17f72".parse().unwrap());
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256.to_string(), expected);
        assert_eq!(size, 3);
    }

    #[test]
    fn what_a_worker_would_refuse_is_refused_here() {
        let (folder, out) = (model(), tempfile::tempdir().unwrap());
        let output = out.path().join("m.zip");
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
        let error = pack(folder.path(), &output).unwrap_err().to_string();
        assert!(
            error.contains("link is a link or a special file"),
            "{error}"
        );
        fs::remove_file(folder.path().join("link")).unwrap();
        fs::remove_file(folder.path().join("index.py")).unwrap();
        assert!(matches!(
            pack(folder.path(), &output),
            Err(Error::IndexMissing(_))
        ));
        assert!(!output.exists());
        let inside = folder.path().join("m.zip");
        assert!(matches!(
            pack(folder.path(), &inside),
            Err(Error::OutputInside { .. })
        ));
    }
}
