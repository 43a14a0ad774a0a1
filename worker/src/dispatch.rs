//! Matches a message and queues it for the model.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use crds::validated::OnFull;
use futures_util::future::BoxFuture;
use hosts::Lanes;
use matching::{InvalidPayload, Matcher, Misses, Undecodable as NotDecoded, Unreadable};
use message::{Failure, FailureReason, Job, Message, Observer, Rejected, Settled};

use crate::metrics::ModelMetrics;
use crate::results::Results;
use crate::status::ModelView;
use crate::undecodable::Undecodable;

/// Models that a message may go through, one after the other, before it is taken for a loop.
const MAX_HOPS: u8 = 8;

/// Times that the worker may die over a message.
const MAX_STRIKES: u8 = 3;

/// Dispatches the messages of one rule to one model.
#[derive(Debug)]
pub struct Dispatcher {
    /// The model's devices.
    pub matcher: Matcher,
    /// A larger message is not read.
    pub max_message_bytes: usize,
    /// Where messages are kept that the worker died over and that get no dead letter; `None` to keep none.
    pub set_aside: Option<PathBuf>,
    /// What happens to a message when its queue is full.
    pub on_full: OnFull,
    /// The model's queues.
    pub lanes: Lanes,
    /// Ends messages that do not reach the model.
    pub results: Arc<Results>,
    /// The model's metrics.
    pub metrics: ModelMetrics,
    /// Index of the model.
    pub model: usize,
    /// The model as others see it.
    pub view: Arc<ModelView>,
    /// Counts the messages of each device.
    pub devices: Observer,
    /// Where the rule's messages of no device are reported that cannot be decoded.
    pub undecodable: Arc<Undecodable>,
}

impl Dispatcher {
    /// Sends a message on; a future when that has to wait for room.
    pub fn dispatch(&mut self, mut message: Message) -> Option<BoxFuture<'static, ()>> {
        let hops = message.telemetry.attributes.hops;
        if hops >= MAX_HOPS {
            self.results.cut(message, hops);
            return None;
        }
        let size = message.telemetry.payload.len();
        if size > self.max_message_bytes {
            return Some(self.refuse(message, size));
        }
        if message.telemetry.attributes.strikes >= MAX_STRIKES {
            return Some(self.set_aside(message));
        }
        let begun = Instant::now();
        let before = self.matcher.misses();
        let found = self
            .matcher
            .find(&message.telemetry.topic, &message.telemetry.payload);
        self.count_misses(before);
        self.metrics
            .match_seconds
            .observe(begun.elapsed().as_secs_f64());
        match found {
            Ok(Some(device)) => {
                self.attribute(&mut message, &device);
                self.queue(message.into_job(device))
            }
            Ok(None) => {
                self.view.unmatched.add(&message.telemetry);
                message.delivery.settle(Settled::Unmatched);
                None
            }
            Err(NotDecoded {
                device: Some(device),
                error,
            }) => {
                self.attribute(&mut message, &device);
                let failure = Failure {
                    reason: match error {
                        Unreadable::Invalid(InvalidPayload::Json(_)) => FailureReason::InvalidJson,
                        Unreadable::Invalid(InvalidPayload::Other { .. }) => {
                            FailureReason::Undecodable
                        }
                        Unreadable::OverLimit(_) => FailureReason::TooLarge,
                    },
                    message: error.to_string(),
                    traceback: None,
                };
                let results = self.results.clone();
                Some(Box::pin(async move {
                    results.reject(message, device, &failure).await;
                }))
            }
            Err(NotDecoded {
                device: None,
                error,
            }) => {
                self.undecodable
                    .report(self.model, &message.telemetry, &error);
                message.delivery.settle(Settled::Unmatched);
                None
            }
        }
    }

    /// Counts a message for its device.
    fn attribute(&mut self, message: &mut Message, device: &Arc<str>) {
        let tally = self.devices.see(device, message.telemetry.received_at);
        message.delivery.attribute(tally);
    }

    /// Ends a message that is too large, without its payload, which would be in memory as long as its dead letter is.
    fn refuse(&self, mut message: Message, size: usize) -> BoxFuture<'static, ()> {
        message.telemetry.payload = Bytes::new();
        let limit = self.max_message_bytes;
        let failure = Failure {
            reason: FailureReason::TooLarge,
            message: format!("the message has {size} bytes, and maxMessageBytes is {limit}"),
            traceback: None,
        };
        let results = self.results.clone();
        Box::pin(async move { results.reject(message, Arc::default(), &failure).await })
    }

    /// Ends a message that the worker died over, before anything reads it.
    fn set_aside(&self, message: Message) -> BoxFuture<'static, ()> {
        let failure = Failure {
            reason: FailureReason::WorkerCrash,
            message: format!(
                "the worker died {MAX_STRIKES} times while it had this message; if it ran out of memory, raise its limit"
            ),
            traceback: None,
        };
        let (results, folder) = (self.results.clone(), self.set_aside.clone());
        Box::pin(async move { results.set_aside(message, &failure, folder).await })
    }

    fn queue(&self, job: Job) -> Option<BoxFuture<'static, ()>> {
        let queue = self.lanes.queue(job.telemetry.rule, &job.device);
        let size = job.telemetry.size();
        match self.on_full {
            OnFull::Block => {
                let Rejected(job) = queue.try_push(job, size).err()?;
                let queue = queue.clone();
                Some(Box::pin(async move {
                    // Closed only at shutdown: the message stays unacknowledged.
                    let _ = queue.push(job, size).await;
                }))
            }
            OnFull::DropNewest => {
                let Rejected(job) = queue.try_push(job, size).err()?;
                self.drop_job(job, "drop_newest");
                None
            }
            OnFull::DropOldest => {
                for job in queue.push_dropping_oldest(job, size).unwrap_or_default() {
                    self.drop_job(job, "drop_oldest");
                }
                None
            }
        }
    }

    fn drop_job(&self, job: Job, policy: &str) {
        self.metrics.dropped(policy).inc();
        self.results.settle(job.into_message().0, Settled::Dropped);
    }

    fn count_misses(&self, before: Misses) {
        let now = self.matcher.misses();
        if now.missing_key > before.missing_key {
            let count = now.missing_key - before.missing_key;
            self.metrics.misses("missing_key").inc_by(count);
        }
        if now.wrong_type > before.wrong_type {
            let count = now.wrong_type - before.wrong_type;
            self.metrics.misses("wrong_type").inc_by(count);
        }
    }
}
