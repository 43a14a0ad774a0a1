//! Brings one model into service and keeps it there: install, start, serve, and try again when a
//! cause may pass.
//!
//! - `prepare`: what precedes the start.
//! - `succession`: serving, until another version takes the place.
//! - `error`: why a model does not serve.

mod error;
mod prepare;
mod succession;

use std::sync::Arc;
use std::time::Duration;

use crds::Reason;
use packages::{Store, Watch};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::pipeline::Pipeline;
use crate::route::PipelineContext;
use crate::sink::SharedSinks;
use crate::status::ModelState;

use error::Error;
use prepare::Prepared;
use succession::changed;

/// First pause before another attempt.
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// Longest pause: a model server that comes back is noticed within this.
const LAST_RETRY: Duration = Duration::from_mins(5);

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
    /// What all models share, with the configuration that the model has now.
    pub ctx: Arc<PipelineContext>,
    /// The same with the configuration that it should have.
    pub configs: watch::Receiver<Arc<PipelineContext>>,
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
    pub async fn run(mut self) -> Option<Refused> {
        let mut retry = FIRST_RETRY;
        let mut prepared = None;
        loop {
            let (mut stopping, mut configs) = (self.stopping.clone(), self.configs.clone());
            // What changes during an attempt is a reason for another one.
            let watch = self.watch_credentials().await;
            let attempt = tokio::select! {
                attempt = self.attempt(prepared.take()) => attempt,
                next = changed(&mut configs, &self.ctx, self.func) => {
                    self.adopt(next);
                    continue;
                }
                () = stopped(&mut stopping) => return None,
            };
            let error = match attempt {
                Ok((pipeline, in_use)) => {
                    prepared = Some(self.serve(pipeline).await?);
                    // From here on, it may be pruned.
                    drop(in_use);
                    retry = FIRST_RETRY;
                    continue;
                }
                Err(error) => error,
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
            tokio::select! {
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {
                    retry = (retry * 2).min(LAST_RETRY);
                }
                () = self.aside(async move { watch.changed().await }), if pause.is_some() => {
                    let model = &self.ctx.runtime.funcs[self.func].name;
                    tracing::info!(model, "Credentials changed, retrying");
                    retry = FIRST_RETRY;
                }
                next = changed(&mut configs, &self.ctx, self.func) => {
                    self.adopt(next);
                    retry = FIRST_RETRY;
                }
                () = stopped(&mut stopping) => return None,
            }
        }
    }

    /// A model that does not serve yet is tried as the configuration has it now.
    fn adopt(&mut self, ctx: Arc<PipelineContext>) {
        let view = &ctx.shared.models()[self.func];
        view.set_state(&ctx.shared.metrics, ModelState::Loading);
        self.ctx = ctx;
    }

    async fn attempt(
        &self,
        prepared: Option<Prepared>,
    ) -> Result<(Pipeline, Option<Arc<packages::InUse>>), Error> {
        let tried = prepared.is_some();
        let Prepared {
            hosts,
            md5,
            sha256,
            in_use,
        } = match prepared {
            Some(prepared) => prepared,
            None => self.install(&self.ctx).await?,
        };
        let view = &self.ctx.shared.models()[self.func];
        view.set_address(&self.ctx.runtime.funcs[self.func].address);
        view.set_digests(&self.ctx.shared.metrics, md5, sha256);
        if !tried {
            self.check_samples(hosts.clone()).await?;
        }
        let pipeline = Pipeline::start(&self.ctx, &self.sinks, self.func, hosts)
            .await
            .map_err(Error::Start)?;
        Ok((pipeline, in_use))
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
