//! The environment variables that edgemodel reads, each with its meaning.

/// `true`, `1` or `yes`: models are downloaded; otherwise they must already be in the models
/// directory (as in pyboot).
pub const DOWNLOAD_MODEL: &str = "DOWNLOAD_MODEL";
/// Directory of installed models. Default: `edgemodel/models` in the user's cache directory.
pub const MODELS_DIR: &str = "EDGEMODEL_MODELS_DIR";
/// Python interpreter for models that name none. Default: `python3` on `PATH`.
pub const PYTHON: &str = "EDGEMODEL_PYTHON";
/// Path of the model host's extension module. Default: beside the executable, then
/// `../lib/edgemodel/`.
pub const HOST_LIB: &str = "EDGEMODEL_HOST_LIB";
/// Name of this replica, appended to the client ids; the broker keeps no session for it.
pub const REPLICA: &str = "EDGEMODEL_REPLICA";
/// `HOST:PORT` of all workers of the runtime, which then answer for each other.
pub const PEERS: &str = "EDGEMODEL_PEERS";
/// Log filter, as in `info,worker::mqtt=debug`.
pub const LOG: &str = "EDGEMODEL_LOG";
