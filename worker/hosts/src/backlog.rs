//! The messages that wait for a lane: a queue for each rule, so that a rule that cannot go on holds up no other.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use crds::validated::ValidatedBatch;
use message::{Job, Queue};

use crate::gather;

/// See the module's description.
#[derive(Debug)]
pub struct Backlog {
    rules: Box<[Arc<Queue<Job>>]>,
}

impl Backlog {
    /// Of the queues of all rules.
    pub fn new(queues: Vec<Arc<Queue<Job>>>) -> Self {
        Self {
            rules: queues.into(),
        }
    }

    /// The queue of a rule.
    pub fn of(&self, rule: usize) -> &Arc<Queue<Job>> {
        &self.rules[rule]
    }

    /// The queues of all rules.
    pub(crate) fn queues(&self) -> &[Arc<Queue<Job>>] {
        &self.rules
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.iter().all(|queue| queue.is_empty())
    }

    pub(crate) fn close(&self) {
        for queue in &self.rules {
            queue.close();
        }
    }

    /// Waits until there is something to hand over (`true`), or there never will be (`false`), of all rules but those that are
    /// held; these may have something later.
    pub(crate) async fn ready(&self, batch: Option<ValidatedBatch>, held: Vec<usize>) -> bool {
        if let ([only], true) = (&*self.rules, held.is_empty()) {
            return gather::ready(only, batch).await;
        }
        let free = self.rules.iter().enumerate();
        let free = free.filter(|(rule, _)| !held.contains(rule));
        let mut waits: Vec<_> = free
            .map(|(_, queue)| Box::pin(gather::ready(queue, batch)))
            .collect();
        poll_fn(|cx| {
            let mut found = false;
            waits.retain_mut(|wait| match wait.as_mut().poll(cx) {
                Poll::Ready(readable) => {
                    found |= readable;
                    false
                }
                Poll::Pending => true,
            });
            if found {
                Poll::Ready(true)
            } else if waits.is_empty() && held.is_empty() {
                Poll::Ready(false)
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// Takes messages of all rules but those that are held while they are at most `items` and `bytes` together, but one in any
    /// case; appends them to `batch`. The rules take turns: `turn` is the one that comes first.
    pub(crate) fn pop_into(
        &self,
        batch: &mut VecDeque<Job>,
        (items, bytes): (usize, usize),
        held: &[usize],
        turn: &mut usize,
    ) {
        let count = self.rules.len();
        let (mut items, mut bytes) = (items, bytes);
        for rule in (0..count).map(|index| (*turn + index) % count) {
            let queue = &self.rules[rule];
            let fits = queue.front(|job| batch.is_empty() || job.telemetry.size() <= bytes);
            if items == 0 || held.contains(&rule) || fits != Some(true) {
                continue;
            }
            let before = batch.len();
            queue.pop_into(batch, items, bytes);
            let taken = batch.range(before..);
            let size: usize = taken.map(|job| job.telemetry.size()).sum();
            items -= batch.len() - before;
            bytes = bytes.saturating_sub(size);
        }
        *turn = (*turn + 1) % count.max(1);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::{Instant, SystemTime};

    use bytes::Bytes;
    use futures_util::future::FutureExt as _;
    use message::{Attributes, Delivery, Ledger, Telemetry};
    use prometheus::IntCounter;

    use super::*;

    fn counter() -> IntCounter {
        IntCounter::new("c", "c").unwrap()
    }

    /// A message of a rule.
    pub(crate) fn job(rule: usize, payload: &'static [u8]) -> Job {
        let ledger = Arc::new(Ledger::new(counter(), std::array::from_fn(|_| counter())));
        Job {
            telemetry: Telemetry {
                topic: "in".into(),
                payload: Bytes::from_static(payload),
                rule,
                received: Instant::now(),
                received_at: SystemTime::now(),
                attributes: Attributes::default(),
            },
            device: "d".into(),
            attempts: 0,
            failures: 0,
            delivery: Delivery::open(&ledger, None),
        }
    }

    /// A backlog with so many messages of each rule.
    fn backlog(counts: &[usize]) -> Backlog {
        let queues = counts.iter().map(|_| Arc::new(Queue::new(100, 1 << 20)));
        let backlog = Backlog::new(queues.collect());
        for (rule, count) in counts.iter().enumerate() {
            for _ in 0..*count {
                backlog
                    .of(rule)
                    .try_push(job(rule, b"1234567890"), 10)
                    .unwrap();
            }
        }
        backlog
    }

    /// Messages of each rule, how many and how many bytes are taken at most, the held rules, and whose are taken.
    type Case = (
        &'static [usize],
        (usize, usize),
        &'static [usize],
        &'static [usize],
    );

    #[test]
    fn row_13_a_held_rule_waits_and_the_others_are_taken_in_turns() {
        let cases: [Case; 6] = [
            (&[3], (2, 1000), &[], &[0, 0]),
            (&[3, 3], (4, 1000), &[], &[0, 0, 0, 1]),
            (&[3, 3], (4, 1000), &[0], &[1, 1, 1]),
            (&[3, 3], (9, 40), &[], &[0, 0, 0, 1]),
            (&[1, 1], (9, 1), &[], &[0]),
            (&[0, 2, 1], (9, 1000), &[1], &[2]),
        ];
        for (counts, most, held, expected) in cases {
            let backlog = backlog(counts);
            let mut batch = VecDeque::new();
            let mut turn = 0;
            backlog.pop_into(&mut batch, most, held, &mut turn);
            let taken: Vec<_> = batch.iter().map(|job| job.telemetry.rule).collect();
            assert_eq!(taken, expected, "{counts:?} {most:?} {held:?}");
            assert_eq!(turn, 1 % counts.len());
        }
    }

    #[tokio::test]
    async fn row_13_a_backlog_ends_only_when_nothing_is_held() {
        let backlog = backlog(&[1, 0]);
        let ready = |held: &[usize]| backlog.ready(None, held.to_vec()).now_or_never();
        assert_eq!(ready(&[]), Some(true));
        assert_eq!(ready(&[0]), None, "the other rule has nothing");
        assert_eq!(ready(&[1]), Some(true));
        backlog.of(1).try_push(job(1, b"1234567890"), 10).unwrap();
        assert_eq!(ready(&[0]), Some(true));
        backlog.close();
        let mut batch = VecDeque::new();
        backlog.pop_into(&mut batch, (9, 1000), &[0], &mut 0);
        assert_eq!(ready(&[0]), None, "what is held comes later");
        assert_eq!(ready(&[]), Some(true));
        backlog.pop_into(&mut batch, (9, 1000), &[], &mut 0);
        assert_eq!(ready(&[]), Some(false));
    }
}
