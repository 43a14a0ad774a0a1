//! What precedes the start of a model: its zip is installed, and its samples are run.

use std::path::Path;
use std::sync::Arc;

use hosts::{Intact, Trial, samples};
use packages::{InUse, InstallOptions, Installed};

use super::Supervisor;
use super::error::Error;
use crate::route::{PipelineContext, QUEUE_BYTES};

/// A model that is installed.
#[derive(Debug)]
pub(super) struct Prepared {
    /// How its hosts are started.
    pub(super) hosts: hosts::Options,
    /// The digests of its zip.
    pub(super) md5: Option<String>,
    pub(super) sha256: Option<String>,
    /// Keeps it from being pruned.
    pub(super) in_use: Option<Arc<InUse>>,
}

impl Supervisor {
    /// Installs the model as `ctx` has it.
    pub(super) async fn install(&self, ctx: &Arc<PipelineContext>) -> Result<Prepared, Error> {
        let func = &ctx.runtime.funcs[self.func];
        func.digest.clone().map_err(Error::Refused)?;
        let python = hosts::python(func.python.as_deref()).map_err(Error::Start)?;
        // Before anything is downloaded for an interpreter that cannot run it.
        hosts::Program::choose(&python, func.host)
            .await
            .map_err(Error::Start)?;
        let installed = self.unpack(ctx, &python).await?;
        let md5 = installed.md5.map(|md5| md5.to_string());
        let sha256 = installed.sha256.map(|sha256| sha256.to_string());
        let intact = installed.verified.map(|verified| {
            Intact::new(move || verified.ensure().map_err(|error| error.to_string()))
        });
        let hosts = hosts::Options {
            model: func.name.clone(),
            version: sha256.clone().or_else(|| md5.clone()).unwrap_or_default(),
            decode: func.decode,
            encode: func.encode,
            directory: installed.directory,
            wheels: installed.wheels,
            intact,
            python,
            host: func.host,
            sandbox: func.sandbox.clone(),
            hidden: ctx.hidden.clone(),
            databases: ctx.databases[self.func].clone(),
            retry: func.retry,
            batch: func.batch,
            hosts: func.hosts,
            rules: ctx.runtime.rules.len(),
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
        Ok(Prepared {
            hosts,
            md5,
            sha256,
            in_use: installed.in_use,
        })
    }

    async fn unpack(&self, ctx: &Arc<PipelineContext>, python: &Path) -> Result<Installed, Error> {
        let (ctx, store, index) = (ctx.clone(), self.store.clone(), self.func);
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

    /// Runs the model's samples in a copy, which takes what it writes there, and without databases, so that no sample
    /// leaves a row.
    pub(super) async fn check_samples(&self, mut options: hosts::Options) -> Result<(), Error> {
        if !options.directory.join(samples::FOLDER).is_dir() {
            return Ok(());
        }
        let (store, metrics) = (self.store.clone(), self.host_metrics());
        self.aside(async move {
            let directory = options.directory.clone();
            let copy = tokio::task::spawn_blocking(move || store.scratch(&directory)).await;
            let scratch = copy
                .unwrap_or(Err(packages::Error::Interrupted))
                .map_err(Error::Install)?;
            scratch.path().clone_into(&mut options.directory);
            options.intact = None;
            options.databases = Arc::default();
            options.retry = None;
            samples::check(&options, &metrics)
                .await
                .map_err(Error::Samples)
        })
        .await
    }

    /// Starts a host that has nothing to do, to see whether it imports the model.
    pub(super) async fn check_import(&self, options: hosts::Options) -> Result<(), Error> {
        let metrics = self.host_metrics();
        self.aside(async move {
            let trial = Trial::start(options, &metrics).await;
            trial.map(drop).map_err(Error::Start)
        })
        .await
    }

    fn host_metrics(&self) -> hosts::Metrics {
        let name = &self.ctx.runtime.funcs[self.func].name;
        self.ctx.shared.metrics.model(name).hosts
    }
}
