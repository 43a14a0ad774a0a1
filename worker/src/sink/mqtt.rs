//! MQTT as a sink: results wait in a queue for the publisher of their rule and model, and are confirmed when the broker has
//! acknowledged them.

mod pending;
mod publisher;

use std::sync::Arc;

use crds::client_id::Role;
use crds::validated::Qos;
use futures_util::future::{BoxFuture, FutureExt as _};
use message::{Level, Queue, Rejected};
use mqtt::{Publication, Session};
use tokio::task::JoinSet;

use self::publisher::{Publisher, publish};
use super::{Receipt, Sink};
use crate::pipeline::{QUEUE_BYTES, Route};
use crate::results::{Kind, OutboundResult};

/// See the module's description.
#[derive(Debug)]
pub(super) struct MqttSink {
    queue: Arc<Queue<OutboundResult>>,
}

impl MqttSink {
    /// The sink of one rule and model.
    pub(super) fn new(route: Route<'_>) -> Self {
        let capacity = route.model().post_queue_size;
        Self {
            queue: Arc::new(Queue::new(capacity, QUEUE_BYTES)),
        }
    }
}

impl Sink for MqttSink {
    fn accept(&self, result: &OutboundResult) -> Receipt {
        match self.queue.try_push(result.hold(), result.size()) {
            Ok(()) => Receipt::Taken,
            Err(Rejected(held)) => {
                held.release();
                if self.queue.is_closed() {
                    Receipt::Ended
                } else {
                    Receipt::Full
                }
            }
        }
    }

    fn room(&self, size: usize) -> BoxFuture<'_, ()> {
        self.queue.writable(size).boxed()
    }

    fn start(&self, route: Route<'_>, tasks: &mut JoinSet<()>) {
        let rule = route.rule();
        let broker = route.broker(rule.pub_mqtt);
        let state = route.session_state(Role::Pub, broker, &rule.pub_topic);
        let options = broker.options(route.client_id(Role::Pub).to_owned(), None);
        tasks.spawn(publish(Publisher {
            client: Session::new(options),
            queue: self.queue.clone(),
            target: Target {
                topic: rule.pub_topic.as_str().into(),
                dead_letter_topic: rule.dead_letter_topic.as_deref().map(Arc::from),
                qos: broker.settings().qos,
                retain: broker.settings().retain,
            },
            timeout: rule.pub_timeout,
            metrics: route.metrics(),
            state,
            phase: route.phase(),
        }));
    }

    fn level(&self) -> Level {
        Level::of([&self.queue])
    }

    fn close(&self) {
        self.queue.close();
    }
}

/// How results of one rule are published.
#[derive(Debug)]
struct Target {
    topic: Arc<str>,
    dead_letter_topic: Option<Arc<str>>,
    qos: Qos,
    /// For results only: dead letters are never retained.
    retain: bool,
}

impl Target {
    /// The publication of a result; `None` for a dead letter of a rule that has no topic for them.
    fn publication(&self, result: &OutboundResult) -> Option<Publication> {
        let (topic, retain) = match result.kind() {
            Kind::Result => (&self.topic, self.retain),
            Kind::DeadLetter => (self.dead_letter_topic.as_ref()?, false),
        };
        Some(Publication {
            topic: topic.clone(),
            payload: result.payload().clone(),
            qos: self.qos,
            retain,
        })
    }
}
