//! `edgemodel run`: runs the worker.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use crds::Reason;
use crds::contract::{DRAIN_TIMEOUT_SECONDS, HTTP_PORT, argument, env};
use crds::termination::Termination;

use crate::run::{Error, Worker};
use crate::settings::{self, Replica, Settings};
use crate::shutdown;
use crate::telemetry::{self, LogFormat};
use crate::token::Token;

use super::{End, print_error, read};

const EXAMPLES: &str = "\
Examples:
  edgemodel run --config my.yaml --download           download models, run until Ctrl-C
  edgemodel run --config production.yaml --try        run beside production: print results, publish nothing
  edgemodel run --config my.yaml --http 0.0.0.0:9000  serve metrics and status on port 9000
  EDGEMODEL_LOG=debug edgemodel run --config -        read stdin, log at level debug

Signals:
  SIGTERM, SIGINT  finish the messages that were read, then end; a second signal ends at once
  SIGHUP           read the configuration again; settings of models take effect, anything else takes a restart
  SIGUSR1          log at level debug; a second signal logs as before";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Configuration in YAML or JSON, or `-` for stdin.
    #[arg(long = argument::CONFIG, short, value_name = "FILE")]
    config: String,
    /// Address of metrics and status, and of the ports in `expose`. Default: metrics and status on 127.0.0.1:5888, for this
    /// machine alone; the ports in `expose` on all addresses.
    #[arg(long = argument::HTTP, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Run beside production on its configuration: connect under other client ids without sessions and outside of shared groups,
    /// print each result with its topic instead of publishing it, and serve no port of `expose`.
    #[arg(long = "try", conflicts_with_all = ["ordinal", "replica", "peers", "termination_log"])]
    trial: bool,
    /// File with a token of at least 16 characters. HTTP clients must then send it as `Authorization: Bearer TOKEN`, except for
    /// the probes.
    #[arg(long, value_name = "FILE", env = env::HTTP_TOKEN_FILE)]
    http_token_file: Option<PathBuf>,
    /// Maximum time in seconds to finish messages in flight at shutdown.
    #[arg(long, value_name = "SECONDS", default_value_t = DRAIN_TIMEOUT_SECONDS)]
    drain_timeout: u64,
    /// Format of log lines.
    #[arg(long = argument::LOG_FORMAT, value_enum, default_value_t)]
    log_format: LogFormat,
    /// Use only models that are in the models directory, whatever DOWNLOAD_MODEL says.
    #[arg(long, conflicts_with = "download")]
    no_download: bool,
    /// Download models, whatever DOWNLOAD_MODEL says.
    #[arg(long = argument::DOWNLOAD)]
    download: bool,
    /// Directory for models. Default: edgemodel/models in the user's cache directory.
    #[arg(long = argument::MODELS_DIR, value_name = "DIR", env = env::MODELS_DIR)]
    models_dir: Option<PathBuf>,
    /// Number of this replica, appended to its client ids. It must be the same after a restart.
    #[arg(long = argument::ORDINAL, value_name = "N")]
    ordinal: Option<u32>,
    /// Name of this replica, appended to its client ids. The broker keeps no session for it, since names of pods are
    /// not reused. Drains and deletes the sessions of a single worker that ran without --replica.
    #[arg(long = argument::REPLICA, value_name = "NAME", env = env::REPLICA, conflicts_with = "ordinal")]
    replica: Option<String>,
    /// Name that resolves to all workers of the runtime, with their HTTP port. /queue_size_metrics then covers all of
    /// them.
    #[arg(long = argument::PEERS, value_name = "HOST:PORT", env = env::PEERS, value_parser = peers)]
    peers: Option<String>,
    /// File for the reason when the configuration is invalid or a model is refused. The worker then stops. For pods.
    #[arg(long = argument::TERMINATION_LOG, value_name = "FILE")]
    termination_log: Option<PathBuf>,
}

