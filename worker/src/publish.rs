//! The publisher of one rule and model: takes parcels, publishes them, and settles each message once
//! the broker has its result.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use message::{Failure, FailureReason, Queue, Settled};
use mqtt::{Client, Error, Event, Refused};
use tokio::sync::watch;

use crate::metrics::ModelMetrics;
use crate::outlet::{ModelOutlet, Parcel};
use crate::session_state::SessionState;
use crate::shutdown::Phase;

/// What a publisher works with.
#[derive(Debug)]
pub struct Publisher<C> {
    /// Its session.
    pub client: C,
    /// Where parcels come from; closed when no more will come.
    pub queue: Arc<Queue<Parcel>>,
    /// Settles messages, and makes dead letters of refused results.
    pub outlet: Arc<ModelOutlet>,
    /// The rule's `pub.timeout`.
    pub timeout: Duration,
    /// The model's metrics.
    pub metrics: ModelMetrics,
    /// The session's state for others.
    pub state: SessionState,
    /// Told by the pipeline.
    pub phase: watch::Receiver<Phase>,
}

/// Publications that are not done, oldest first, found by token without a map: tokens are counted
/// up, so a token's place is its distance from the first's.
#[derive(Debug, Default)]
struct Pending {
    /// `None` for one that is done while an older one is not.
    parcels: VecDeque<Option<(Parcel, Instant)>>,
    first: u64,
    open: usize,
    /// The first token that did not take too long yet.
    in_time: u64,
}

impl Pending {
    fn add(&mut self, parcel: Parcel, now: Instant) -> u64 {
        self.parcels.push_back(Some((parcel, now)));
        self.open += 1;
        self.first + self.parcels.len() as u64 - 1
    }

    fn take(&mut self, token: u64) -> Option<(Parcel, Instant)> {
        let index = usize::try_from(token.checked_sub(self.first)?).ok()?;
        let taken = self.parcels.get_mut(index)?.take();
        self.open -= usize::from(taken.is_some());
        while let Some(None) = self.parcels.front() {
            self.parcels.pop_front();
            self.first += 1;
        }
        taken
    }

    /// When the oldest that is still in time will have taken too long.
    fn deadline(&mut self, timeout: Duration) -> Option<Instant> {
        self.in_time = self.in_time.max(self.first);
        loop {
            let index = usize::try_from(self.in_time - self.first).ok()?;
            match self.parcels.get(index)? {
                Some((_, since)) => return Some(*since + timeout),
                None => self.in_time += 1,
            }
        }
    }
}

/// Publishes until the queue is closed and everything in it is acknowledged, then disconnects.
///
/// Dropped before that (a shutdown's deadline), what is not acknowledged stays unsettled, and the
/// broker delivers its message again. So does a publisher itself that has to go down while another client has
/// its session, as the worker's successor does: there is nothing to wait for.
pub async fn publish<C: Client>(mut publisher: Publisher<C>) {
    let mut pending = Pending::default();
    let mut batch = VecDeque::new();
    let mut ended = false;
    let mut taken_over = false;
    let mut given_up = false;
    // Runs freely like a lane's: setting it for each publication would cost more than publishing.
    let mut late = pin!(tokio::time::sleep(publisher.timeout));
    while !(ended && pending.open == 0 && batch.is_empty()) {
        given_up |= taken_over && *publisher.phase.borrow() != Phase::Serving;
        if given_up {
            pending = Pending::default();
            batch.clear();
            if ended {
                break;
            }
        }
        let capacity = if given_up {
            usize::MAX
        } else {
            publisher.client.publish_capacity()
        };
        tokio::select! {
            () = publisher.client.drive(), if !given_up => {
                while let Some(event) = publisher.client.next_event() {
                    match event {
                        Event::Connected { .. } => taken_over = false,
                        Event::Disconnected { error: Error::TakenOver { .. }, .. } => taken_over = true,
                        _ => {}
                    }
                    publisher.take_event(event, &mut pending, &mut batch);
                }
            }
            readable = publisher.queue.readable(), if capacity > 0 && !ended && batch.is_empty() => {
                ended = !readable;
                publisher.queue.pop_into(&mut batch, capacity, usize::MAX);
            }
            Ok(()) = publisher.phase.changed() => {}
            () = &mut late => {
                let now = Instant::now();
                let mut next = pending.deadline(publisher.timeout);
                while next.is_some_and(|next| next <= now) {
                    pending.in_time += 1;
                    publisher.late();
                    next = pending.deadline(publisher.timeout);
                }
                late.as_mut().reset(next.unwrap_or(now + publisher.timeout).into());
            }
        }
        if !given_up {
            publisher.send(&mut batch, &mut pending);
        }
    }
    publisher.state.closed();
    publisher.client.disconnect().await;
}

impl<C: Client> Publisher<C> {
    fn send(&mut self, batch: &mut VecDeque<Parcel>, pending: &mut Pending) {
        if batch.is_empty() {
            return;
        }
        let now = Instant::now();
        while self.client.publish_capacity() > 0
            && let Some(parcel) = batch.pop_front()
        {
            let publication = parcel.publication.clone();
            let token = pending.add(parcel, now);
            self.client.publish(publication, token);
        }
    }

    fn late(&self) {
        self.metrics.publish_timeouts.inc();
        tracing::debug!(
            model = self.state.model(),
            timeout = ?self.timeout,
            "Result not acknowledged in time, still trying"
        );
    }

    fn take_event(&mut self, event: Event, pending: &mut Pending, batch: &mut VecDeque<Parcel>) {
        match event {
            Event::Published { token, result } => {
                let Some((parcel, _)) = pending.take(token) else {
                    return;
                };
                match result {
                    Ok(()) => self.done(parcel),
                    Err(refused) => batch.extend(self.refused(parcel, &refused)),
                }
            }
            Event::Connected { .. } => self.state.up(),
            Event::Disconnected { error, retry_in } => self.state.down(&error, retry_in),
            // A publisher has no subscriptions.
            _ => {}
        }
    }

    fn done(&self, parcel: Parcel) {
        let elapsed = parcel.finished.elapsed();
        self.metrics.publish_seconds.observe(elapsed.as_secs_f64());
        self.outlet.settle(parcel.job, parcel.settled);
    }

    /// A refused result becomes a dead letter; a refused dead letter is only counted.
    fn refused(&self, parcel: Parcel, refused: &Refused) -> Option<Parcel> {
        let failure = Failure {
            reason: FailureReason::PublishRefused,
            message: refused.to_string(),
            traceback: None,
        };
        if parcel.settled == Settled::Published {
            return self.outlet.fail(parcel.job, &failure);
        }
        self.metrics.failed(failure.reason.as_str()).inc();
        tracing::warn!(error = failure.message, "Dead letter refused");
        self.outlet.settle(parcel.job, Settled::Failed);
        None
    }
}
