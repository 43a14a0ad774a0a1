//! The trial run of a model, shared by `edgemodel pack` and `edgemodel test`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use crds::validated::{Format, HostChoice, ValidatedSandbox};
use hosts::samples::{Fault, Runner, Sample, for_sequence, sequences};
use hosts::{Program, StartError};
use tokio::runtime::{Builder, Runtime};

use crate::metrics::Metrics;
use crate::telemetry::{self, LogFormat};

/// The model's name during the trial; a configuration gives it another.
const NAME: &str = "model";

/// Which host runs the model, as in `funcs[].host`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Host {
    /// Native where the interpreter loads it, else portable.
    Auto,
    /// For CPython 3.10 or later.
    Native,
    /// For any Python from 3.6 on.
    Portable,
}

impl From<Host> for HostChoice {
    fn from(host: Host) -> Self {
        match host {
            Host::Auto => Self::Auto,
            Host::Native => Self::Native,
            Host::Portable => Self::Portable,
        }
    }
}

/// Times, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// Of a call.
    pub(super) call: u64,
    /// Of the import.
    pub(super) start: u64,
}

/// A model that is ready to be imported.
pub(super) struct Trial {
    pub(super) options: hosts::Options,
    /// What it runs in.
    pub(super) program: Program,
    runtime: Runtime,
    /// Holds what was unpacked.
    temporary: tempfile::TempDir,
}

/// The process in an empty folder until it is dropped, so that a model finds only the files of its package.
struct Inside(PathBuf);

impl Drop for Inside {
    fn drop(&mut self) {
        // It was the current folder a moment ago.
        let _ = std::env::set_current_dir(&self.0);
    }
}

/// The outcome of a sample.
pub(super) struct Tried<'a> {
    pub(super) sample: &'a Sample,
    pub(super) fault: Option<Fault>,
}

impl Tried<'_> {
    /// The failure in one line.
    pub(super) fn failed(&self) -> Option<String> {
        let fault = self.fault.as_ref()?;
        Some(format!("{}: {fault}", self.sample.name))
    }
}

impl Trial {
    pub(super) fn prepare(
        model: &Path,
        python: Option<&str>,
        host: Host,
        times: Times,
    ) -> anyhow::Result<Self> {
        let temporary = tempfile::tempdir().context("failed to make a temporary folder")?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .context("failed to start a runtime")?;
        let python = std::path::absolute(hosts::python(python)?)?;
        let host = host.into();
        let program = runtime.block_on(Program::choose(&python, host))?;
        let local = packages::prepare(model, temporary.path(), &python)?;
        Ok(Self {
            options: hosts::Options {
                model: NAME.to_owned(),
                version: String::new(),
                decode: Format::Json,
                encode: Format::Json,
                directory: local.directory,
                wheels: local.wheels,
                intact: None,
                python,
                host,
                // What a model needs besides its own files is in a configuration, which is not at hand.
                sandbox: ValidatedSandbox::off(),
                hidden: Arc::default(),
                databases: Arc::default(),
                retry: None,
                batch: None,
                hosts: 1,
                rules: 1,
                devices: Vec::new(),
                timeout: Duration::from_secs(times.call),
                start_timeout: Duration::from_secs(times.start),
                queue_size: 1,
                queue_bytes: 1,
                utilization_window: hosts::UTILIZATION_WINDOW,
            },
            program,
            runtime,
            temporary,
        })
    }

    /// Imports the model and runs samples, all of them: those of each file in a process of their own.
    pub(super) fn run<'a>(&self, samples: &'a [Sample]) -> Result<Vec<Tried<'a>>, StartError> {
        let _inside = self.enter()?;
        self.runtime.block_on(async {
            let mut tried = Vec::new();
            if samples.is_empty() {
                self.start(&[]).await?.end().await;
            }
            for sequence in sequences(samples) {
                let mut runner = self.start(sequence).await?;
                for sample in sequence {
                    let fault = runner.try_sample(sample).await?.err();
                    tried.push(Tried { sample, fault });
                }
                runner.end().await;
            }
            Ok(tried)
        })
    }

    /// Imports the model and gives its results for the events of samples, as they would be published; the last is the
    /// first fault.
    pub(super) fn results(
        &self,
        samples: &[Sample],
    ) -> Result<Vec<Result<Option<bytes::Bytes>, Fault>>, StartError> {
        let _inside = self.enter()?;
        self.runtime.block_on(async {
            let mut runner = self.start(samples).await?;
            let mut results = Vec::new();
            for sample in samples {
                let result = runner.result(sample).await?;
                let failed = result.is_err();
                results.push(result);
                if failed {
                    break;
                }
            }
            runner.end().await;
            Ok(results)
        })
    }

    fn enter(&self) -> Result<Inside, StartError> {
        let failed = |error| StartError::Spawn {
            python: self.options.python.clone(),
            error,
        };
        let before = std::env::current_dir().map_err(failed)?;
        let empty = self.temporary.path().join("empty");
        std::fs::create_dir_all(&empty).map_err(failed)?;
        std::env::set_current_dir(&empty).map_err(failed)?;
        Ok(Inside(before))
    }

    async fn start(&self, sequence: &[Sample]) -> Result<Runner, StartError> {
        let metrics = Metrics::new().model(NAME).hosts;
        Runner::start(for_sequence(&self.options, sequence), metrics).await
    }
}

/// Shows what the model prints and logs, and warnings of the worker's code.
pub(super) fn show_output() {
    telemetry::init(LogFormat::Text, "warn,hosts::output=info");
}

/// An error in one line, with what Python says below.
pub(super) fn told(error: &StartError, hint: &str) -> anyhow::Error {
    let traceback = error.traceback().unwrap_or_default().trim_end();
    anyhow::anyhow!("{error}{hint}\n{traceback}")
}