fn peers(text: &str) -> Result<String, &'static str> {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    let port = port.and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        Some(1..) => Ok(text.to_owned()),
        _ => Err("write it as HOST:PORT"),
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    let signals = shutdown::harmless().context("failed to handle signals")?;
    let leave = |reason: Reason, message: &str| {
        if let Some(path) = &arguments.termination_log {
            write_termination(path, reason, message);
        }
    };
    let read = read(&arguments.config).inspect_err(|error| {
        leave(Reason::InvalidConfiguration, &format!("{error:#}"));
    });
    let (text, source) = read?;
    let runtime = match crds::load(&text, &source) {
        Ok(runtime) => runtime,
        Err(problems) => {
            print_error(&problems.to_string());
            leave(Reason::InvalidConfiguration, &problems.to_string());
            return Ok(End::BadConfiguration);
        }
    };
    telemetry::init(arguments.log_format, telemetry::DEFAULT);
    // Without the network, which may be away: `edgemodel check` resolves names.
    for warning in crds::warnings(&runtime, |_, _| false) {
        tracing::warn!("{warning}");
    }
    let settings = settings(arguments).inspect_err(|error| {
        leave(Reason::StartFailed, &format!("{error:#}"));
    })?;
    let worker = match Worker::open(runtime, settings) {
        Ok(worker) => worker,
        Err(error @ Error::Broker(_)) => {
            print_error(&format!("error: {error}"));
            leave(Reason::InvalidConfiguration, &error.to_string());
            return Ok(End::BadConfiguration);
        }
        Err(error) => {
            leave(Reason::StartFailed, &error.to_string());
            return Err(error.into());
        }
    };
    if arguments.trial {
        tracing::info!(
            "Trial: results are printed and not published, and the broker keeps no session"
        );
    }
    for address in worker.http_addresses() {
        tracing::info!(%address, "Serving /metrics, /status and /queue_size_metrics");
    }
    if arguments.http.is_none() && !arguments.trial {
        tracing::info!(
            "Serving metrics and status to this machine alone, use --http 0.0.0.0:{HTTP_PORT} for others"
        );
    }
    for address in worker.stream_addresses() {
        tracing::info!(%address, "Streaming results");
    }
    match worker.run(shutdown::requested, Some(signals)) {
        Ok(()) => Ok(End::Done),
        Err(error) => {
            match &error {
                Error::Refused(refused) => leave(refused.reason, &refused.message),
                other => leave(Reason::StartFailed, &other.to_string()),
            }
            Err(error.into())
        }
    }
}

fn settings(arguments: &Arguments) -> anyhow::Result<Settings> {
    let ordinal = arguments.ordinal.map(Replica::Ordinal);
    let models_dir = arguments.models_dir.clone();
    let http = arguments.http;
    let token = arguments.http_token_file.as_deref().map(token);
    Ok(Settings {
        // Production may have the usual port.
        http: http.unwrap_or(
            (
                Ipv4Addr::LOCALHOST,
                if arguments.trial { 0 } else { HTTP_PORT },
            )
                .into(),
        ),
        exposed: http.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |http| http.ip()),
        http_token: token.transpose()?,
        models_dir: models_dir.unwrap_or_else(settings::default_models_dir),
        config: Some(arguments.config.clone()),
        files: files(arguments),
        download: !arguments.no_download
            && (arguments.download || settings::download_from_environment()),
        trial: arguments.trial,
        replica: ordinal.or_else(|| arguments.replica.clone().map(Replica::Name)),
        peers: arguments.peers.clone(),
        give_up: arguments.termination_log.is_some(),
        hostname: settings::hostname(),
        drain_timeout: Duration::from_secs(arguments.drain_timeout),
    })
}

/// The configuration, which may hold passwords, and the token.
fn files(arguments: &Arguments) -> Vec<PathBuf> {
    let config = Some(PathBuf::from(&arguments.config)).filter(|path| path != Path::new("-"));
    config
        .into_iter()
        .chain(arguments.http_token_file.clone())
        .collect()
}

fn token(path: &Path) -> anyhow::Result<Token> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("--http-token-file: failed to read {shown}"))?;
    Token::read(&text).map_err(|error| anyhow::anyhow!("--http-token-file: {shown}: {error}"))
}

/// Kubernetes has the file mounted, so it is written in place.
fn write_termination(path: &Path, reason: Reason, message: &str) {
    let text = Termination {
        reason: reason.into(),
        message: message.to_owned(),
    };
    if let Err(error) = std::fs::write(path, text.to_json()) {
        print_error(&format!("failed to write {}: {error}", path.display()));
    }
}
