//! Where outcomes go: results and dead letters to the rule's publisher, the rest into the ledger.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use crds::validated::Qos;
use message::{Failure, Job, Outcome, Queue, Rejected, Settled, Throttle};
use mqtt::Publication;

use crate::dead_letter::dead_letter;
use crate::metrics::ModelMetrics;
use crate::status::{ModelView, Shared};
use crate::stream;

/// Failures of one model that are logged one by one before they are only counted, one a second.
const LOGGED_FAILURES: u32 = 10;

/// A publication on its way to the broker, with the message that it answers.
#[derive(Debug)]
pub struct Parcel {
    /// What is published.
    pub publication: Publication,
    /// How the message ended once the broker has it.
    pub settled: Settled,
    /// The message.
    pub job: Job,
    /// When its outcome was there.
    pub finished: Instant,
}

impl Parcel {
    /// Bytes that it holds in memory, for the queue's bound.
    fn size(&self) -> usize {
        self.publication.payload.len() + self.job.telemetry.payload.len()
    }
}

/// Where the results of one rule go.
#[derive(Debug)]
pub struct Destination {
    /// The queue of the rule's publisher.
    pub queue: Arc<Queue<Parcel>>,
    /// Topic of the results.
    pub topic: Arc<str>,
    /// Topic of the dead letters.
    pub dead_letter_topic: Option<Arc<str>>,
    /// Quality of service of both.
    pub qos: Qos,
    /// Whether the broker keeps results; dead letters are never retained.
    pub retain: bool,
}

/// Takes the outcomes of one model.
#[derive(Debug)]
pub struct ModelOutlet {
    model: Arc<ModelView>,
    shared: Arc<Shared>,
    metrics: ModelMetrics,
    /// One for each rule.
    destinations: Vec<Destination>,
    logged: Mutex<Throttle>,
}

impl ModelOutlet {
    /// The outlet of `model`, with a destination for each rule.
    pub fn new(
        shared: Arc<Shared>,
        model: Arc<ModelView>,
        metrics: ModelMetrics,
        destinations: Vec<Destination>,
    ) -> Self {
        Self {
            model,
            shared,
            metrics,
            destinations,
            logged: Mutex::new(Throttle::new(LOGGED_FAILURES, Duration::from_secs(1))),
        }
    }

    /// Ends a message whose outcome is final.
    pub fn settle(&self, job: Job, settled: Settled) {
        let elapsed = job.telemetry.received.elapsed();
        self.metrics.total_seconds.observe(elapsed.as_secs_f64());
        job.delivery.settle(settled);
    }

    /// Counts and logs a failure; the dead letter of the message if its rule has a topic for them.
    pub fn fail(&self, job: Job, failure: &Failure) -> Option<Parcel> {
        let reason = failure.reason.as_str();
        self.metrics.failed(reason).inc();
        self.model.error(reason, &failure.message);
        let passed = self
            .logged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pass(Instant::now());
        if let Some(suppressed) = passed {
            tracing::warn!(
                model = self.model.name,
                device = &*job.device,
                reason,
                error = failure.message,
                traceback = failure.traceback.as_deref(),
                suppressed,
                "Message not processed"
            );
        }
        let destination = &self.destinations[job.telemetry.rule];
        let Some(topic) = &destination.dead_letter_topic else {
            self.settle(job, Settled::Failed);
            return None;
        };
        Some(Parcel {
            publication: Publication {
                topic: topic.clone(),
                payload: dead_letter(&self.model.name, &job, failure),
                qos: destination.qos,
                retain: false,
            },
            settled: Settled::DeadLettered,
            job,
            finished: Instant::now(),
        })
    }

    fn result(&self, job: Job, payload: Bytes) -> Parcel {
        if self.shared.results.receiver_count() > 0 {
            // Fails only when the last reader just left.
            let _ = self.shared.results.send(stream::line(&payload));
        }
        let destination = &self.destinations[job.telemetry.rule];
        Parcel {
            publication: Publication {
                topic: destination.topic.clone(),
                payload,
                qos: destination.qos,
                retain: destination.retain,
            },
            settled: Settled::Published,
            job,
            finished: Instant::now(),
        }
    }
}

impl hosts::Outcomes for ModelOutlet {
    async fn finish(&self, job: Job, outcome: Outcome) {
        let parcel = match outcome {
            Outcome::Empty => {
                self.settle(job, Settled::Empty);
                return;
            }
            Outcome::Result(payload) => Some(self.result(job, payload)),
            Outcome::Failed(failure) => self.fail(job, &failure),
        };
        let Some(parcel) = parcel else { return };
        let size = parcel.size();
        let queue = &self.destinations[parcel.job.telemetry.rule].queue;
        if let Err(Rejected(parcel)) = queue.push(parcel, size).await {
            // The worker is going down and this publisher has ended: the message stays
            // unacknowledged, and the broker delivers it again.
            tracing::debug!(device = &*parcel.job.device, "Outcome dropped at shutdown");
        }
    }
}
