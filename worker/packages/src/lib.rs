//! Model packages on disk: from a folder to a zip, and from a zip's address to a verified folder.
//!
//! Rooms in reading order:
//!
//! - `pack`: packs a folder; the same files give the same bytes and so the same digests.
//! - `archive`: unpacks a zip without trusting anything in it.
//! - `clutter`: files of desktop systems and of Python that are no part of a model.
//! - `fetch`: downloads a zip: bounded, resumed, hashed while it arrives.
//! - `manifest`: what an installed copy says about itself.
//! - `wheels`: installs the wheels that a package brings along.
//! - `store`: the models directory; installs a model from all of the above.
//! - `local`: a folder or zip that is tried out without being installed.
//! - `error`: why a model isn't installed.

mod archive;
mod clutter;
mod error;
mod fetch;
mod local;
mod manifest;
mod pack;
mod store;
mod wheels;

pub use archive::{Error as ArchiveError, Limits, unpack};
pub use clutter::is_clutter;
pub use error::Error;
pub use fetch::Error as FetchError;
pub use local::{Local, prepare};
pub use pack::{Error as PackError, Packed, digest, pack};
pub use store::{InstallOptions, Installed, Origin, Store};
