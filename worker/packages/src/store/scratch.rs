//! Copies of installed models for running samples.

use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;

use super::{INCOMING, Store};
use crate::error::Error;

impl Store {
    /// Copies an installed model, so that what it writes there is discarded. The copy is in the models directory if that
    /// can be written, since `/tmp` may be in memory.
    ///
    /// # Errors
    /// It cannot be copied.
    pub fn scratch(&self, model: &Path) -> Result<TempDir, Error> {
        let target = tempfile::Builder::new()
            .prefix(INCOMING)
            .tempdir_in(&self.directory)
            .or_else(|_| tempfile::tempdir())
            .map_err(Error::Store)?;
        copy_folder(model, target.path()).map_err(Error::Store)?;
        Ok(target)
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&target)?;
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
