//! How a model is installed, and what comes of it.

use std::path::PathBuf;
use std::sync::Arc;

use crds::validated::{Md5, Sha256};

use super::InUse;
use crate::verified::Verified;

/// How a model is installed.
#[derive(Debug, Clone)]
pub struct InstallOptions {
    /// Whether it may be downloaded (`DOWNLOAD_MODEL`).
    pub download: bool,
    /// The interpreter that its wheels are for.
    pub python: PathBuf,
    /// Whether to show progress if a terminal is attached.
    pub progress: bool,
    /// The largest zip in bytes.
    pub max_bytes: u64,
}

impl Default for InstallOptions {
    fn default() -> Self {
        Self {
            download: false,
            python: "python3".into(),
            progress: false,
            max_bytes: 2 << 30,
        }
    }
}

/// A model that can be imported.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The folder that holds `index.py`.
    pub directory: PathBuf,
    /// The folder of its wheels.
    pub wheels: Option<PathBuf>,
    /// Of its zip; unknown for a model that was put there by hand.
    pub md5: Option<Md5>,
    /// Of its zip.
    pub sha256: Option<Sha256>,
    /// What it must consist of; `None` for a model that was copied there by hand.
    pub verified: Option<Arc<Verified>>,
    /// Where it came from.
    pub origin: Origin,
    /// Keeps it from being pruned while it is served; `None` for a model that was copied there by hand.
    pub in_use: Option<Arc<InUse>>,
}

/// Where an installed model came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A verified copy was there.
    Cached,
    /// It was downloaded now.
    Downloaded,
    /// It was read from a `file://` address now.
    File,
    /// Somebody put its folder there; nothing says what it is.
    PrePlaced,
}
