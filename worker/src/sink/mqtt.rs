//! MQTT as a sink: results wait in a queue for the publisher of their rule and model, and are confirmed when the broker has
//! acknowledged them.

mod pending;
mod publisher;

use std::sync::Arc;

use crds::client_id::Role;
use crds::template::TooLong;
use crds::validated::{Qos, Template};
use message::Queue;
use mqtt::{Publication, Session};
use tokio::task::JoinSet;

use self::publisher::{Publisher, publish};
use super::{Receipt, Sink, enqueue};
use crate::outbound::{Kind, OutboundResult};
use crate::route::{QUEUE_BYTES, Route};

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
        enqueue(&self.queue, result)
    }

    fn queue(&self) -> Option<&Arc<Queue<OutboundResult>>> {
        Some(&self.queue)
    }

    fn start(&self, route: Route<'_>, tasks: &mut JoinSet<()>) {
        let rule = route.rule();
        let broker = route.broker(rule.pub_mqtt);
        let state = route.session_state(Role::Pub, broker, &rule.pub_topic.to_string());
        let options = broker.options(route.client_id(Role::Pub).to_owned(), &[]);
        tasks.spawn(publish(Publisher {
            client: Session::new(options),
            queue: self.queue.clone(),
            target: Target {
                topic: Topic::new(&rule.pub_topic),
                dead_letter_topic: rule.dead_letter_topic.as_ref().map(Topic::new),
                qos: broker.settings().qos,
                retain: broker.settings().retain,
            },
            timeout: rule.pub_timeout,
            metrics: route.metrics(),
            state,
            phase: route.phase(),
            claim: route.claim.subscribe(),
        }));
    }
}

/// How results of one rule are published.
#[derive(Debug)]
struct Target {
    topic: Topic,
    dead_letter_topic: Option<Topic>,
    qos: Qos,
    /// For results only: dead letters are never retained.
    retain: bool,
}

/// A topic that is always the same, or depends on the message.
#[derive(Debug)]
enum Topic {
    Fixed(Arc<str>),
    Template(Template),
}

/// Why a result has no topic to go to.
#[derive(Debug, thiserror::Error)]
enum NoTopic {
    #[error("the rule has no deadLetterTopic")]
    NoDeadLetters,
    #[error(transparent)]
    TooLong(TooLong),
}

impl Topic {
    fn new(template: &Template) -> Self {
        match template.fixed() {
            Some(topic) => Self::Fixed(topic.into()),
            None => Self::Template(template.clone()),
        }
    }

    fn of(&self, result: &OutboundResult) -> Result<Arc<str>, NoTopic> {
        match self {
            Self::Fixed(topic) => Ok(topic.clone()),
            Self::Template(template) => template
                .render(result.values())
                .map(Arc::from)
                .map_err(NoTopic::TooLong),
        }
    }
}

impl Target {
    /// The publication of a result.
    fn publication(&self, result: &OutboundResult) -> Result<Publication, NoTopic> {
        let (topic, retain) = match result.kind() {
            Kind::Result => (&self.topic, self.retain),
            Kind::DeadLetter => {
                let topic = self.dead_letter_topic.as_ref();
                (topic.ok_or(NoTopic::NoDeadLetters)?, false)
            }
        };
        Ok(Publication {
            topic: topic.of(result)?,
            payload: result.payload().clone(),
            qos: self.qos,
            retain,
            hops: result.hops(),
        })
    }
}
