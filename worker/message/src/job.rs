//! The values that travel through the pipeline.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;

use crate::delivery::Delivery;

/// What a message says, as it came from its source.
#[derive(Debug)]
pub struct Telemetry {
    /// Its topic.
    pub topic: Arc<str>,
    /// Its payload, not decoded.
    pub payload: Bytes,
    /// Index of the rule whose source brought it.
    pub rule: usize,
    /// When it came, for durations.
    pub received: Instant,
    /// When it came, for the model's `context.received_at`.
    pub received_at: SystemTime,
    /// What its source says of it.
    pub attributes: Attributes,
}

/// What a source says of a message beside its topic and payload.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    /// Whether it was kept for new subscribers, so that newer ones may have come before it.
    pub retained: bool,
    /// Whether it may be a repetition.
    pub duplicate: bool,
    /// The quality of service that it came with, 0 to 2.
    pub qos: u8,
    /// How often a worker may have died over it: once for what comes again after a death, twice if it died over it alone.
    pub strikes: u8,
    /// How many models have handled what it was made of, as far as that is known.
    pub hops: u8,
    /// What MQTT 5 says of it, if that is anything.
    pub properties: Option<Box<Properties>>,
}

/// What a message of MQTT 5 says beside its payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties {
    /// User properties, in order; a name may come several times.
    pub user: Vec<(String, String)>,
    /// Content type.
    pub content_type: Option<String>,
    /// Response topic.
    pub response_topic: Option<String>,
    /// Correlation data.
    pub correlation_data: Option<Bytes>,
}

impl Telemetry {
    /// Bytes that it keeps in memory, and takes on its way to a host.
    pub fn size(&self) -> usize {
        let properties = self.attributes.properties.as_deref();
        self.payload.len() + properties.map_or(0, Properties::size)
    }
}

impl Properties {
    fn size(&self) -> usize {
        let user = self.user.iter();
        let user: usize = user
            .map(|(name, value)| name.len() + value.len() + 10)
            .sum();
        let texts = [&self.content_type, &self.response_topic];
        let texts: usize = texts.into_iter().flatten().map(|text| text.len() + 5).sum();
        let data = self.correlation_data.as_ref();
        user + texts + data.map_or(0, |data| data.len() + 5)
    }
}

/// A message that was read and whose outcome is open. No device is known yet.
#[derive(Debug)]
pub struct Message {
    /// What it says.
    pub telemetry: Telemetry,
    /// To be settled once the outcome is final; acknowledges the message to its source.
    pub delivery: Delivery,
}

impl Message {
    /// The call of a model for `device`, the first of its devices that matched.
    pub fn into_job(self, device: Arc<str>) -> Job {
        Job {
            telemetry: self.telemetry,
            device,
            attempts: 0,
            failures: 0,
            delivery: self.delivery,
        }
    }
}

/// A message on its way to one model.
#[derive(Debug)]
pub struct Job {
    /// What the message says.
    pub telemetry: Telemetry,
    /// Name of the first of the model's devices that matched.
    pub device: Arc<str>,
    /// How often a host already died over it or took too long.
    pub attempts: u8,
    /// How often the model raised over it.
    pub failures: u16,
    /// To be settled once the outcome is final; acknowledges the message to its source.
    pub delivery: Delivery,
}

impl Job {
    /// The message again, and the device that it was for.
    pub fn into_message(self) -> (Message, Arc<str>) {
        let message = Message {
            telemetry: self.telemetry,
            delivery: self.delivery,
        };
        (message, self.device)
    }
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
    /// The payload is not what the model's `decode` says.
    Undecodable,
    /// The message is over a limit.
    TooLarge,
    /// `handler` raised.
    Exception,
    /// The result cannot be written as JSON.
    Unserializable,
    /// The call took longer than the model's `timeout`, twice.
    Timeout,
    /// The host process died, twice.
    Crash,
    /// Its device repeatedly crashed the model and is quarantined for a while.
    Quarantined,
    /// It has gone through too many models: results come back as telemetry.
    Loop,
    /// The broker refused the result.
    PublishRefused,
    /// The worker died over it twice.
    WorkerCrash,
}

impl FailureReason {
    /// The label's value in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::Undecodable => "undecodable",
            Self::TooLarge => "too_large",
            Self::Exception => "exception",
            Self::Unserializable => "unserializable",
            Self::Timeout => "timeout",
            Self::Crash => "crash",
            Self::Quarantined => "quarantined",
            Self::Loop => "loop",
            Self::PublishRefused => "publish_refused",
            Self::WorkerCrash => "worker_crash",
        }
    }
}
