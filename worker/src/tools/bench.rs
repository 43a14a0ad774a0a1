//! Measures a user's own worker from outside: publishes telemetry for its devices and reads its results.
//!
//! It acts only as a device and a reader of results, and changes nothing.

mod histogram;
mod tally;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crds::topic::reaches;
use crds::validated::Qos;
use mqtt::{Client, Event, Publication};
use tokio::time::Instant;

use matching::{Generator, Matcher};
use tally::Tally;
pub use tally::{MatchedBy, Summary};

/// After this long without a result, messages in flight no longer delay further ones.
const STALLED: Duration = Duration::from_secs(1);

/// When a run ends.
#[derive(Debug, Clone, Copy)]
pub enum Length {
    /// After this many messages.
    Messages(u64),
    /// After this time.
    After(Duration),
}

/// A run.
#[derive(Debug)]
pub struct Bench<C> {
    /// Publishes telemetry.
    pub publisher: C,
    /// Subscribed to results and dead letters.
    pub reader: C,
    /// Makes the messages.
    pub generator: Generator,
    /// Their topic.
    pub topic: Arc<str>,
    /// Their quality of service.
    pub qos: Qos,
    /// The matcher of each model that is served: a message has one result per matching model.
    pub matchers: Vec<Matcher>,
    /// Interval between two messages; `None` is as fast as results return.
    pub interval: Option<Duration>,
    /// Maximum messages in flight, without a rate.
    pub in_flight: u64,
    /// When it ends.
    pub length: Length,
    /// How long to wait for the last results.
    pub patience: Duration,
    /// Filter of the dead letters' topics.
    pub dead_letters: Option<String>,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A broker refuses the connection.
    #[error(transparent)]
    Connection(mqtt::Error),
    /// A broker refuses the subscription to results.
    #[error("the broker refused the subscription to {filter:?}: {reason}")]
    Subscription {
        /// Its filter.
        filter: String,
        /// The broker's reason.
        reason: String,
    },
}

impl<C: Client> Bench<C> {
    /// Runs until its end or until `stop` is ready, and then waits for the last results.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<Summary, Error> {
        ready(&mut self.reader, |event| matches!(event, Event::Subscribed)).await?;
        let connected = |event: &Event| matches!(event, Event::Connected { .. });
        ready(&mut self.publisher, connected).await?;
        let started = Instant::now();
        let mut tally = Tally::new(started, self.generator.number());
        let mut stop = pin!(stop);
        let mut stopped = false;
        loop {
            let now = Instant::now();
            let next = (!stopped)
                .then(|| self.send_what_is_due(started, now, &mut tally))
                .flatten();
            let sending = !stopped && !self.is_over(tally.sent(), started, now);
            let waits_since = tally
                .last_result()
                .unwrap_or(started)
                .max(tally.last_sent());
            let patience = if sending { STALLED } else { self.patience };
            if !sending && (tally.open() == 0 || now >= waits_since + patience) {
                break;
            }
            let stalled = sending && self.interval.is_none() && now >= waits_since + patience;
            if stalled && tally.open() > 0 {
                tally.give_up();
                continue;
            }
            let wake = next.unwrap_or((waits_since + patience).max(now + STALLED / 100));
            tokio::select! {
                () = self.reader.drive() => self.take_results(&mut tally),
                () = self.publisher.drive() => self.take_acknowledgements(&mut tally),
                () = tokio::time::sleep_until(wake) => {}
                () = &mut stop, if !stopped => stopped = true,
            }
        }
        self.publisher.disconnect().await;
        self.reader.disconnect().await;
        Ok(tally.summary())
    }

    /// Whether everything was sent.
    fn is_over(&self, sent: u64, started: Instant, now: Instant) -> bool {
        match (self.length, self.interval) {
            (Length::Messages(messages), _) => sent >= messages,
            // By a rate the number is known, however late the last ones go out.
            (Length::After(time), Some(interval)) => due(interval, sent) >= time,
            (Length::After(time), None) => now >= started + time,
        }
    }

    /// Publishes what is due; when the next will be, if that is known.
    fn send_what_is_due(
        &mut self,
        started: Instant,
        now: Instant,
        tally: &mut Tally,
    ) -> Option<Instant> {
        while !self.is_over(tally.sent(), started, now) && self.publisher.publish_capacity() > 0 {
            let at = match self.interval {
                None if tally.open() >= self.in_flight => return None,
                None => now,
                // Late ones go out at once, and their time counts from when they were due.
                Some(interval) => started + due(interval, tally.sent()),
            };
            if at > now {
                return Some(at);
            }
            let (device, payload) = self.generator.message();
            let matching =
                |matcher: &mut Matcher| matches!(matcher.find(&self.topic, &payload), Ok(Some(_)));
            let results = self.matchers.iter_mut().map(matching);
            let results = results.map(u32::from).sum();
            let publication = Publication {
                topic: self.topic.clone(),
                payload: payload.into(),
                qos: self.qos,
                retain: false,
                hops: 0,
            };
            self.publisher.publish(publication, tally.sent());
            tally.sent_one(at, device, results);
        }
        None
    }

    fn take_results(&mut self, tally: &mut Tally) {
        let now = Instant::now();
        while let Some(event) = self.reader.next_event() {
            match event {
                Event::Message(message) => {
                    let mut letters = self.dead_letters.iter();
                    if letters.any(|filter| reaches(&message.topic, filter)) {
                        tally.dead_letter(now, &message.payload);
                    } else {
                        tally.result(now, &message.payload);
                    }
                    if let Some(tag) = message.tag {
                        self.reader.ack(tag);
                    }
                }
                Event::Disconnected { error, retry_in } => {
                    tracing::warn!(%error, ?retry_in, "Not connected for results");
                }
                _ => {}
            }
        }
    }

    fn take_acknowledgements(&mut self, tally: &mut Tally) {
        while let Some(event) = self.publisher.next_event() {
            match event {
                Event::Published {
                    result: Err(error), ..
                } => {
                    tracing::warn!(%error, "Message refused");
                    tally.refused();
                }
                Event::Disconnected { error, retry_in } => {
                    tracing::warn!(%error, ?retry_in, "Not connected for telemetry");
                }
                _ => {}
            }
        }
    }
}

/// When message `number` is due, from the start.
fn due(interval: Duration, number: u64) -> Duration {
    Duration::from_secs_f64(interval.as_secs_f64() * to_f64(number))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn to_f64(count: u64) -> f64 {
    count as f64
}

/// Drives a session until it is what a run needs.
async fn ready<C: Client>(client: &mut C, is: impl Fn(&Event) -> bool) -> Result<(), Error> {
    loop {
        while let Some(event) = client.next_event() {
            if is(&event) {
                return Ok(());
            }
            match event {
                Event::Disconnected { error, .. } => return Err(Error::Connection(error)),
                Event::SubscriptionRefused { filter, reason } => {
                    return Err(Error::Subscription { filter, reason });
                }
                _ => {}
            }
        }
        client.drive().await;
    }
}
