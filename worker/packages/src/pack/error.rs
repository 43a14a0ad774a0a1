//! Why a folder isn't packed.

use std::io;
use std::path::PathBuf;

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
    /// Two files would be one on file systems that ignore case, so workers refuse both.
    #[error("{one:?} and {other:?} differ only in case; rename one of them")]
    SameName {
        /// The first name in the zip.
        one: String,
        /// The second.
        other: String,
    },
    /// A line of `.edgemodelignore`.
    #[error("{}:{line}: {pattern:?} uses `[`, `]` or `\\`, which are not supported; use `*`, `?` and `**`", .path.display())]
    Ignore {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The rule.
        pattern: String,
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
