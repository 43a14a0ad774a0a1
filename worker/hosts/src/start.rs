//! Starts a host and waits until it has imported its model.

use std::process::ExitStatus;
use std::sync::Arc;

use crds::validated::Format;
use frame::{ExtraWriter, LoadField, Request, Response, Secret};

use crate::child::HostProcess;
use crate::interpreter::Interpreter;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::program::Program;
use crate::start_error::StartError;

/// Makes sure that the model's files are what was verified, if anything was.
pub(crate) async fn check(options: &Options) -> Result<(), StartError> {
    let Some(intact) = options.intact.clone() else {
        return Ok(());
    };
    // An error means that the worker is going down.
    tokio::task::spawn_blocking(move || intact.ensure())
        .await
        .unwrap_or_else(|error| Err(error.to_string()))
        .map_err(StartError::Changed)
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
    let databases = serde_json::to_string(&*options.databases)
        .map_err(|error| StartError::Broken(error.to_string()))?;
    let mut extra = ExtraWriter::default();
    extra.load(LoadField::Version, options.version.as_bytes());
    for (field, format) in [
        (LoadField::Decode, options.decode),
        (LoadField::Encode, options.encode),
    ] {
        if format != Format::Json {
            extra.load(field, format.as_str().as_bytes());
        }
    }
    if let Some(batch) = options.batch {
        extra.load(LoadField::Batch, batch.max.to_string().as_bytes());
    }
    Request::Load {
        model: &options.model,
        directory: &options.directory.to_string_lossy(),
        wheels: &wheels.to_string_lossy(),
        databases: Secret(&databases),
        holds: options.retry.is_some(),
        extra: extra.extra(),
    }
    .encode(&mut host.output)
    .map_err(|error| StartError::Broken(error.to_string()))?;
    loop {
        if let Err(error) = host.exchange().await {
            let status = host.died().await;
            Interpreter::forget_all();
            let status = status.map_or_else(|_| error.to_string(), describe);
            let status = host.over().unwrap_or(status);
            return Err(StartError::Died { status });
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
                Response::BatchFailed { .. } | Response::Reply { .. } => {
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
