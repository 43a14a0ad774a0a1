//! Verifies a fetched zip, and puts its content in place with a rename.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crds::validated::{Digests, Md5, Sha256};
use tempfile::TempDir;

use crate::archive::{Limits, unpack};
use crate::error::Error;
use crate::manifest::{self, Copy, MODEL, ZIP};

pub(super) fn verify(
    address: &str,
    digests: &Digests,
    md5: Md5,
    sha256: Sha256,
) -> Result<(), Error> {
    let mismatch = |kind, field, expected: String, actual: String| Error::ChecksumMismatch {
        address: address.to_owned(),
        kind,
        field,
        expected,
        actual,
    };
    if let Some(expected) = digests.sha256.filter(|expected| *expected != sha256) {
        let (expected, actual) = (expected.to_string(), sha256.to_string());
        return Err(mismatch("SHA-256", "modelSha256", expected, actual));
    }
    if let Some(expected) = digests.md5.filter(|expected| *expected != md5) {
        let (expected, actual) = (expected.to_string(), md5.to_string());
        return Err(mismatch("MD5", "modelMd5", expected, actual));
    }
    Ok(())
}

/// Unpacks the verified zip in `incoming`, and gives both their final name. Returns the copy's folder.
pub(super) fn settle(
    directory: &Path,
    incoming: TempDir,
    found: (Md5, Sha256, u64),
    (address, model): (String, String),
) -> Result<PathBuf, Error> {
    let target = incoming.path().join(MODEL);
    fs::create_dir(&target).map_err(Error::Store)?;
    let zip = incoming.path().join(ZIP);
    let file = File::open(&zip).map_err(Error::Store)?;
    file.sync_all().map_err(Error::Store)?;
    let root = unpack(file, &target, &Limits::default()).map_err(Error::Archive)?;
    sync(&target).map_err(Error::Store)?;
    manifest::write(incoming.path(), &root, found, address, model).map_err(Error::Store)?;
    let folder = directory.join(folder_name(found.1));
    if Copy::read(&folder).is_some() {
        // Another worker was faster, or its zip is not what it was; what is beside it is restored from it.
        fs::rename(&zip, folder.join(ZIP)).map_err(Error::Store)?;
        return Ok(folder);
    }
    if folder.exists() {
        // What is there is not whole, and whoever reads it would refuse it.
        fs::remove_dir_all(&folder).map_err(Error::Store)?;
    }
    sync_folder(incoming.path()).map_err(Error::Store)?;
    let incoming = incoming.keep();
    if let Err(error) = fs::rename(&incoming, &folder) {
        // Nothing of it may stay; a failure to remove it is the smaller trouble.
        let _ = fs::remove_dir_all(&incoming);
        if Copy::read(&folder).is_some() {
            return Ok(folder);
        }
        return Err(Error::Store(error));
    }
    sync_folder(directory).map_err(Error::Store)?;
    Ok(folder)
}

pub(super) fn folder_name(sha256: Sha256) -> String {
    format!("sha256-{sha256}")
}

/// Puts the names in a folder and in all below it on disk; the files are already.
fn sync(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync(&entry.path())?;
        }
    }
    sync_folder(folder)
}

/// Puts a folder's names on disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
