//! Why a zip is not unpacked.

use std::io;

use crds::Reason;
use zip::result::ZipError;

/// Why a zip was not unpacked. The caller removes what was written until then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It isn't a zip, or it is damaged.
    #[error("the file is not a valid zip archive: {0}; pack the model again")]
    Damaged(ZipError),
    /// An entry that could do harm.
    #[error("the archive's entry {entry:?} {fault}; pack the model from plain files and folders")]
    Unsafe {
        /// Its name in the archive.
        entry: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Two entries have the same name, and tools differ in which one they use.
    #[error("the archive has two entries with the same name; pack the model again")]
    Repeated,
    /// An entry with an unsupported compression method.
    #[error(
        "the archive's entry {entry:?} is compressed with {method}, which is not supported; pack the model with \
         `edgemodel pack`, or with Deflate, Deflate64, bzip2, LZMA or Zstandard"
    )]
    Unsupported {
        /// Its name.
        entry: String,
        /// How it is compressed.
        method: String,
    },
    /// Entries overlap, as in zip bombs.
    #[error("entries of the archive overlap; pack the model again")]
    Overlapping,
    /// It exceeds a limit.
    #[error("the archive holds more than {limit} {what}; leave out what the model does not need")]
    TooLarge {
        /// What exceeds it.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// `index.py` is missing.
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
            Self::Unsafe { .. } | Self::Overlapping | Self::Repeated => Reason::ArchiveUnsafe,
            Self::Unsupported { .. } => Reason::UnsupportedArchive,
            Self::TooLarge { .. } => Reason::ArchiveTooLarge,
            Self::IndexMissing => Reason::IndexMissing,
            Self::Write { .. } => Reason::StoreFailed,
        }
    }
}
