//! A host for trying a model out: one call at a time, no queue, no retry, no replacement.

use std::sync::Arc;

use crds::validated::Format;
use frame::{CallField, ExtraWriter, Request, Response, SAMPLE};
use message::Outcome;

use crate::child::HostProcess;
use crate::lane::outcome;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::start::{self, describe};
use crate::start_error::StartError;

/// A host that has imported its model. Dropped, it is killed.
#[derive(Debug)]
pub struct Trial {
    host: HostProcess,
    decode: Format,
    calls: u64,
}

/// What the model is called with.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// `context.topic`.
    pub topic: &'a str,
    /// `context.device`.
    pub device: &'a str,
    /// `context.received_at`, in seconds since 1970.
    pub received_at: f64,
    /// The message.
    pub payload: &'a [u8],
}

/// The process is of no use any more.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// It ended.
    #[error("the model's process ended during the call ({0}); the log has what it printed")]
    Died(String),
    /// It wrote an invalid reply, or the call is larger than a frame.
    #[error("the model's process and this program do not understand each other: {0}")]
    Broken(String),
}

impl Trial {
    /// Starts a host and waits until it has imported the model.
    ///
    /// # Errors
    /// The host does not get there.
    pub async fn start(options: Options, metrics: &Metrics) -> Result<Self, StartError> {
        let decode = options.decode;
        let host = start::start(&Arc::new(options), metrics).await?;
        Ok(Self {
            host,
            decode,
            calls: 0,
        })
    }

    /// Makes one call, for as long as it takes; the batch handler gets it alone, if there is one.
    ///
    /// # Errors
    /// The process is lost.
    pub async fn call(&mut self, call: &Call<'_>) -> Result<Outcome, Lost> {
        let broken = |error: &dyn std::fmt::Display| Lost::Broken(error.to_string());
        let id = self.calls;
        self.calls += 1;
        let mut extra = ExtraWriter::default();
        extra.call(CallField::Delivery, &[SAMPLE]);
        let request = Request::Call {
            id,
            alone: false,
            received_at: call.received_at,
            topic: call.topic,
            device: call.device,
            payload: call.payload,
            extra: extra.extra(),
        };
        request
            .encode(&mut self.host.output)
            .map_err(|error| broken(&error))?;
        loop {
            let body = self.host.decoder.next_body();
            if let Some(body) = body.map_err(|error| broken(&error))? {
                match Response::decode(body).map_err(|error| broken(&error))? {
                    Response::Reply { id: of, reply, .. } if of == id => {
                        return Ok(outcome(reply, self.decode));
                    }
                    Response::BatchFailed { message, traceback } => tracing::warn!(
                        error = message,
                        traceback,
                        "handler_batch failed, handler was called instead"
                    ),
                    other => return Err(broken(&format!("{other:?} for call {id}"))),
                }
            } else if let Err(error) = self.host.exchange().await {
                let status = self.host.died().await;
                return Err(Lost::Died(
                    status.map_or_else(|_| error.to_string(), describe),
                ));
            }
        }
    }

    /// Ends it in order.
    pub async fn end(self) {
        if let Err(error) = self.host.end().await {
            tracing::debug!(%error, "Host not ended in order");
        }
    }
}
