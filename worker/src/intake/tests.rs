//! An intake between a source and queues that a test holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use crds::validated::OnFull;
use futures_util::future::FutureExt as _;
use hosts::{Backlog, Lanes};
use matching::Matcher;
use message::{
    AckHandle, Acknowledge, Attributes, Delivery, Job, Ledger, Observer, Queue, Settled, Telemetry,
    Ticket,
};
use tokio::sync::mpsc;

use super::*;
use crate::results::{Accounts, Results};
use crate::status::Shared;

const MESSAGE: &str = include_str!("../../../tests/fixtures/seed/sample-message.json");
const LAST: &str = concat!(
    include_str!("../../../tests/fixtures/seed/sample-message.json"),
    "\n"
);
const CONFIG: &str = include_str!("../../../tests/fixtures/seed/config.yaml");

/// Messages from a channel, and what was acknowledged.
#[derive(Debug)]
struct TestSource {
    ledger: Arc<Ledger>,
    messages: mpsc::Receiver<&'static str>,
    read: Option<&'static str>,
    acknowledged: Arc<Counter>,
    phase: Phase,
    closed: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Counter(AtomicUsize);

impl Acknowledge for Counter {
    fn acknowledge(&self, _ticket: Ticket) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Source for TestSource {
    fn prepare(&mut self, phase: Phase, _room: bool) {
        self.phase = phase;
    }

    async fn drive(&mut self) {
        match self.messages.recv().await {
            Some(message) => self.read = Some(message),
            None => std::future::pending().await,
        }
    }

    fn next_message(&mut self) -> Option<Message> {
        let payload = self.read.take().or_else(|| self.messages.try_recv().ok())?;
        let ack = AckHandle::new(self.acknowledged.clone(), Ticket(1, 1));
        Some(Message {
            delivery: Delivery::open(&self.ledger, Some(ack)),
            telemetry: Telemetry {
                topic: "in".into(),
                payload: Bytes::from_static(payload.as_bytes()),
                rule: 0,
                received: Instant::now(),
                received_at: SystemTime::now(),
                attributes: Attributes::default(),
            },
        })
    }

    fn is_dry(&self) -> bool {
        self.phase != Phase::Serving
    }

    async fn close(self) {
        self.closed.fetch_add(1, Ordering::Relaxed);
    }
}

struct Bed {
    source: mpsc::Sender<&'static str>,
    phase: watch::Sender<Phase>,
    /// Room for one message.
    queue: Arc<Queue<Job>>,
    ledger: Arc<Ledger>,
    acknowledged: Arc<Counter>,
    closed: Arc<AtomicUsize>,
}

fn bed(on_full: OnFull) -> (Bed, Intake<TestSource>) {
    let runtime = crds::load(CONFIG, "seed").unwrap();
    let shared = Shared::new(&runtime);
    let view = shared.models()[0].clone();
    let metrics = shared.metrics.model("industry");
    let (source, messages) = mpsc::channel(16);
    let bed = Bed {
        source,
        phase: watch::Sender::new(Phase::Serving),
        queue: Arc::new(Queue::new(1, 1 << 20)),
        ledger: view.ledger.clone(),
        acknowledged: Arc::default(),
        closed: Arc::default(),
    };
    let source = TestSource {
        ledger: bed.ledger.clone(),
        messages,
        read: None,
        acknowledged: bed.acknowledged.clone(),
        phase: Phase::Serving,
        closed: bed.closed.clone(),
    };
    let devices = Observer::new(view.devices.clone());
    let accounts = Accounts::new(view.clone(), metrics.clone(), vec![false]);
    let dispatcher = Dispatcher {
        set_aside: None,
        max_message_bytes: 1 << 20,
        matcher: Matcher::new(&runtime.funcs[0].devices),
        model: 0,
        view,
        devices,
        undecodable: shared.rules()[0].clone(),
        on_full,
        lanes: Lanes::new(vec![Arc::new(Backlog::new(vec![bed.queue.clone()]))], &[]),
        results: Arc::new(Results::new(accounts, vec![Vec::new()])),
        metrics,
    };
    let intake = Intake::new(source, dispatcher, bed.phase.subscribe());
    (bed, intake)
}

impl Bed {
    /// Takes the queued message, as a lane would.
    fn take(&self) -> Option<Job> {
        let mut jobs = VecDeque::new();
        self.queue.pop_into(&mut jobs, 1, usize::MAX);
        jobs.pop_front()
    }
}

/// What `/status` and the metrics say must be true while a model is stuck, too.
#[tokio::test]
async fn messages_behind_a_blocked_one_are_in_the_ledger() {
    let (bed, intake) = bed(OnFull::Block);
    for _ in 0..5 {
        bed.source.try_send(MESSAGE).unwrap();
    }
    let (queued, _receiver) = oneshot::channel();
    let run = intake.run(queued);
    tokio::pin!(run);
    assert_eq!(run.as_mut().now_or_never(), None);
    assert_eq!(bed.queue.len(), 1);
    assert_eq!((bed.ledger.received(), bed.ledger.in_flight()), (5, 5));
    assert_eq!(bed.acknowledged.0.load(Ordering::Relaxed), 0);
}

/// A full queue drops messages, and each is settled and acknowledged.
#[tokio::test]
async fn a_full_queue_does_as_it_is_told() {
    for (on_full, kept) in [(OnFull::DropNewest, MESSAGE), (OnFull::DropOldest, LAST)] {
        let (bed, intake) = bed(on_full);
        for message in [MESSAGE, MESSAGE, LAST] {
            bed.source.try_send(message).unwrap();
        }
        let (queued, _receiver) = oneshot::channel();
        let run = intake.run(queued);
        tokio::pin!(run);
        assert_eq!(run.as_mut().now_or_never(), None);
        assert_eq!(bed.ledger.settled(Settled::Dropped), 2, "{on_full:?}");
        assert_eq!(bed.acknowledged.0.load(Ordering::Relaxed), 2);
        assert_eq!(bed.take().unwrap().telemetry.payload, kept, "{on_full:?}");
        assert_eq!(bed.ledger.in_flight(), 1);
    }
}

#[tokio::test]
async fn what_is_no_json_and_what_matches_no_device_ends_here() {
    let (bed, intake) = bed(OnFull::Block);
    for message in ["{", "{}"] {
        bed.source.try_send(message).unwrap();
    }
    let (queued, _receiver) = oneshot::channel();
    let run = intake.run(queued);
    tokio::pin!(run);
    assert_eq!(run.as_mut().now_or_never(), None);
    assert!(bed.take().is_none());
    assert_eq!(bed.ledger.settled(Settled::Failed), 0);
    assert_eq!(bed.ledger.settled(Settled::Unmatched), 2);
    assert_eq!(bed.acknowledged.0.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn at_shutdown_it_tells_when_everything_is_queued_and_closes_when_everything_is_done() {
    let (bed, intake) = bed(OnFull::Block);
    for message in [MESSAGE, MESSAGE] {
        bed.source.try_send(message).unwrap();
    }
    let (queued, mut told) = oneshot::channel();
    let run = intake.run(queued);
    tokio::pin!(run);
    assert_eq!(run.as_mut().now_or_never(), None);
    bed.phase.send_replace(Phase::Draining);
    assert_eq!(run.as_mut().now_or_never(), None);
    assert!(told.try_recv().is_err(), "one message waits for room");
    assert!(bed.take().is_some());
    assert_eq!(run.as_mut().now_or_never(), None);
    assert_eq!(told.try_recv(), Ok(()));
    assert_eq!(bed.closed.load(Ordering::Relaxed), 0);
    bed.phase.send_replace(Phase::Finishing);
    assert_eq!(run.as_mut().now_or_never(), Some(()));
    assert_eq!(bed.closed.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn exhausting_ends_early_when_the_worker_stops() {
    let (bed, mut intake) = bed(OnFull::Block);
    let (_sender, never) = oneshot::channel();
    bed.phase.send_replace(Phase::Draining);
    assert!(!intake.serves_until(never).await);
    assert!(!intake.exhaust().await);
}
