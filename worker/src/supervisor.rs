//! Brings one model into service and keeps it there: install, start, serve, and try again when a
//! cause may pass.

use std::sync::Arc;
use std::time::Duration;

use crds::Reason;
use crds::validated::Refusal;
use hosts::{StartError, samples};
use packages::{InUse, InstallOptions, Installed, Store, Watch};
use rand::RngExt as _;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::pipeline::Pipeline;
use crate::route::{PipelineContext, QUEUE_BYTES};
use crate::sink::SharedSinks;
use crate::status::ModelState;

/// First pause before another attempt.
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// Longest pause: a model server that comes back is noticed within this.
const LAST_RETRY: Duration = Duration::from_mins(5);

/// The pause where only someone's change helps: 401, 403 and 404 also come from a server that is being set up.
const LONG_RETRY: Duration = Duration::from_hours(1);

/// Why a model does not serve.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Refused(Refusal),
    #[error(transparent)]
    Install(packages::Error),
    #[error(transparent)]
    Start(StartError),
    #[error(transparent)]
    Samples(samples::Refusal),
}

impl Error {
    fn reason(&self) -> Reason {
        match self {
            Self::Refused(refusal) => refusal.reason,
            Self::Install(error) => error.reason(),
            Self::Start(error) => error.reason(),
            Self::Samples(refusal) => refusal.reason(),
        }
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Install(error) => error.is_transient(),
            Self::Start(error) => error.is_transient(),
            Self::Samples(refusal) => refusal.is_transient(),
        }
    }

    /// The pause before another attempt, where there is one. `retry` is that of an outage.
    fn pause(&self, retry: Duration) -> Option<Duration> {
        if self.is_transient() {
            return Some(retry.mul_f64(rand::rng().random_range(0.5..=1.0)));
        }
        matches!(self, Self::Install(error) if error.is_of_credentials()).then_some(LONG_RETRY)
    }
}

/// A model that could not be served.
#[derive(Debug, thiserror::Error)]
#[error("model {model:?} is refused: {reason}: {message}")]
pub struct Refused {
    /// Its name.
    pub model: String,
    /// Why, in one word.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
}

/// What a supervisor works with.
#[derive(Debug)]
pub struct Supervisor {
    /// What all models share.
    pub ctx: Arc<PipelineContext>,
    /// The sinks that all models have together.
    pub sinks: SharedSinks,
    /// Index of the model.
    pub func: usize,
    /// Installed models.
    pub store: Arc<Store>,
    /// Whether models are downloaded.
    pub download: bool,
    /// Where models are installed and run their samples, so that this does not hold up messages.
    pub side: Handle,
    /// Whether a refusal is the end, even if its cause may pass.
    pub give_up: bool,
    /// `true` once the worker goes down.
    pub stopping: watch::Receiver<bool>,
}

impl Supervisor {
    /// Serves the model until the worker goes down, or gives up and tells why.
    pub async fn run(self) -> Option<Refused> {
        let mut retry = FIRST_RETRY;
        loop {
            let mut stopping = self.stopping.clone();
            // What changes during an attempt is a reason for another one.
            let watch = self.watch_credentials().await;
            let error = tokio::select! {
                attempt = self.attempt() => match attempt {
                    Ok((pipeline, in_use)) => {
                        self.serve(pipeline).await;
                        // From here on, it may be pruned.
                        drop(in_use);
                        return None;
                    }
                    Err(error) => error,
                },
                () = stopped(&mut stopping) => return None,
            };
            let pause = error.pause(retry).filter(|_| !self.give_up);
            self.refuse(&error, pause);
            if self.give_up {
                return Some(Refused {
                    model: self.ctx.runtime.funcs[self.func].name.clone(),
                    reason: error.reason(),
                    message: error.to_string(),
                });
            }
            let pause = pause?;
            let mut stopping = self.stopping.clone();
            tokio::select! {
                () = tokio::time::sleep(pause) => retry = (retry * 2).min(LAST_RETRY),
                () = self.aside(async move { watch.changed().await }) => {
                    let model = &self.ctx.runtime.funcs[self.func].name;
                    tracing::info!(model, "Credentials changed, retrying");
                    retry = FIRST_RETRY;
                }
                () = stopped(&mut stopping) => return None,
            }
        }
    }

