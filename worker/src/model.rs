//! Models on disk: from a zip to a folder that can be imported.

pub mod archive;
