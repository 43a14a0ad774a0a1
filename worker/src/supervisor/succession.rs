//! A model that serves, until the worker goes down or the configuration has another version of it that can take its place.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::error::Error;
use super::prepare::Prepared;
use super::{FIRST_RETRY, LAST_RETRY, Supervisor, stopped};
use crate::pipeline::Pipeline;
use crate::route::PipelineContext;
use crate::status::ModelState;

impl Supervisor {
    /// Serves the model; gives its successor, for which it has made room, or `None` once the worker goes down.
    pub(super) async fn serve(&mut self, pipeline: Pipeline) -> Option<Prepared> {
        let view = self.ctx.shared.models()[self.func].clone();
        view.set_state(&self.ctx.shared.metrics, ModelState::Serving);
        tracing::info!(model = view.name, "Model serves");
        let mut stopping = self.stopping.clone();
        let found = tokio::select! {
            found = self.successor() => Some(found),
            () = stopped(&mut stopping) => None,
        };
        if let Some((ctx, _)) = &found {
            tracing::info!(model = view.name, "Model is replaced by its next version");
            view.set_state(&self.ctx.shared.metrics, ModelState::Loading);
            self.ctx = ctx.clone();
        }
        pipeline.stop().await;
        view.forget_sessions();
        found.map(|(_, prepared)| prepared)
    }

    /// The next version of the model that can be served. One that cannot changes nothing.
    async fn successor(&self) -> (Arc<PipelineContext>, Prepared) {
        let mut configs = self.configs.clone();
        let mut tried = self.ctx.clone();
        let mut retry = FIRST_RETRY;
        let mut pause = None;
        loop {
            tokio::select! {
                next = changed(&mut configs, &tried, self.func) => {
                    tried = next;
                    retry = FIRST_RETRY;
                }
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {
                    retry = (retry * 2).min(LAST_RETRY);
                }
            }
            pause = None;
            if tried.runtime.funcs[self.func] == self.ctx.runtime.funcs[self.func] {
                let model = &self.ctx.runtime.funcs[self.func].name;
                tracing::info!(model, "The model that serves is wanted again");
                continue;
            }
            match self.prepare(&tried).await {
                Ok(prepared) => return (tried, prepared),
                Err(error) => {
                    pause = error.pause(retry);
                    self.reject(&error, pause);
                }
            }
        }
    }

    /// Installs the next version and tries whether it can serve.
    async fn prepare(&self, ctx: &Arc<PipelineContext>) -> Result<Prepared, Error> {
        let prepared = self.install(ctx).await?;
        self.check_samples(prepared.hosts.clone()).await?;
        self.check_import(prepared.hosts.clone()).await?;
        Ok(prepared)
    }

    fn reject(&self, error: &Error, retry_in: Option<Duration>) {
        let view = &self.ctx.shared.models()[self.func];
        let reason = error.reason().as_str();
        tracing::error!(
            model = view.name, reason, %error, retry_in = retry_in.map(tracing::field::debug),
            "Next version of the model refused, the earlier one serves on"
        );
        view.error(reason, &error.to_string());
    }
}

/// Waits for a configuration in which the model differs from that in `known`.
pub(super) async fn changed(
    configs: &mut watch::Receiver<Arc<PipelineContext>>,
    known: &PipelineContext,
    func: usize,
) -> Arc<PipelineContext> {
    let differs =
        |next: &Arc<PipelineContext>| next.runtime.funcs[func] != known.runtime.funcs[func];
    let found = configs.wait_for(differs).await.map(|next| next.clone());
    match found {
        Ok(next) => next,
        // The worker is gone.
        Err(_) => std::future::pending().await,
    }
}
