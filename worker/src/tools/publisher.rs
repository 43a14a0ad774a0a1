//! Publishes generated messages at a rate.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crds::validated::Qos;
use matching::Generator;
use mqtt::{Client, Event, Publication};
use tokio::time::MissedTickBehavior;

/// How long the last messages may take to be acknowledged at the end.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(5);

/// What is published where, and how fast.
#[derive(Debug)]
pub struct Publisher<C> {
    /// The session.
    pub client: C,
    /// Makes the messages.
    pub generator: Generator,
    /// Where they go.
    pub topic: Arc<str>,
    /// Their quality of service.
    pub qos: Qos,
    /// Between two messages.
    pub interval: Duration,
    /// Number of messages after which it ends.
    pub count: Option<u64>,
}

/// What became of the messages.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Handed to the session.
    pub sent: u64,
    /// Acknowledged by the broker (written, at QoS 0).
    pub acknowledged: u64,
    /// Refused by the broker.
    pub refused: u64,
}

impl<C: Client> Publisher<C> {
    /// Publishes until the count is reached or `stop` is ready, then waits a moment for what is not
    /// acknowledged. `sent` is told the device and payload of each message.
    pub async fn run(mut self, stop: impl Future<Output = ()>, sent: impl Fn(&str, &[u8])) -> Sent {
        let mut summary = Sent::default();
        let mut stop = pin!(stop);
        let mut ticks = tokio::time::interval(self.interval);
        // After a pause without a connection, no burst follows.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.count.is_none_or(|count| summary.sent < count) {
            tokio::select! {
                () = self.client.drive() => self.take_events(&mut summary),
                _ = ticks.tick(), if self.client.publish_capacity() > 0 => {
                    let (device, payload) = self.generator.message();
                    sent(&device, &payload);
                    let publication = Publication {
                        topic: self.topic.clone(),
                        payload: payload.into(),
                        qos: self.qos,
                        retain: false,
                        hops: 0,
                    };
                    self.client.publish(publication, summary.sent);
                    summary.sent += 1;
                }
                () = &mut stop => break,
            }
        }
        let rest = async {
            while summary.acknowledged + summary.refused < summary.sent {
                self.client.drive().await;
                self.take_events(&mut summary);
            }
        };
        if tokio::time::timeout(LAST_ACKNOWLEDGEMENTS, rest)
            .await
            .is_err()
        {
            tracing::warn!("The broker has not acknowledged the last messages");
        }
        self.client.disconnect().await;
        summary
    }

    fn take_events(&mut self, summary: &mut Sent) {
        while let Some(event) = self.client.next_event() {
            match event {
                Event::Published { result: Ok(()), .. } => summary.acknowledged += 1,
                Event::Published {
                    result: Err(error), ..
                } => {
                    tracing::warn!(%error, "Message refused");
                    summary.refused += 1;
                }
                Event::Disconnected { error, retry_in } => {
                    tracing::warn!(%error, ?retry_in, "Not connected");
                }
                _ => {}
            }
        }
    }
}
