//! A local model that is tried without being installed: a folder or a zip.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::archive::{Limits, unpack};
use super::error::Error;
use super::pack::Listing;
use super::wheels;

/// A model that can be imported.
#[derive(Debug, Clone)]
pub struct Local {
    /// The folder that holds `index.py`.
    pub directory: PathBuf,
    /// The folder of its wheels.
    pub wheels: Option<PathBuf>,
}

/// Unpacks a zip or copies the files that would be packed of a folder into the empty folder `temporary`, and installs
/// the model's wheels there, so that nothing that the model writes reaches the original.
///
/// # Errors
/// The file is missing, it isn't a model, or the wheels cannot be installed.
pub fn prepare(model: &Path, temporary: &Path, python: &Path) -> Result<Local, Error> {
    let unreadable = |error| Error::File {
        path: model.to_owned(),
        error,
    };
    let target = temporary.join("model");
    fs::create_dir(&target).map_err(unreadable)?;
    let directory = if model.is_dir() {
        let listing = Listing::read(model).map_err(Error::Folder)?;
        listing.copy(&target).map_err(unreadable)?;
        target
    } else {
        let file = File::open(model).map_err(unreadable)?;
        unpack(file, &target, &Limits::default()).map_err(Error::Archive)?
    };
    let wheels = wheels::install(temporary, &directory, python)?;
    Ok(Local { directory, wheels })
}
