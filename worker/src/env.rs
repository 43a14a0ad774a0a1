//! The environment variables that edgemodel reads, each with its meaning.

pub use hosts::{HOST_LIB, PYTHON};

/// `true`, `1` or `yes`: models are downloaded; otherwise they must already be in the models
/// directory (as in pyboot).
pub const DOWNLOAD_MODEL: &str = "DOWNLOAD_MODEL";
/// Directory of installed models. Default: `edgemodel/models` in the user's cache directory.
pub const MODELS_DIR: &str = "EDGEMODEL_MODELS_DIR";
/// Name of this replica, appended to the client ids; the broker keeps no session for it.
pub const REPLICA: &str = "EDGEMODEL_REPLICA";
/// `HOST:PORT` of all workers of the runtime, which then answer for each other.
pub const PEERS: &str = "EDGEMODEL_PEERS";
/// Log filter, as in `info,mqtt=debug`.
pub const LOG: &str = "EDGEMODEL_LOG";
