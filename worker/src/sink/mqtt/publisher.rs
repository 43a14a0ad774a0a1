//! The publisher of one rule and model: publishes the results in its queue, and confirms each once the broker has
//! acknowledged it.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use message::Queue;
use mqtt::{Claim, Client, Error, Event};
use tokio::sync::watch;

use super::Target;
use super::pending::Pending;
use crate::metrics::ModelMetrics;
use crate::outbound::OutboundResult;
use crate::session_state::SessionState;
use crate::shutdown::Phase;

/// The parts of a publisher.
#[derive(Debug)]
pub(super) struct Publisher<C> {
    /// Its session.
    pub(super) client: C,
    /// Where results come from; closed when no more will come.
    pub(super) queue: Arc<Queue<OutboundResult>>,
    /// How they are published.
    pub(super) target: Target,
    /// The rule's `pub.timeout`.
    pub(super) timeout: Duration,
    /// The model's metrics.
    pub(super) metrics: ModelMetrics,
    /// The session's state for others.
    pub(super) state: SessionState,
    /// Set by the pipeline.
    pub(super) phase: watch::Receiver<Phase>,
    /// Set by the subscription of the same rule and model, whose session the publisher's follows.
    pub(super) claim: watch::Receiver<Claim>,
}

/// The state of a publisher.
#[derive(Debug, Default)]
struct Work {
    /// Taken from the queue and not published.
    batch: VecDeque<OutboundResult>,
    /// Published and not acknowledged.
    pending: Pending<OutboundResult>,
    /// Whether the queue is closed and empty.
    ended: bool,
    /// Whether another client has the session.
    taken_over: bool,
}

impl Work {
    fn is_done(&self) -> bool {
        self.ended && self.pending.is_empty() && self.batch.is_empty()
    }
}

/// Publishes until the queue is closed and everything in it is acknowledged, then disconnects.
///
/// If it is dropped before (at the drain timeout), unacknowledged results stay unconfirmed, and their messages are
/// delivered again. The same applies if it has to stop while another client, such as the worker's successor, has its
/// session (ADR 13): waiting would be pointless.
pub(super) async fn publish<C: Client>(mut publisher: Publisher<C>) {
    let mut work = Work::default();
    // Not reset for each publication, which would cost more than publishing.
    let mut late = pin!(tokio::time::sleep(publisher.timeout));
    while !work.is_done() {
        if work.taken_over && *publisher.phase.borrow() != Phase::Serving {
            give_up(&publisher.queue, work).await;
            break;
        }
        let capacity = publisher.client.publish_capacity();
        let reads = capacity > 0 && !work.ended && work.batch.is_empty();
        tokio::select! {
            () = publisher.client.drive() => publisher.take_events(&mut work),
            readable = publisher.queue.readable(), if reads => {
                work.ended = !readable;
                publisher.queue.pop_into(&mut work.batch, capacity, usize::MAX);
            }
            Ok(()) = publisher.phase.changed() => {}
            Ok(()) = publisher.claim.changed() => {
                let claim = *publisher.claim.borrow_and_update();
                publisher.client.claim(claim);
            }
            () = &mut late => {
                let now = Instant::now();
                let next = publisher.count_late(&mut work, now);
                late.as_mut().reset(next.unwrap_or(now + publisher.timeout).into());
            }
        }
        publisher.send(&mut work);
    }
    publisher.state.closed();
    publisher.client.disconnect().await;
}

/// Drops the publisher's results and the rest of its queue until that is closed.
async fn give_up(queue: &Queue<OutboundResult>, work: Work) {
    let mut batch = work.batch;
    batch.clear();
    drop(work.pending);
    while queue.readable().await {
        queue.pop_into(&mut batch, usize::MAX, usize::MAX);
        batch.clear();
    }
}

impl<C: Client> Publisher<C> {
    fn send(&mut self, work: &mut Work) {
        if work.batch.is_empty() {
            return;
        }
        let now = Instant::now();
        while self.client.publish_capacity() > 0
            && let Some(result) = work.batch.pop_front()
        {
            match self.target.publication(&result) {
                Ok(publication) => {
                    let token = work.pending.add(result, now);
                    self.client.publish(publication, token);
                }
                Err(error) => work.batch.extend(result.refuse(error.to_string())),
            }
        }
    }

    /// Counts publications that have become late, and returns when the next one will.
    fn count_late(&self, work: &mut Work, now: Instant) -> Option<Instant> {
        let (late, next) = work.pending.late(self.timeout, now);
        if late > 0 {
            self.metrics.publish_timeouts.inc_by(late);
            tracing::debug!(
                model = self.state.model(),
                timeout = ?self.timeout,
                results = late,
                "Results not acknowledged in time, still waiting"
            );
        }
        next
    }

    fn take_events(&mut self, work: &mut Work) {
        while let Some(event) = self.client.next_event() {
            match event {
                Event::Published { token, result } => {
                    let Some(published) = work.pending.take(token) else {
                        continue;
                    };
                    match result {
                        Ok(()) => {
                            let elapsed = published.finished().elapsed();
                            self.metrics.publish_seconds.observe(elapsed.as_secs_f64());
                            published.confirm();
                        }
                        Err(refused) => work.batch.extend(published.refuse(refused.to_string())),
                    }
                }
                Event::Connected { .. } => {
                    work.taken_over = false;
                    self.state.connected(false);
                    self.state.up();
                }
                Event::Disconnected { error, retry_in } => {
                    work.taken_over |= matches!(error, Error::TakenOver { .. });
                    self.state.down(&error, retry_in);
                }
                Event::Notice(notice) => self.state.warn(&notice.to_string()),
                // A publisher has no subscriptions.
                _ => {}
            }
        }
    }
}
