//! Models on disk: from a folder to a zip, and from a zip to a folder that can be imported.

pub mod archive;
pub mod pack;
