//! Outcomes that wait for their rule, so that the lane serves its other rules meanwhile. Those of one rule keep their order.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::Poll;

use futures_util::future::BoxFuture;
use message::{Job, Outcome};

use super::Lane;
use crate::options::Outcomes;

impl<O: Outcomes> Lane<O> {
    /// Hands an outcome over. Where its rule cannot go on, it waits, and the others are served, unless too much waits.
    pub(super) async fn finish(&mut self, job: Job, outcome: Outcome) {
        self.held.finish(&*self.outcomes, job, outcome);
        while self.held.bytes > self.options.queue_bytes {
            self.held.next(&*self.outcomes).await;
        }
    }
}

/// See the module's description.
#[derive(Default)]
pub(super) struct Held {
    rules: Vec<Rule>,
    bytes: usize,
}

/// What waits for one rule.
struct Rule {
    index: usize,
    /// The first, which was handed over and waits for room.
    first: BoxFuture<'static, ()>,
    size: usize,
    /// Those behind it.
    rest: VecDeque<(Job, Outcome)>,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules that wait.
    pub(super) fn rules(&self) -> Vec<usize> {
        self.rules.iter().map(|rule| rule.index).collect()
    }

    /// Hands an outcome over, behind those of its rule that wait.
    fn finish(&mut self, outcomes: &impl Outcomes, job: Job, outcome: Outcome) {
        let index = job.telemetry.rule;
        let size = size(&job, &outcome);
        if let Some(rule) = self.rules.iter_mut().find(|rule| rule.index == index) {
            rule.rest.push_back((job, outcome));
            self.bytes += size;
        } else if let Some(first) = outcomes.finish(job, outcome) {
            self.bytes += size;
            self.rules.push(Rule {
                index,
                first,
                size,
                rest: VecDeque::new(),
            });
        }
    }

    /// Waits until one of the first outcomes was taken, and hands over those behind it for which there is room too. Waits
    /// forever if there are none. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self, outcomes: &impl Outcomes) {
        poll_fn(|cx| {
            let mut ready = self.rules.iter_mut().enumerate();
            let done = ready
                .find_map(|(place, rule)| rule.first.as_mut().poll(cx).is_ready().then_some(place));
            let Some(place) = done else {
                return Poll::Pending;
            };
            self.advance(place, outcomes);
            Poll::Ready(())
        })
        .await;
    }

    fn advance(&mut self, place: usize, outcomes: &impl Outcomes) {
        let rule = &mut self.rules[place];
        self.bytes -= rule.size;
        while let Some((job, outcome)) = rule.rest.pop_front() {
            let size = size(&job, &outcome);
            if let Some(first) = outcomes.finish(job, outcome) {
                rule.first = first;
                rule.size = size;
                return;
            }
            self.bytes -= size;
        }
        self.rules.swap_remove(place);
    }
}

fn size(job: &Job, outcome: &Outcome) -> usize {
    let outcome = match outcome {
        Outcome::Result(payload) => payload.len(),
        Outcome::Empty => 0,
        Outcome::Failed(failure) => {
            failure.message.len() + failure.traceback.as_ref().map_or(0, String::len)
        }
    };
    job.telemetry.size() + outcome
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use futures_util::future::FutureExt as _;
    use tokio::sync::Semaphore;

    use super::*;

    /// Rules with room for so many outcomes.
    struct Rules {
        room: [Arc<Semaphore>; 2],
        taken: Arc<Mutex<Vec<(usize, String)>>>,
    }

    impl Outcomes for Rules {
        fn finish(&self, job: Job, outcome: Outcome) -> Option<BoxFuture<'static, ()>> {
            let rule = job.telemetry.rule;
            let (room, taken) = (self.room[rule].clone(), self.taken.clone());
            let take = move || {
                let Outcome::Result(payload) = outcome else {
                    unreachable!("there are only results here")
                };
                let text = String::from_utf8(payload.to_vec()).unwrap();
                taken.lock().unwrap().push((rule, text));
            };
            if let Ok(permit) = room.try_acquire() {
                permit.forget();
                take();
                return None;
            }
            Some(Box::pin(async move {
                room.acquire().await.unwrap().forget();
                take();
            }))
        }
    }

    fn job(rule: usize) -> Job {
        crate::backlog::tests::job(rule, b"12")
    }

    #[test]
    fn row_13_outcomes_of_a_rule_wait_in_order_and_hold_no_other_up() {
        let rules = Rules {
            room: [1, 0].map(|room| Arc::new(Semaphore::new(room))),
            taken: Arc::default(),
        };
        let mut held = Held::default();
        let taken = || std::mem::take(&mut *rules.taken.lock().unwrap());
        let texts = |rule: usize, texts: &[&str]| -> Vec<_> {
            texts
                .iter()
                .map(|text| (rule, (*text).to_owned()))
                .collect()
        };
        let result = |text: &'static str| Outcome::Result(Bytes::from_static(text.as_bytes()));
        for text in ["a", "b", "c", "d"] {
            held.finish(&rules, job(1), result(text));
        }
        held.finish(&rules, job(0), result("x"));
        assert_eq!(taken(), texts(0, &["x"]));
        assert_eq!((held.rules(), held.bytes), (vec![1], 12));
        assert_eq!(held.next(&rules).now_or_never(), None);

        rules.room[1].add_permits(3);
        // The first one waits for its turn, and nothing overtakes it.
        held.finish(&rules, job(1), result("e"));
        assert_eq!(held.next(&rules).now_or_never(), Some(()));
        assert_eq!(taken(), texts(1, &["a", "b", "c"]));
        assert_eq!((held.rules(), held.bytes), (vec![1], 6));

        held.finish(&rules, job(0), result("y"));
        assert_eq!(held.rules(), [1, 0]);
        rules.room[0].add_permits(1);
        assert_eq!(held.next(&rules).now_or_never(), Some(()));
        assert_eq!(taken(), texts(0, &["y"]));
        rules.room[1].add_permits(9);
        assert_eq!(held.next(&rules).now_or_never(), Some(()));
        assert_eq!(taken(), texts(1, &["d", "e"]));
        assert!(held.is_empty());
        assert_eq!(held.bytes, 0);
    }
}
