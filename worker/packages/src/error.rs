//! Why a model is not installed.

use std::io;
use std::path::PathBuf;

use crds::Reason;
use crds::validated::Refusal;

use super::{archive, credentials, fetch, pack};

/// Why a model cannot be installed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its configuration.
    #[error(transparent)]
    Refused(Refusal),
    /// The model is missing and downloads are off.
    #[error(
        "the model is not in {}; set DOWNLOAD_MODEL=true to download it, or put index.py into {}",
        .directory.display(), .expected.display()
    )]
    DownloadDisabled {
        /// The models directory.
        directory: PathBuf,
        /// Where its folder would be.
        expected: PathBuf,
    },
    /// The credentials of its server.
    #[error(transparent)]
    Credentials(credentials::Error),
    /// The download.
    #[error(transparent)]
    Fetch(fetch::Error),
    /// A `file://` address.
    #[error("failed to read {}: {error}; check modelAddress", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The zip has another digest.
    #[error("{address} has {kind} {actual}, not {expected}; correct {field} or the file")]
    ChecksumMismatch {
        /// The address without credentials and query.
        address: String,
        /// `MD5` or `SHA-256`.
        kind: &'static str,
        /// `modelMd5` or `modelSha256`.
        field: &'static str,
        /// The configured digest.
        expected: String,
        /// The actual digest.
        actual: String,
    },
    /// The zip.
    #[error(transparent)]
    Archive(archive::Error),
    /// A folder that cannot be packed either.
    #[error(transparent)]
    Folder(pack::Error),
    /// Its wheels.
    #[error("failed to install the model's wheels with {}: {reason}", .python.display())]
    Wheels {
        /// The interpreter.
        python: PathBuf,
        /// pip's last lines.
        reason: String,
    },
    /// The models directory.
    #[error("failed to use the models directory: {0}; choose another with --models-dir")]
    Store(io::Error),
    /// What was verified has been changed, and cannot be restored.
    #[error("{} was changed since it was verified; the model is installed again", .0.display())]
    Changed(PathBuf),
    /// A bug.
    #[error("the installation was interrupted")]
    Interrupted,
}

impl Error {
    /// Why, in one word.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Refused(refusal) => refusal.reason,
            Self::DownloadDisabled { .. } => Reason::DownloadDisabled,
            Self::Credentials(_) => Reason::CredentialsInvalid,
            Self::Fetch(error) => error.reason(),
            Self::File { .. } | Self::Folder(_) => Reason::FileUnreadable,
            Self::ChecksumMismatch { .. } => Reason::ChecksumMismatch,
            Self::Archive(error) => error.reason(),
            Self::Wheels { .. } => Reason::WheelsFailed,
            Self::Store(_) | Self::Changed(_) | Self::Interrupted => Reason::StoreUnavailable,
        }
    }

    /// Whether other credentials may be all that it takes.
    pub fn is_of_credentials(&self) -> bool {
        matches!(
            self.reason(),
            Reason::AccessDenied | Reason::ModelNotFound | Reason::CredentialsInvalid
        )
    }

    /// Whether the same may succeed later, without a change of the configuration.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Fetch(error) => error.is_transient(),
            other => !other.reason().is_permanent(),
        }
    }
}
