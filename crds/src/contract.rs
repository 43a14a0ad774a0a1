//! What operator, workers, chart and docs must agree on, besides [`crate::worker_config`] and [`crate::termination`].
//!
//! Nothing here may change in one place only: tests compare the chart, the alerts and the images with it.

/// The port of a worker's metrics and status, unless `--http` gives another.
pub const HTTP_PORT: u16 = 5888;

/// The port of the operator's metrics and probes, unless `--http` gives another.
pub const OPERATOR_HTTP_PORT: u16 = 8080;

/// Seconds that a worker may drain after it has been told to stop.
pub const DRAIN_TIMEOUT_SECONDS: u64 = 20;

/// Seconds until a pod that is being stopped is killed: a worker's drain, with a margin.
pub const TERMINATION_GRACE_SECONDS: u64 = DRAIN_TIMEOUT_SECONDS + 10;

/// The user and group id of all containers; no image has a name for it.
pub const USER: u32 = 65_532;

/// Names of a worker's arguments, without the dashes.
pub mod argument {
    /// The configuration.
    pub const CONFIG: &str = "config";
    /// Download models.
    pub const DOWNLOAD: &str = "download";
    /// Where metrics and status are served.
    pub const HTTP: &str = "http";
    /// `json` or `text`.
    pub const LOG_FORMAT: &str = "log-format";
    /// Directory of installed models.
    pub const MODELS_DIR: &str = "models-dir";
    /// Number of a replica that keeps it across restarts.
    pub const ORDINAL: &str = "ordinal";
    /// Address of all workers of the runtime.
    pub const PEERS: &str = "peers";
    /// Name of a replica that may never return.
    pub const REPLICA: &str = "replica";
    /// File for a [`crate::termination::Termination`].
    pub const TERMINATION_LOG: &str = "termination-log";

    /// `--name=value`.
    pub fn with(name: &str, value: impl std::fmt::Display) -> String {
        format!("--{name}={value}")
    }
}

/// Environment variables.
pub mod env {
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
    /// File with the token that HTTP clients must send.
    pub const HTTP_TOKEN_FILE: &str = "EDGEMODEL_HTTP_TOKEN_FILE";
    /// Further environment variables that models get, separated by commas; `PLANT_*` means all that begin with `PLANT_`.
    pub const PASS_ENV: &str = "EDGEMODEL_PASS_ENV";
    /// Log filter of operator and workers, as in `info,worker::mqtt=debug`.
    pub const LOG: &str = "EDGEMODEL_LOG";
}

/// Paths that operator and workers serve over HTTP.
pub mod path {
    /// Liveness: the program runs.
    pub const LIVE: &str = "/healthz";
    /// Readiness: it does its work.
    pub const READY: &str = "/readyz";
    /// Metrics in Prometheus' exposition format.
    pub const METRICS: &str = "/metrics";
    /// A worker's state.
    pub const STATUS: &str = "/status";
    /// A worker's queues, as pyboot served them.
    pub const QUEUE_SIZES: &str = "/queue_size_metrics";
}

/// Metrics of workers that autoscalers read.
pub mod metric {
    /// Messages that wait in a worker's queues.
    pub const QUEUE_DEPTH: &str = "edgemodel_queue_depth";
    /// How busy a model's processes are, from 0 to 1.
    pub const MODEL_UTILIZATION: &str = "edgemodel_model_utilization";
}

/// Where a worker's pod has its files.
pub mod mount {
    /// The folder of the configuration.
    pub const CONFIG_DIR: &str = "/etc/edgemodel/config";
    /// The configuration's file in it, and its key in the ConfigMap.
    pub const CONFIG_FILE: &str = "config.yaml";
    /// Secrets, a folder for each.
    pub const SECRETS_DIR: &str = "/etc/edgemodel/secrets";
    /// Installed models.
    pub const MODELS_DIR: &str = "/var/lib/edgemodel/models";
    /// The termination log, which the kubelet reads when the worker has ended.
    pub const TERMINATION_LOG: &str = "/dev/termination-log";
}
