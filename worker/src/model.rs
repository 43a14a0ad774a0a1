//! Models on disk: from a folder to a zip, and from a zip's address to a verified folder.

pub mod archive;
mod error;
pub mod fetch;
pub mod local;
mod manifest;
pub mod pack;
pub mod store;
mod wheels;
