//! The intake of one rule and model: takes messages from the broker, matches them, and queues those
//! that match for the model. Acknowledges each message once it is settled.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crds::validated::OnFull;
use futures_util::future::BoxFuture;
use hosts::{Lanes, Outcomes as _};
use matching::{Matcher, Misses};
use message::{
    Delivery, Failure, FailureReason, Job, Ledger, Outcome, Rejected, Settled, Telemetry,
};
use mqtt::{Client, DeliveryTag, Event, Incoming};
use tokio::sync::{oneshot, watch};

use crate::metrics::ModelMetrics;
use crate::outlet::ModelOutlet;
use crate::session_state::SessionState;
use crate::shutdown::Phase;
use crate::source::Acks;

/// What an intake works with.
#[derive(Debug)]
pub struct Intake<C> {
    /// Its session.
    pub client: C,
    /// Index of the rule.
    pub rule: usize,
    /// The model's devices.
    pub matcher: Matcher,
    /// What happens to a message when its queue is full.
    pub on_full: OnFull,
    /// The model's queues.
    pub lanes: Lanes,
    /// The model's ledger.
    pub ledger: Arc<Ledger>,
    /// Acknowledgements on their way back here.
    pub acks: Arc<Acks>,
    /// Takes messages that are no JSON.
    pub outlet: Arc<ModelOutlet>,
    /// The model's metrics.
    pub metrics: ModelMetrics,
    /// The session's state for others.
    pub state: SessionState,
    /// Told by the pipeline.
    pub phase: watch::Receiver<Phase>,
    /// What is to become of its session.
    pub fate: Fate,
    /// Told when the first subscription stands.
    pub subscribed: Option<oneshot::Sender<()>>,
}

/// What is to become of an intake's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The broker keeps it for the worker that comes next.
    Kept,
    /// Nobody comes back to it: when the worker goes down, it takes what the broker has for it first.
    Left,
    /// It is of a worker that does not come back: it gets no new messages, and is forgotten when it is empty, until there
    /// is none any more.
    Inherited,
}

/// Takes over the session of a worker that does not come back, once `ready`: another session has to get what is
/// published from now on.
pub async fn inherit<C: Client>(
    mut intake: Intake<C>,
    ready: oneshot::Receiver<()>,
    emptied: oneshot::Sender<()>,
) {
    tokio::select! {
        ready = ready => if ready.is_err() {
            return;
        },
        _ = intake.phase.wait_for(|phase| *phase != Phase::Serving) => return,
    }
    intake.client.leave();
    self::intake(intake, emptied).await;
}

/// Takes messages until the phase is [`Phase::Finishing`] (or its sender is gone), then disconnects.
/// While [`Phase::Draining`], `emptied` tells the pipeline that everything that was taken is queued.
pub async fn intake<C: Client>(mut intake: Intake<C>, emptied: oneshot::Sender<()>) {
    let mut emptied = Some(emptied);
    let mut work = Work::default();
    let mut acks = Vec::new();
    loop {
        let phase = *intake.phase.borrow_and_update();
        intake.take_held(&mut work);
        let leaving = phase == Phase::Draining && intake.fate == Fate::Left;
        if leaving {
            intake.client.leave();
        }
        let open = work.blocked.is_none() && (phase == Phase::Serving || leaving);
        intake.client.set_intake(open);
        intake.acknowledge(&mut acks);
        if intake.is_over(phase) {
            break;
        }
        let left = work.left && work.blocked.is_none();
        if left && intake.fate == Fate::Inherited {
            if intake.forget(&mut work).await {
                return;
            }
            continue;
        }
        if phase == Phase::Draining && work.blocked.is_none() && (left || !leaving) {
            // The receiver is gone only when the pipeline was given up.
            let _ = emptied.take().map(|emptied| emptied.send(()));
        }
        tokio::select! {
            () = intake.client.drive() => intake.take_events(&mut work),
            () = intake.acks.added() => {}
            () = unblocked(&mut work.blocked), if work.blocked.is_some() => work.blocked = None,
            changed = intake.phase.changed() => if changed.is_err() {
                break;
            },
        }
    }
    // Nothing comes any more, which the pipeline need not wait for the broker to hear.
    drop(emptied);
    intake.state.closed();
    intake.client.disconnect().await;
}

