//! The values that travel through the pipeline.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;

use crate::delivery::Delivery;

/// One message as it came from a broker.
#[derive(Debug)]
pub struct Telemetry {
    /// Its topic.
    pub topic: Arc<str>,
    /// Its payload, not decoded.
    pub payload: Bytes,
    /// Index of the rule whose subscription brought it.
    pub rule: usize,
    /// When it came, for durations.
    pub received: Instant,
    /// When it came, for the model's `context.received_at`.
    pub received_at: SystemTime,
}

/// A message on its way to one model.
#[derive(Debug)]
pub struct Job {
    /// The message.
    pub telemetry: Arc<Telemetry>,
    /// Name of the first of the model's devices that matched.
    pub device: Arc<str>,
    /// How often a host already died over it or took too long.
    pub attempts: u8,
    /// To be settled once the outcome is final; acknowledges the message to its broker.
    pub delivery: Delivery,
}

/// What a model made of a message.
#[derive(Debug)]
pub enum Outcome {
    /// To be published.
    Result(Bytes),
    /// The model returned `None`.
    Empty,
    /// The model could not process it.
    Failed(Failure),
}

/// Why a message was not processed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// A fixed word for metrics: see [`FailureReason`].
    pub reason: FailureReason,
    /// One line for people, such as `ValueError: no such sensor`.
    pub message: String,
    /// Python's traceback, if there is one.
    pub traceback: Option<String>,
}

/// Why a message was not processed, for metrics and dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// The payload is not JSON.
    InvalidJson,
    /// `handler` raised.
    Exception,
    /// The result cannot be written as JSON.
    Unserializable,
    /// The call took longer than the model's `timeout`, twice.
    Timeout,
    /// The host process died, twice.
    Crash,
    /// Messages of its device cost too many processes; the device is kept away from the model for a
    /// while.
    Quarantined,
    /// The broker refused the result.
    PublishRefused,
}

impl FailureReason {
    /// The label's value in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::Exception => "exception",
            Self::Unserializable => "unserializable",
            Self::Timeout => "timeout",
            Self::Crash => "crash",
            Self::Quarantined => "quarantined",
            Self::PublishRefused => "publish_refused",
        }
    }
}
