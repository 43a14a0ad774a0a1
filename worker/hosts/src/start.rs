//! From nothing to a host that has imported its model.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;

use crds::Reason;
use frame::{Request, Response};

use crate::metrics::Metrics;

use crate::child::HostProcess;
use crate::pool::Options;
use crate::program::Program;

/// Why a host does not come up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such interpreter.
    #[error(
        "there is no Python interpreter {0:?}; install Python 3.6 or later, or name one with \
         funcs[].python or EDGEMODEL_PYTHON"
    )]
    PythonMissing(String),
    /// There is such a file, and it runs no model.
    #[error(
        "{} cannot run a model: {found}; name Python 3.6 or later for this machine with funcs[].python or \
         EDGEMODEL_PYTHON",
        .python.display()
    )]
    PythonUnsupported {
        /// The interpreter.
        python: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// The native host is asked for and does not load.
    #[error(
        "{} (Python {version}) does not load the native host: {fault}; remove `host: native`, or name CPython 3.10 or \
         later with funcs[].python or EDGEMODEL_PYTHON",
        .python.display()
    )]
    NativeUnsupported {
        /// The interpreter.
        python: PathBuf,
        /// Its version.
        version: String,
        /// Why.
        fault: String,
    },
    /// The extension module or the portable host is nowhere.
    #[error("the model host is missing, looked for {}; set EDGEMODEL_HOST_LIB", list(.tried))]
    LibraryMissing {
        /// Where it was looked for.
        tried: Vec<PathBuf>,
    },
    /// The system starts no process.
    #[error("failed to start {}: {error}", .python.display())]
    Spawn {
        /// The interpreter.
        python: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The model cannot be imported.
    #[error("the model cannot be imported: {message}{}", remedy(.message))]
    ImportFailed {
        /// One line.
        message: String,
        /// Python's traceback; empty if there is none.
        traceback: String,
    },
    /// The import takes too long.
    #[error("the import took longer than startTimeout, {0:?}")]
    StartTimeout(std::time::Duration),
    /// The process ended before the model was imported.
    #[error("the host ended during the import ({status}); the log has what it printed")]
    Died {
        /// How it ended.
        status: String,
    },
    /// The other side does not speak the frames of this version.
    #[error("the host's library does not fit this program: {0}; install both from one release")]
    Broken(String),
}

/// What to do about a missing module.
fn remedy(message: &str) -> &'static str {
    if message.starts_with("ModuleNotFoundError: ") {
        "; add its wheel to the model's folder wheels/, or choose an interpreter that has it with funcs[].python"
    } else {
        ""
    }
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}

impl StartError {
    /// Why, in one word.
    pub fn reason(&self) -> Reason {
        match self {
            Self::PythonMissing(_) => Reason::PythonMissing,
            Self::PythonUnsupported { .. } | Self::NativeUnsupported { .. } => {
                Reason::PythonUnsupported
            }
            Self::LibraryMissing { .. } | Self::Broken(_) => Reason::HostLibraryMissing,
            Self::Spawn { .. } => Reason::HostStartFailed,
            Self::ImportFailed { .. } => Reason::ImportFailed,
            Self::StartTimeout(_) => Reason::StartTimeout,
            Self::Died { .. } => Reason::HostCrashed,
        }
    }

    /// Whether the same may succeed later: a model that connects somewhere when it is imported, or a
    /// machine that is short of memory.
    pub fn is_transient(&self) -> bool {
        !self.reason().is_permanent()
    }

    /// Python's traceback, if there is one.
    pub fn traceback(&self) -> Option<&str> {
        match self {
            Self::ImportFailed { traceback, .. } if !traceback.is_empty() => Some(traceback),
            _ => None,
        }
    }
}

/// Starts a host and waits until it has imported the model.
pub(crate) async fn start(
    options: &Arc<Options>,
    metrics: &Metrics,
) -> Result<HostProcess, StartError> {
    let program = Program::choose(&options.python, options.host).await?;
    let host = HostProcess::spawn(program, options, metrics)?;
    tokio::time::timeout(options.start_timeout, import(host, options))
        .await
        .unwrap_or(Err(StartError::StartTimeout(options.start_timeout)))
}

async fn import(mut host: HostProcess, options: &Options) -> Result<HostProcess, StartError> {
    let wheels = options.wheels.as_deref().unwrap_or("".as_ref());
    Request::Load {
        model: &options.model,
        directory: &options.directory.to_string_lossy(),
        wheels: &wheels.to_string_lossy(),
    }
    .encode(&mut host.output)
    .map_err(|error| StartError::Broken(error.to_string()))?;
    loop {
        if let Err(error) = host.exchange().await {
            let status = host.died().await;
            return Err(StartError::Died {
                status: status.map_or_else(|_| error.to_string(), describe),
            });
        }
        let body = host.decoder.next_body();
        let body = body.map_err(|error| StartError::Broken(error.to_string()))?;
        if let Some(body) = body {
            let response =
                Response::decode(body).map_err(|error| StartError::Broken(error.to_string()))?;
            match response {
                Response::Ready { python } => {
                    tracing::debug!(model = options.model, python, "Host ready");
                    return Ok(host);
                }
                Response::LoadFailed { message, traceback } => {
                    return Err(StartError::ImportFailed {
                        message: message.to_owned(),
                        traceback: traceback.to_owned(),
                    });
                }
                Response::Reply { .. } => {
                    return Err(StartError::Broken("a reply before any call".to_owned()));
                }
            }
        }
    }
}

/// `signal: 11 (SIGSEGV)` or `exit status: 3`.
pub(crate) fn describe(status: ExitStatus) -> String {
    status.to_string()
}
