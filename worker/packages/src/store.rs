//! Installed models: each verified zip is unpacked once, into a folder named after its digest, and used
//! without network access from then on. The zip stays beside what was unpacked, which is compared with it (`verified`).
//!
//! A folder is created under a temporary name and renamed when it is complete and on disk, so that a crash
//! never leaves half a model.

mod installed;
mod scratch;
mod settle;
mod versions;

use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crds::validated::{Digests, Md5, Sha256, ValidatedFunc};

use super::credentials::Credentials;
use super::error::Error;
use super::fetch::{self, Clients, fetch, shown};
use super::manifest::{Copy, INCOMING, ZIP};
use super::verified::Verified;
use super::{pack, wheels};

pub use installed::{InstallOptions, Installed, Origin};
pub use versions::{InUse, Version};

use settle::{folder_name, settle, verify};

/// An unfinished folder without changes for this long was left by a crash.
const ABANDONED: Duration = Duration::from_hours(24);

/// Versions of a model that stay when a further one is installed.
pub const KEPT_VERSIONS: usize = 3;

/// The models directory.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// Opens or creates the directory, and removes the remains of crashed installations.
    ///
    /// # Errors
    /// It cannot be created or read.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(Error::Store)?;
        let directory = directory.canonicalize().map_err(Error::Store)?;
        for entry in fs::read_dir(&directory).map_err(Error::Store)? {
            let entry = entry.map_err(Error::Store)?;
            let unfinished = entry.file_name().to_string_lossy().starts_with(INCOMING);
            let age = entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .ok()
                .and_then(|modified| SystemTime::now().duration_since(modified).ok());
            if unfinished && age.is_some_and(|age| age > ABANDONED) {
                // Another worker may be removing it too.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        Ok(Self { directory })
    }

    /// Finds, downloads or unpacks a model.
    ///
    /// # Errors
    /// See [`Error`]; a failed installation leaves nothing behind.
    pub async fn install(
        &self,
        func: &ValidatedFunc,
        options: &InstallOptions,
    ) -> Result<Installed, Error> {
        let digests = func.digest.clone().map_err(Error::Refused)?;
        for copy in self.find(&digests).map_err(Error::Store)? {
            let found = complete(copy.folder, digests, Origin::Cached, &options.python).await;
            let Err(Error::Changed(path)) = found else {
                return found;
            };
            let path = path.display();
            tracing::warn!(model = func.name, %path, "Installed model cannot be verified, installing it again");
        }
        let file = func.address.scheme() == "file";
        if !file && !options.download {
            return self.pre_placed(&func.name);
        }
        let incoming = tempfile::Builder::new()
            .prefix(INCOMING)
            .tempdir_in(&self.directory)
            .map_err(Error::Store)?;
        let zip = incoming.path().join(ZIP);
        let (found, origin) = if file {
            (
                copy_file(func, &zip, options.max_bytes).await?,
                Origin::File,
            )
        } else {
            (
                Self::download(func, &zip, options).await?,
                Origin::Downloaded,
            )
        };
        let address = shown(&func.address);
        verify(&address, &digests, found.0, found.1)?;
        let directory = self.directory.clone();
        let name = func.name.clone();
        let folder = blocking(move || settle(&directory, incoming, found, (address, name))).await?;
        let digests = Digests {
            md5: Some(found.0),
            sha256: Some(found.1),
        };
        let installed = complete(folder, digests, origin, &options.python).await?;
        match self.prune(KEPT_VERSIONS) {
            Ok(pruned) if !pruned.is_empty() => {
                let count = pruned.len();
                tracing::info!(model = func.name, count, "Deleted old versions of models");
            }
            Ok(_) => {}
            // The model that is needed is there.
            Err(error) => tracing::warn!(%error, "Failed to delete old versions of models"),
        }
        Ok(installed)
    }

    /// The copies that say that they have these digests.
    fn find(&self, digests: &Digests) -> io::Result<Vec<Copy>> {
        let copy = |folder: &Path| Copy::read(folder).filter(|copy| copy.is(digests));
        if let Some(sha256) = digests.sha256 {
            return Ok(Vec::from_iter(copy(
                &self.directory.join(folder_name(sha256)),
            )));
        }
        let mut copies = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("sha256-") {
                copies.extend(copy(&entry.path()));
            }
        }
        Ok(copies)
    }

    /// The model's folder under its own name, as pyboot expects it.
    fn pre_placed(&self, name: &str) -> Result<Installed, Error> {
        let mut parts = Path::new(name).components();
        let plain = matches!(
            (parts.next(), parts.next()),
            (Some(Component::Normal(part)), None) if part == name
        );
        let expected = self
            .directory
            .join(if plain { name } else { "<modelName>" });
        if plain && expected.join("index.py").is_file() {
            let folder = expected.display();
            tracing::warn!(model = name, %folder, "Using an unverified model from the models directory");
            return Ok(Installed {
                directory: expected,
                wheels: None,
                md5: None,
                sha256: None,
                origin: Origin::PrePlaced,
                in_use: None,
                verified: None,
            });
        }
        Err(Error::DownloadDisabled {
            directory: self.directory.clone(),
            expected,
        })
    }

    async fn download(
        func: &ValidatedFunc,
        zip: &Path,
        options: &InstallOptions,
    ) -> Result<(Md5, Sha256, u64), Error> {
        let credentials = Credentials::read(func).map_err(Error::Credentials)?;
        let clients = Clients::new(func, credentials).map_err(Error::Fetch)?;
        let mut file = File::create(zip).map_err(Error::Store)?;
        tracing::info!(
            model = func.name,
            address = shown(&func.address),
            "Downloading model"
        );
        let fetched = fetch(&clients, &mut file, options.max_bytes, options.progress)
            .await
            .map_err(Error::Fetch)?;
        Ok((fetched.md5, fetched.sha256, fetched.size))
    }
}

async fn copy_file(
    func: &ValidatedFunc,
    zip: &Path,
    max_bytes: u64,
) -> Result<(Md5, Sha256, u64), Error> {
    let path = func.address.to_file_path().unwrap_or_default();
    let zip = zip.to_owned();
    blocking(move || {
        let unreadable = |error| Error::File {
            path: path.clone(),
            error,
        };
        let size = fs::metadata(&path).map_err(unreadable)?.len();
        if size > max_bytes {
            return Err(Error::Fetch(fetch::Error::TooLarge {
                address: path.display().to_string(),
                limit: max_bytes,
                bound: fetch::MOST,
            }));
        }
        fs::copy(&path, &zip).map_err(unreadable)?;
        pack::digest(&zip).map_err(|error| unreadable(io::Error::other(error)))
    })
    .await
}

async fn complete(
    folder: PathBuf,
    digests: Digests,
    origin: Origin,
    python: &Path,
) -> Result<Installed, Error> {
    let python = python.to_owned();
    blocking(move || {
        let in_use = InUse::mark(&folder).map(Arc::new);
        // Fails too if it was pruned a moment ago; then it is installed again.
        let verified = Verified::open(&folder, &digests)?;
        let directory = verified.directory();
        let (md5, sha256) = verified.digests();
        let wheels = wheels::install(&folder, &directory, &python)?;
        Ok(Installed {
            directory,
            wheels,
            md5: Some(md5),
            sha256: Some(sha256),
            in_use,
            verified: Some(Arc::new(verified)),
            origin,
        })
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(Error::Interrupted))
}