/// What came and where it stands.
#[derive(Default)]
struct Work {
    /// What a message waits for that cannot be queued yet.
    blocked: Option<BoxFuture<'static, ()>>,
    /// Messages behind that one.
    held: VecDeque<Incoming>,
    /// Messages that came.
    messages: u64,
    /// Whether the broker had the session when it was last connected.
    found: bool,
    /// Whether the broker has nothing more for a session that is left.
    left: bool,
}

async fn unblocked(blocked: &mut Option<BoxFuture<'static, ()>>) {
    if let Some(future) = blocked {
        future.await;
    }
}

impl<C: Client> Intake<C> {
    fn take_held(&mut self, work: &mut Work) {
        while work.blocked.is_none()
            && let Some(message) = work.held.pop_front()
        {
            work.blocked = self.take(message);
        }
    }

    fn acknowledge(&mut self, batch: &mut Vec<DeliveryTag>) {
        self.acks.take(batch);
        for tag in batch.drain(..) {
            self.client.ack(tag);
        }
    }

    /// Whether it disconnects now. What is not acknowledged of an inherited session stays there, for whoever comes after
    /// this worker: held any longer, the session would lack its subscription when that one begins.
    fn is_over(&self, phase: Phase) -> bool {
        phase == Phase::Finishing || (self.fate == Fate::Inherited && phase != Phase::Serving)
    }

    /// Ends an inherited session that is empty. Whether there was none: as long as the worker before is there, it may
    /// have come back to it, and would leave it behind when it goes.
    async fn forget(&mut self, work: &mut Work) -> bool {
        let forgotten = self.client.forget().await;
        if forgotten && work.found {
            tracing::info!(
                model = self.state.model(),
                messages = work.messages,
                "Session of the worker before emptied and forgotten"
            );
        }
        let none = forgotten && !work.found;
        *work = Work::default();
        none
    }

    fn take_events(&mut self, work: &mut Work) {
        while let Some(event) = self.client.next_event() {
            match event {
                Event::Message(message) => {
                    work.messages += 1;
                    work.held.push_back(message);
                }
                Event::Emptied => work.left = true,
                Event::Connected {
                    session_present, ..
                } => {
                    tracing::debug!(model = self.state.model(), session_present, "Connected");
                    work.found = session_present;
                }
                other => self.take_event(other),
            }
        }
    }

    fn take_event(&mut self, event: Event) {
        match event {
            Event::Subscribed => {
                self.state.up();
                // Nobody may be waiting for it.
                let _ = self.subscribed.take().map(|subscribed| subscribed.send(()));
            }
            Event::SubscriptionRefused { filter, reason } => self.state.refused(&filter, &reason),
            Event::Disconnected { error, retry_in } => self.state.down(&error, retry_in),
            Event::Oversized { size, limit } => {
                self.metrics.oversized.inc();
                tracing::warn!(
                    model = self.state.model(),
                    size,
                    limit,
                    "Message over maxPacketSize discarded"
                );
            }
            // Work, which the caller takes; and an intake publishes nothing.
            Event::Message(_)
            | Event::Connected { .. }
            | Event::Emptied
            | Event::Published { .. } => {}
        }
    }

    /// Sends a message on; a future when that has to wait.
    fn take(&mut self, message: Incoming) -> Option<BoxFuture<'static, ()>> {
        let received = Instant::now();
        let delivery = Delivery::open(&self.ledger, message.tag.map(|tag| self.acks.handle(tag)));
        let before = self.matcher.misses();
        let found = self.matcher.find(&message.payload);
        self.count_misses(before);
        self.metrics
            .match_seconds
            .observe(received.elapsed().as_secs_f64());
        let job = |device, delivery| Job {
            telemetry: Telemetry {
                topic: message.topic,
                payload: message.payload,
                rule: self.rule,
                received,
                received_at: SystemTime::now(),
            },
            device,
            attempts: 0,
            delivery,
        };
        match found {
            Ok(Some(device)) => self.queue(job(device, delivery)),
            Ok(None) => {
                delivery.settle(Settled::Unmatched);
                None
            }
            Err(error) => {
                let job = job("".into(), delivery);
                let outcome = Outcome::Failed(Failure {
                    reason: FailureReason::InvalidJson,
                    message: error.to_string(),
                    traceback: None,
                });
                let outlet = self.outlet.clone();
                Some(Box::pin(async move { outlet.finish(job, outcome).await }))
            }
        }
    }

    fn queue(&self, job: Job) -> Option<BoxFuture<'static, ()>> {
        let queue = self.lanes.queue(&job.device);
        let size = job.telemetry.payload.len();
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
        self.outlet.settle(job, Settled::Dropped);
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
