//! What becomes of outcomes, with sinks that are told what to do.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use crds::ValidatedRuntime;
use hosts::Outcomes as _;
use message::{Attributes, Delivery, FailureReason, Ledger, Telemetry};
use tokio::sync::Notify;

use super::*;
use crate::outbound::Kind;
use crate::status::Shared;

/// What a sink does with an offer.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// It confirms when the test says so.
    Holds,
    /// It needs not confirm.
    Passes,
    /// It has room after the first wait.
    FullOnce,
    /// It has ended.
    Ended,
}

#[derive(Debug)]
struct TestSink {
    manner: Manner,
    held: Mutex<Vec<OutboundResult>>,
    offers: AtomicUsize,
    room: Notify,
}

impl TestSink {
    fn new(manner: Manner) -> Arc<Self> {
        Arc::new(Self {
            manner,
            held: Mutex::default(),
            offers: AtomicUsize::new(0),
            room: Notify::new(),
        })
    }

    fn held(&self) -> OutboundResult {
        self.held.lock().unwrap().remove(0)
    }
}

impl Sink for TestSink {
    fn accept(&self, result: &OutboundResult) -> Receipt {
        let first = self.offers.fetch_add(1, Ordering::Relaxed) == 0;
        match self.manner {
            Manner::Passes => return Receipt::Taken,
            Manner::Ended => return Receipt::Ended,
            Manner::FullOnce if first => return Receipt::Full,
            Manner::FullOnce | Manner::Holds => {}
        }
        self.held.lock().unwrap().push(result.hold());
        Receipt::Taken
    }

    fn room(&self, _size: usize) -> BoxFuture<'_, ()> {
        self.room.notified().boxed()
    }
}

struct Bed {
    results: Results,
    ledger: Arc<Ledger>,
    shared: Arc<Shared>,
}

fn runtime() -> ValidatedRuntime {
    crds::load(
        include_str!("../../../tests/fixtures/seed/config.yaml"),
        "seed",
    )
    .unwrap()
}

impl Bed {
    fn new(sinks: &[&Arc<TestSink>], dead_letters: bool) -> Self {
        let shared = Shared::new(&runtime());
        let view = shared.models()[0].clone();
        let accounts = Accounts::new(
            view.clone(),
            shared.metrics.model("industry"),
            vec![dead_letters],
        );
        let sinks = sinks
            .iter()
            .map(|sink| (*sink).clone() as Arc<dyn Sink>)
            .collect();
        Self {
            results: Results::new(accounts, vec![sinks]),
            ledger: view.ledger.clone(),
            shared,
        }
    }

    fn message(&self) -> Message {
        Message {
            delivery: Delivery::open(&self.ledger, None),
            telemetry: Telemetry {
                topic: "in".into(),
                payload: Bytes::from_static(b"{}"),
                rule: 0,
                received: Instant::now(),
                received_at: SystemTime::now(),
                attributes: Attributes::default(),
            },
        }
    }

    async fn finish(&self, outcome: Outcome) {
        let job = self.message().into_job("d".into());
        if let Some(room) = self.results.finish(job, outcome) {
            room.await;
        }
    }

    /// Outcomes that were counted.
    fn settled(&self) -> Vec<Settled> {
        let counted = |settled: &Settled| self.ledger.settled(*settled) > 0;
        Settled::ALL.into_iter().filter(counted).collect()
    }

    fn failures(&self, reason: FailureReason) -> u64 {
        let metrics = self.shared.metrics.model("industry");
        metrics.failed(reason.as_str()).get()
    }
}

fn result() -> Outcome {
    Outcome::Result(Bytes::from_static(b"1"))
}

fn failure() -> Failure {
    Failure {
        reason: FailureReason::Exception,
        message: "ValueError: no".to_owned(),
        traceback: None,
    }
}

#[tokio::test]
async fn a_message_is_settled_when_every_sink_that_holds_it_has_confirmed() {
    let (one, other, passes) = (
        TestSink::new(Manner::Holds),
        TestSink::new(Manner::Holds),
        TestSink::new(Manner::Passes),
    );
    let bed = Bed::new(&[&one, &passes, &other], false);
    bed.finish(result()).await;
    assert_eq!(bed.settled(), []);
    other.held().confirm();
    assert_eq!(bed.settled(), []);
    one.held().confirm();
    assert_eq!(bed.settled(), [Settled::Published]);
}

