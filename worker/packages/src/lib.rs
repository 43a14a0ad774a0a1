//! Model packages: from a folder to a zip, and from a zip's address to a verified folder.
//!
//! Rooms in reading order:
//!
//! - `pack`: lists and packs a folder; the same files give the same bytes, and so the same digests.
//! - `archive`: unpacks a zip without trusting anything in it.
//! - `requirements`: downloads wheels for the platforms of workers.
//! - `clutter`: files of desktop systems, editors and Python to skip.
//! - `credentials`: what a model server asks for.
//! - `s3`: objects of an S3 store, and why it refuses a request.
//! - `fetch`: downloads a zip: bounded, resumed, hashed while it arrives.
//! - `manifest`: digests and origin of an installed copy.
//! - `contents`, `verified`: what an installed copy must consist of, and its restoration.
//! - `wheels`: installs the wheels in a package.
//! - `store`: the models directory; installs a model from all of the above.
//! - `local`: a folder or zip that is tried without being installed.
//! - `error`: why a model isn't installed.

mod archive;
mod clutter;
mod contents;
mod credentials;
mod error;
mod fetch;
mod local;
mod manifest;
mod pack;
mod requirements;
mod s3;
mod store;
mod verified;
mod wheels;

pub use archive::{Error as ArchiveError, Limits, unpack};
pub use clutter::is_clutter;
pub use credentials::{Error as CredentialsError, Watch};
pub use error::Error;
pub use fetch::Error as FetchError;
pub use local::{Local, prepare};
pub use manifest::Manifest;
pub use pack::{Draft, Error as PackError, Listing, Packed, check_output, digest, pack};
pub use requirements::{Error as RequirementsError, Platform, download};
pub use store::{InUse, InstallOptions, Installed, KEPT_VERSIONS, Origin, Store, Version};
pub use verified::Verified;
