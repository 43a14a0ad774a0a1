//! An installed copy is what its digest says, also later: it is compared with the zip that it was unpacked from before each
//! start of a host, and restored from it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crds::validated::{Digests, Md5, Sha256};

use crate::archive::{Limits, unpack};
use crate::contents::{Changes, Contents};
use crate::error::Error;
use crate::manifest::{INCOMING, MODEL, ZIP};
use crate::pack::digest;

/// See the module's description.
#[derive(Debug)]
pub struct Verified {
    /// The copy's own folder.
    folder: PathBuf,
    /// The path of the folder with `index.py` in the unpacked model.
    root: String,
    md5: Md5,
    sha256: Sha256,
    contents: Contents,
    /// Held while the copy is restored.
    restoring: Mutex<()>,
}

impl Verified {
    /// Reads the zip of the copy in `folder`, and restores what differs from it. Blocks.
    ///
    /// # Errors
    /// The zip has another digest, or the copy cannot be restored.
    pub(crate) fn open(folder: &Path, digests: &Digests) -> Result<Self, Error> {
        let zip = folder.join(ZIP);
        let changed = || Error::Changed(zip.clone());
        let (md5, sha256, _) = digest(&zip).map_err(|_| changed())?;
        let same = digests.md5.is_none_or(|expected| expected == md5)
            && digests.sha256.is_none_or(|expected| expected == sha256);
        if !same {
            return Err(changed());
        }
        let file = File::open(&zip).map_err(Error::Store)?;
        let (contents, root) = Contents::of_zip(file).map_err(Error::Archive)?;
        let verified = Self {
            folder: folder.to_owned(),
            root,
            md5,
            sha256,
            contents,
            restoring: Mutex::default(),
        };
        verified.ensure()?;
        Ok(verified)
    }

    /// The folder that holds `index.py`.
    pub(crate) fn directory(&self) -> PathBuf {
        let model = self.folder.join(MODEL);
        if self.root.is_empty() {
            return model;
        }
        model.join(&self.root)
    }

    /// The digests of the zip.
    pub(crate) fn digests(&self) -> (Md5, Sha256) {
        (self.md5, self.sha256)
    }

    /// Makes sure that the files are those of the zip. Blocks.
    ///
    /// # Errors
    /// They aren't, and cannot be restored.
    pub fn ensure(&self) -> Result<(), Error> {
        let _alone = self
            .restoring
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let changes = self.compare()?;
        if changes.is_empty() {
            return Ok(());
        }
        self.restore(&changes)?;
        let count = changes.lost.len() + changes.added.len();
        tracing::warn!(
            folder = %self.folder.display(),
            count,
            first = %first(&changes),
            "Files of an installed model were changed, restored them from its verified zip"
        );
        if self.compare()?.is_empty() {
            Ok(())
        } else {
            Err(Error::Changed(self.folder.join(MODEL)))
        }
    }

    fn compare(&self) -> Result<Changes, Error> {
        let model = self.folder.join(MODEL);
        self.contents.compare(&model).map_err(Error::Store)
    }

    fn restore(&self, changes: &Changes) -> Result<(), Error> {
        let zip = self.folder.join(ZIP);
        if !digest(&zip).is_ok_and(|(_, sha256, _)| sha256 == self.sha256) {
            return Err(Error::Changed(zip));
        }
        let parent = self.folder.parent().unwrap_or(&self.folder);
        let fresh = tempfile::Builder::new()
            .prefix(INCOMING)
            .tempdir_in(parent)
            .map_err(Error::Store)?;
        let file = File::open(&zip).map_err(Error::Store)?;
        unpack(file, fresh.path(), &Limits::default()).map_err(Error::Archive)?;
        self.replace(changes, fresh.path()).map_err(Error::Store)
    }

    fn replace(&self, changes: &Changes, fresh: &Path) -> io::Result<()> {
        let model = self.folder.join(MODEL);
        for path in &changes.added {
            let place = trimmed(&model.join(path));
            if fs::symlink_metadata(&place).is_ok_and(|metadata| metadata.is_dir()) {
                fs::remove_dir_all(&place)?;
            } else if let Err(error) = fs::remove_file(&place)
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        for path in &changes.lost {
            let place = model.join(path);
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::rename(fresh.join(path), &place)?;
        }
        Ok(())
    }
}

/// Without the slash that joining an empty path leaves at its end, which would follow a link.
fn trimmed(path: &Path) -> PathBuf {
    path.components().collect()
}

fn first(changes: &Changes) -> String {
    let lost = changes.lost.first().cloned();
    lost.or_else(|| Some(changes.added.first()?.display().to_string()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