#[tokio::test]
async fn sinks_that_confirm_nothing_hold_nothing_up() {
    let passes = TestSink::new(Manner::Passes);
    let bed = Bed::new(&[&passes], false);
    bed.finish(result()).await;
    assert_eq!(bed.settled(), [Settled::Published]);
}

#[tokio::test]
async fn a_full_sink_is_offered_the_result_again_when_it_has_room() {
    let (full, next) = (
        TestSink::new(Manner::FullOnce),
        TestSink::new(Manner::Passes),
    );
    let bed = Bed::new(&[&full, &next], false);
    let finish = bed.finish(result());
    tokio::pin!(finish);
    assert_eq!(finish.as_mut().now_or_never(), None, "it waits");
    full.room.notify_one();
    finish.await;
    assert_eq!(next.offers.load(Ordering::Relaxed), 1);
    assert_eq!(bed.settled(), [], "the sink has not confirmed");
    full.held().confirm();
    assert_eq!(bed.settled(), [Settled::Published]);
}

/// Its source delivers it again to the next worker.
#[tokio::test]
async fn a_message_whose_sink_has_ended_stays_open() {
    let (holds, ended) = (TestSink::new(Manner::Holds), TestSink::new(Manner::Ended));
    let bed = Bed::new(&[&holds, &ended], false);
    bed.finish(result()).await;
    holds.held().confirm();
    assert_eq!((bed.settled(), bed.ledger.in_flight()), (vec![], 1));
}

#[tokio::test]
async fn a_hold_that_is_dropped_leaves_the_message_open() {
    let (one, other) = (TestSink::new(Manner::Holds), TestSink::new(Manner::Holds));
    let bed = Bed::new(&[&one, &other], false);
    bed.finish(result()).await;
    drop(one.held());
    other.held().confirm();
    assert_eq!((bed.settled(), bed.ledger.in_flight()), (vec![], 1));
}

#[tokio::test]
async fn what_fails_becomes_a_dead_letter_where_the_rule_has_them() {
    for (dead_letters, offers, expected) in [
        (true, 1, Settled::DeadLettered),
        (false, 0, Settled::Failed),
    ] {
        let sink = TestSink::new(Manner::Holds);
        let bed = Bed::new(&[&sink], dead_letters);
        bed.finish(Outcome::Failed(failure())).await;
        assert_eq!(sink.offers.load(Ordering::Relaxed), offers);
        if dead_letters {
            let letter = sink.held();
            assert_eq!(letter.kind(), Kind::DeadLetter);
            letter.confirm();
        }
        assert_eq!(bed.settled(), [expected]);
        assert_eq!(bed.failures(FailureReason::Exception), 1);
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_decoded_is_rejected_for_its_device() {
    let sink = TestSink::new(Manner::Holds);
    let bed = Bed::new(&[&sink], true);
    bed.results
        .reject(bed.message(), "d".into(), &failure())
        .await;
    let letter = sink.held();
    let document: serde_json::Value = serde_json::from_slice(letter.payload()).unwrap();
    assert_eq!(document["device"], "d");
    letter.confirm();
    assert_eq!(bed.settled(), [Settled::DeadLettered]);
}

#[tokio::test]
async fn a_refused_result_becomes_a_dead_letter_for_the_sink_that_refused_it() {
    let (refuses, other) = (TestSink::new(Manner::Holds), TestSink::new(Manner::Holds));
    let bed = Bed::new(&[&refuses, &other], true);
    bed.finish(result()).await;
    let letter = refuses.held().refuse("too large".to_owned()).unwrap();
    assert_eq!(letter.kind(), Kind::DeadLetter);
    other.held().confirm();
    assert_eq!(bed.settled(), [], "the letter is in flight");
    letter.confirm();
    assert_eq!(bed.settled(), [Settled::DeadLettered]);
    assert_eq!(bed.failures(FailureReason::PublishRefused), 1);
}

#[tokio::test]
async fn what_is_refused_and_has_no_dead_letter_has_failed() {
    let sink = TestSink::new(Manner::Holds);
    let bed = Bed::new(&[&sink], false);
    bed.finish(result()).await;
    assert!(sink.held().refuse("too large".to_owned()).is_none());
    assert_eq!(bed.settled(), [Settled::Failed]);

    let bed = Bed::new(&[&sink], true);
    bed.finish(Outcome::Failed(failure())).await;
    let letter = sink.held();
    assert!(letter.refuse("not allowed".to_owned()).is_none());
    assert_eq!(bed.settled(), [Settled::Failed]);
}
