//! The manifest of an installed model: its digests and where it came from.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crds::validated::{Digests, Md5, Sha256};
use serde::{Deserialize, Serialize};

pub(super) const FILE: &str = "manifest.json";

/// Unfinished folders of the models directory begin so.
pub(super) const INCOMING: &str = ".incoming-";

/// The zip that the copy was unpacked from.
pub(super) const ZIP: &str = "model.zip";

/// The folder that it was unpacked into.
pub(super) const MODEL: &str = "model";

/// The file's content. It is written last, so a folder with a manifest is complete.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Name of the model that it was installed for; absent in copies of older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// MD5 of the zip, in base64.
    pub md5: String,
    /// SHA-256 of the zip.
    pub sha256: String,
    /// Size of the zip in bytes.
    pub size: u64,
    /// Where it came from, without credentials and query.
    pub address: String,
    /// RFC 3339.
    pub installed_at: String,
    /// The folder that holds `index.py`, relative to the manifest; for workers of releases that had no zip beside it.
    root: PathBuf,
}

impl Manifest {
    /// The manifest in `folder`, if there is one.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let text = fs::read(folder.join(FILE)).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// The folder of a copy, by what its manifest says.
#[derive(Debug)]
pub(super) struct Copy {
    md5: Md5,
    sha256: Sha256,
    /// The copy's own folder.
    pub(super) folder: PathBuf,
}

impl Copy {
    /// The copy in `folder`, if it is complete.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let manifest = Manifest::read(folder)?;
        Some(Self {
            md5: manifest.md5.parse().ok()?,
            sha256: manifest.sha256.parse().ok()?,
            folder: folder.to_owned(),
        })
    }

    /// Whether the copy says that it has the configured digests. Without any digest, no copy matches: it could be any model.
    pub(super) fn is(&self, digests: &Digests) -> bool {
        (digests.md5.is_some() || digests.sha256.is_some())
            && digests.md5.is_none_or(|md5| md5 == self.md5)
            && digests.sha256.is_none_or(|sha256| sha256 == self.sha256)
    }
}

/// Writes the manifest of a folder that is otherwise complete.
pub(super) fn write(
    folder: &Path,
    root: &Path,
    (md5, sha256, size): (Md5, Sha256, u64),
    address: String,
    model: String,
) -> io::Result<()> {
    let manifest = Manifest {
        model: Some(model),
        md5: md5.to_string(),
        sha256: sha256.to_string(),
        size,
        address,
        installed_at: jiff::Timestamp::now().to_string(),
        root: root
            .strip_prefix(folder)
            .map_err(io::Error::other)?
            .to_owned(),
    };
    let file = File::create(folder.join(FILE))?;
    serde_json::to_writer_pretty(&file, &manifest)?;
    file.sync_all()
}
