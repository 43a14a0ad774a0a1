//! Why the credentials of a model server cannot be used. No message has anything of a file's content.

use std::io;

/// Why they cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A Secret, which only a cluster has.
    #[error(
        "modelCredentialsSecretRef: there are no Secrets on this machine; name files in modelCredentials instead"
    )]
    Secret,
    /// A file cannot be read.
    #[error(
        "modelCredentials.{field}: failed to read {path:?}: {error}; give the path of a readable file"
    )]
    Unreadable {
        /// The field that names the file.
        field: &'static str,
        /// The file.
        path: String,
        /// The system's error.
        error: io::Error,
    },
    /// A file holds something else.
    #[error("modelCredentials.{field}: {path:?} {fault}; {remedy}")]
    Unusable {
        /// The field that names the file.
        field: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        fault: String,
        /// What to do.
        remedy: &'static str,
    },
}

impl Error {
    pub(super) fn unusable(
        field: &'static str,
        path: &str,
        fault: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Self::Unusable {
            field,
            path: path.to_owned(),
            fault: fault.into(),
            remedy,
        }
    }
}
