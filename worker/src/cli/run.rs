//! `edgemodel run`: the worker.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::env;
use crate::run::{Error, Worker};
use crate::settings::{self, Settings};
use crate::shutdown;
use crate::telemetry::{self, LogFormat};

use super::{End, configuration, print_error};

const EXAMPLES: &str = "\
Examples:
  edgemodel run --config my.yaml --download        fetch the models and serve until Ctrl-C
  edgemodel run --config my.yaml --http 0.0.0.0:9000  serve metrics and status on another port
  EDGEMODEL_LOG=debug edgemodel run --config -     read the configuration from stdin, log more";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The configuration, YAML or JSON; `-` reads stdin.
    #[arg(long, short, value_name = "FILE")]
    config: String,
    /// Where metrics and status are served.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:5888")]
    http: SocketAddr,
    /// Longest time in seconds that a shutdown may take to finish what was begun.
    #[arg(long, value_name = "SECONDS", default_value = "20")]
    drain_timeout: u64,
    /// How log lines look.
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
    /// Do not download models: they must be in the models directory.
    #[arg(long, conflicts_with = "download")]
    no_download: bool,
    /// Download models, whatever DOWNLOAD_MODEL says.
    #[arg(long)]
    download: bool,
    /// Directory of installed models. Default: edgemodel/models in the user's cache directory.
    #[arg(long, value_name = "DIR", env = env::MODELS_DIR)]
    models_dir: Option<PathBuf>,
    /// Number of this replica, appended to the client ids.
    #[arg(long, value_name = "N")]
    ordinal: Option<u32>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    let Some(runtime) = configuration(&arguments.config)? else {
        return Ok(End::BadConfiguration);
    };
    telemetry::init(arguments.log_format, "info");
    let settings = Settings {
        http: arguments.http,
        models_dir: arguments
            .models_dir
            .clone()
            .unwrap_or_else(settings::default_models_dir),
        download: !arguments.no_download
            && (arguments.download || settings::download_from_environment()),
        ordinal: arguments.ordinal,
        hostname: settings::hostname(),
        drain_timeout: Duration::from_secs(arguments.drain_timeout),
    };
    let worker = match Worker::open(runtime, settings) {
        Ok(worker) => worker,
        Err(error @ Error::Broker(_)) => {
            print_error(&format!("error: {error}"));
            return Ok(End::BadConfiguration);
        }
        Err(error) => return Err(error.into()),
    };
    for address in worker.http_addresses() {
        tracing::info!(%address, "Serving /metrics, /status and /queue_size_metrics");
    }
    for address in worker.stream_addresses() {
        tracing::info!(%address, "Streaming results");
    }
    worker.run(shutdown::requested)?;
    Ok(End::Done)
}