    async fn attempt(&self) -> Result<(Pipeline, Option<Arc<InUse>>), Error> {
        let func = &self.ctx.runtime.funcs[self.func];
        func.digest.clone().map_err(Error::Refused)?;
        let python = hosts::python(func.python.as_deref()).map_err(Error::Start)?;
        // Before anything is downloaded for an interpreter that cannot run it.
        hosts::Program::choose(&python, func.host)
            .await
            .map_err(Error::Start)?;
        let installed = self.install(&python).await?;
        let view = &self.ctx.shared.models()[self.func];
        view.set_digests(
            &self.ctx.shared.metrics,
            installed.md5.map(|md5| md5.to_string()),
            installed.sha256.map(|sha256| sha256.to_string()),
        );
        let sha256 = installed.sha256.map(|sha256| sha256.to_string());
        let hosts = hosts::Options {
            model: func.name.clone(),
            version: sha256
                .or_else(|| installed.md5.map(|md5| md5.to_string()))
                .unwrap_or_default(),
            decode: func.decode,
            encode: func.encode,
            directory: installed.directory,
            wheels: installed.wheels,
            python,
            host: func.host,
            sandbox: func.sandbox.clone(),
            hidden: self.ctx.hidden.clone(),
            databases: self.ctx.databases[self.func].clone(),
            retry: func.retry,
            batch: func.batch,
            hosts: func.hosts,
            devices: func
                .devices
                .iter()
                .map(|device| device.name.clone())
                .collect(),
            timeout: func.timeout,
            start_timeout: func.start_timeout,
            queue_size: func.pre_queue_size,
            queue_bytes: QUEUE_BYTES,
            utilization_window: hosts::UTILIZATION_WINDOW,
        };
        let metrics = self.ctx.shared.metrics.model(&func.name).hosts;
        self.check_samples(hosts.clone(), metrics).await?;
        let pipeline = Pipeline::start(&self.ctx, &self.sinks, self.func, hosts)
            .await
            .map_err(Error::Start)?;
        Ok((pipeline, installed.in_use))
    }

    /// Runs the model's samples in a copy, which takes what it writes there, and without databases, so that no sample
    /// leaves a row.
    async fn check_samples(
        &self,
        mut options: hosts::Options,
        metrics: hosts::Metrics,
    ) -> Result<(), Error> {
        if !options.directory.join(samples::FOLDER).is_dir() {
            return Ok(());
        }
        let store = self.store.clone();
        self.aside(async move {
            let directory = options.directory.clone();
            let copy = tokio::task::spawn_blocking(move || store.scratch(&directory)).await;
            let scratch = copy
                .unwrap_or(Err(packages::Error::Interrupted))
                .map_err(Error::Install)?;
            scratch.path().clone_into(&mut options.directory);
            options.databases = Arc::default();
            options.retry = None;
            samples::check(&options, &metrics)
                .await
                .map_err(Error::Samples)
        })
        .await
    }

    async fn install(&self, python: &std::path::Path) -> Result<Installed, Error> {
        let (ctx, store, index) = (self.ctx.clone(), self.store.clone(), self.func);
        let options = InstallOptions {
            download: self.download,
            python: python.to_owned(),
            progress: true,
            ..InstallOptions::default()
        };
        self.aside(async move { store.install(&ctx.runtime.funcs[index], &options).await })
            .await
            .map_err(Error::Install)
    }

    async fn watch_credentials(&self) -> Watch {
        let (ctx, index) = (self.ctx.clone(), self.func);
        self.aside(async move { Watch::new(&ctx.runtime.funcs[index]).await })
            .await
    }

    /// Does what would hold up messages on the thread that carries them.
    async fn aside<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let mut task = JoinSet::new();
        task.spawn_on(work, &self.side);
        match task.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The side runtime is gone: so is the worker, in a moment.
            _ => std::future::pending().await,
        }
    }

    async fn serve(mut self, pipeline: Pipeline) {
        let view = &self.ctx.shared.models()[self.func];
        view.set_state(&self.ctx.shared.metrics, ModelState::Serving);
        tracing::info!(model = view.name, "Model serves");
        stopped(&mut self.stopping).await;
        pipeline.stop().await;
    }

    fn refuse(&self, error: &Error, retry_in: Option<Duration>) {
        let view = &self.ctx.shared.models()[self.func];
        let reason = error.reason();
        tracing::error!(model = view.name, reason = reason.as_str(), %error, retry_in = retry_in.map(tracing::field::debug), "Model refused");
        view.set_state(
            &self.ctx.shared.metrics,
            ModelState::Refused {
                reason,
                message: error.to_string(),
                retrying: retry_in.is_some(),
            },
        );
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the worker is gone, which is going down too.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
