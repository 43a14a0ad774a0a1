//! Settles the messages of one model, counts and logs failures, and creates dead letters.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use message::{Failure, FailureReason, Message, Settled, Throttle};

use super::dead_letter::dead_letter;
use crate::metrics::ModelMetrics;
use crate::outbound::{Account, Kind, Origin, OutboundResult};
use crate::status::ModelView;

/// Failures of one model that are logged in a burst; after it, one per second.
const LOGGED_FAILURES: u32 = 10;

/// See the module's description.
#[derive(Debug)]
pub struct Accounts {
    model: Arc<ModelView>,
    metrics: ModelMetrics,
    /// Whether each rule has dead letters.
    dead_letters: Vec<bool>,
    logged: Mutex<Throttle>,
}

impl Accounts {
    /// Those of `model`; `dead_letters` says for each rule whether it has dead letters.
    pub fn new(model: Arc<ModelView>, metrics: ModelMetrics, dead_letters: Vec<bool>) -> Self {
        Self {
            model,
            metrics,
            dead_letters,
            logged: Mutex::new(Throttle::new(LOGGED_FAILURES, Duration::from_secs(1))),
        }
    }

    /// The result of a message.
    pub(super) fn result(self: &Arc<Self>, origin: Origin, payload: Bytes) -> OutboundResult {
        OutboundResult::new(self.clone(), Kind::Result, origin, payload)
    }

    /// Keeps what the model made of a message as an example, now and then.
    pub(super) fn show(&self, origin: &Origin, result: Option<&[u8]>) {
        let telemetry = &origin.message.telemetry;
        self.model.exchanges.made(telemetry, &origin.device, result);
    }

    /// Counts and logs a failure; the dead letter of the message if its rule has them.
    pub(super) fn fail(
        self: &Arc<Self>,
        origin: Origin,
        failure: &Failure,
    ) -> Option<OutboundResult> {
        let reason = failure.reason.as_str();
        self.metrics.failed(reason).inc();
        self.model.error(reason, &failure.message);
        let telemetry = &origin.message.telemetry;
        let has_letter = self.has_dead_letters(&origin);
        let exchanges = &self.model.exchanges;
        exchanges.failed(telemetry, &origin.device, failure, has_letter);
        if let Some(device) = origin.message.delivery.device() {
            let at = message::milliseconds(telemetry.received_at);
            device.fail(at, reason, &failure.message);
        }
        self.log(Some(&origin.device), &telemetry.topic, failure);
        if !has_letter {
            self.settle(origin.message, Settled::Failed);
            return None;
        }
        let letter = self.letter(&origin, failure);
        Some(OutboundResult::new(
            self.clone(),
            Kind::DeadLetter,
            origin,
            letter,
        ))
    }

    /// Whether the message's rule has dead letters.
    pub(super) fn has_dead_letters(&self, origin: &Origin) -> bool {
        self.dead_letters[origin.message.telemetry.rule]
    }

    /// The dead letter of a message.
    pub(super) fn letter(&self, origin: &Origin, failure: &Failure) -> Bytes {
        let telemetry = &origin.message.telemetry;
        dead_letter(&self.model.name, &origin.device, telemetry, failure)
    }

    /// Ends a message that has gone through too many models.
    pub(super) fn cut(&self, message: Message, hops: u8) {
        let failure = Failure {
            reason: FailureReason::Loop,
            message: format!(
                "the message has gone through {hops} models: results come back as telemetry; give them a topic that no \
                 rule subscribes to"
            ),
            traceback: None,
        };
        let reason = failure.reason.as_str();
        self.metrics.failed(reason).inc();
        self.model.error(reason, &failure.message);
        let exchanges = &self.model.exchanges;
        exchanges.failed(&message.telemetry, "", &failure, false);
        self.log(None, &message.telemetry.topic, &failure);
        self.settle(message, Settled::Failed);
    }

    fn log(&self, device: Option<&str>, topic: &str, failure: &Failure) {
        let mut throttle = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(suppressed) = throttle.pass(Instant::now()) else {
            return;
        };
        tracing::warn!(
            model = self.model.name,
            device,
            topic,
            reason = failure.reason.as_str(),
            error = failure.message,
            traceback = failure.traceback.as_deref(),
            suppressed,
            "Message not processed"
        );
    }
}

impl Account for Accounts {
    fn model(&self) -> &str {
        &self.model.name
    }

    fn settle(&self, message: Message, settled: Settled) {
        let elapsed = message.telemetry.received.elapsed();
        self.metrics.total_seconds.observe(elapsed.as_secs_f64());
        message.delivery.settle(settled);
    }

    /// A sink refused a result for good: it becomes a dead letter. A refused dead letter is only counted.
    fn refused(
        self: Arc<Self>,
        kind: Kind,
        origin: Origin,
        reason: String,
    ) -> Option<OutboundResult> {
        let failure = Failure {
            reason: FailureReason::PublishRefused,
            message: reason,
            traceback: None,
        };
        if kind == Kind::Result {
            return self.fail(origin, &failure);
        }
        self.metrics.failed(failure.reason.as_str()).inc();
        tracing::warn!(error = failure.message, "Dead letter refused");
        self.settle(origin.message, Settled::Failed);
        None
    }
}
