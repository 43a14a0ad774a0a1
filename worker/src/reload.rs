//! SIGHUP: the configuration is read and checked again. What may change while the worker runs does; anything else, and a wrong
//! file, changes nothing and is logged.

mod change;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crds::ValidatedRuntime;
use tokio::sync::watch;

use crate::console::Console;
use crate::route::PipelineContext;
use crate::shutdown::Signals;
use crate::trial;

use change::Change;

/// Why a configuration is not taken.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the configuration came from stdin, which cannot be read again; restart the worker")]
    Stdin,
    #[error("failed to read {}: {error}", path.display())]
    Read {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("failed to read {}: it {error}", path.display())]
    Text {
        path: PathBuf,
        error: payload::NotUtf8,
    },
    #[error("{0}")]
    Invalid(crds::Problems),
    #[error("{}: only the settings of a model can change while the worker runs; restart it", paths.join(", "))]
    Restart { paths: Vec<String> },
    #[error(transparent)]
    Database(hosts::DatabaseError),
    #[error("the configuration could not be checked: {0}")]
    Check(tokio::task::JoinError),
}

/// What the configuration is read from.
#[derive(Debug)]
pub(crate) struct Reload {
    /// The file, or `-` for stdin.
    pub(crate) config: String,
    /// Whether the worker is a trial.
    pub(crate) trial: bool,
}

impl Reload {
    /// Reads the configuration again at each SIGHUP, and gives a new one to those who follow `configs`; never ends.
    pub(crate) async fn run(
        &self,
        mut signals: Signals,
        configs: &watch::Sender<Arc<PipelineContext>>,
        console: &Console,
    ) {
        loop {
            signals.next().await;
            let known = configs.borrow().clone();
            match self.next(&known).await {
                Ok(Some((next, models))) => {
                    tracing::info!(?models, "Configuration read, models change");
                    console.set_runtime(next.runtime.clone());
                    configs.send_replace(Arc::new(next));
                }
                Ok(None) => tracing::info!("Configuration read, nothing changed"),
                Err(error) => tracing::error!(%error, "Configuration not taken, nothing changed"),
            }
        }
    }

    /// The configuration of now with the names of the models that it changes; `None` if it is the known one.
    async fn next(
        &self,
        known: &Arc<PipelineContext>,
    ) -> Result<Option<(PipelineContext, Vec<String>)>, Error> {
        if self.config == "-" {
            return Err(Error::Stdin);
        }
        let path = PathBuf::from(&self.config);
        let (known, trial) = (known.clone(), self.trial);
        // A large configuration takes a while to check.
        let checked = tokio::task::spawn_blocking(move || {
            let mut runtime = read(&path)?;
            if trial {
                runtime = trial::harmless(runtime);
            }
            compare(&known, runtime)
        });
        checked
            .await
            .unwrap_or_else(|error| Err(Error::Check(error)))
    }
}

fn read(path: &Path) -> Result<ValidatedRuntime, Error> {
    let bytes = std::fs::read(path).map_err(|error| Error::Read {
        path: path.to_owned(),
        error,
    })?;
    let text = payload::utf8(&bytes).map_err(|error| Error::Text {
        path: path.to_owned(),
        error,
    })?;
    crds::load(text, &path.display().to_string()).map_err(Error::Invalid)
}

/// What a configuration changes.
fn compare(
    known: &PipelineContext,
    runtime: ValidatedRuntime,
) -> Result<Option<(PipelineContext, Vec<String>)>, Error> {
    let models = match change::of(&known.runtime, &runtime) {
        Change::Nothing => return Ok(None),
        Change::Restart(paths) => return Err(Error::Restart { paths }),
        Change::Models(models) => models,
    };
    let names = models
        .iter()
        .map(|index| runtime.funcs[*index].name.clone());
    let names = names.collect();
    let next = PipelineContext {
        databases: hosts::databases(&runtime).map_err(Error::Database)?,
        runtime,
        ..known.clone()
    };
    Ok(Some((next, names)))
}
