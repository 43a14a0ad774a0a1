//! What each model did in the last hour.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use message::Settled;
use serde::Serialize;

use crate::status::{ModelView, Shared};

use super::quantiles::Counts;

/// Between two points.
pub(super) const STEP: Duration = Duration::from_secs(10);

/// An hour.
const POINTS: usize = 360;

/// What a model did in one step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Point {
    /// When it ended, in seconds since 1970.
    at: u64,
    /// Messages received a second.
    received: f64,
    /// Messages a second that failed or became dead letters.
    failed: f64,
    /// Messages that waited for the model or the broker in the end.
    waiting: usize,
    /// From receipt to the final outcome, in milliseconds, which half of the messages stayed under.
    #[serde(skip_serializing_if = "Option::is_none")]
    p50: Option<f64>,
    /// The same for 99 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    p99: Option<f64>,
}

#[derive(Debug, Default)]
struct ModelHistory {
    points: VecDeque<Point>,
    before: Option<Before>,
}

/// Counters at the last step.
#[derive(Debug)]
struct Before {
    at: Instant,
    received: u64,
    failed: u64,
    total: Counts,
}

/// The last hour of all models.
#[derive(Debug)]
pub(super) struct History {
    models: Mutex<Vec<ModelHistory>>,
}

impl History {
    pub(super) fn new(models: usize) -> Self {
        Self {
            models: Mutex::new(
                std::iter::repeat_with(ModelHistory::default)
                    .take(models)
                    .collect(),
            ),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ModelHistory>> {
        // Nothing panics while it holds the lock.
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a point for each model: what it did since the last one.
    pub(super) fn add(&self, shared: &Shared) {
        let now = Instant::now();
        for (history, model) in self.lock().iter_mut().zip(shared.models()) {
            history.add(now, at(SystemTime::now()), model, shared);
        }
    }

    /// The points of each model, oldest first; those before `since` are left out.
    pub(super) fn points(&self, since: u64) -> Vec<Vec<Point>> {
        let after = |history: &ModelHistory| {
            let points = history.points.iter().copied();
            points.filter(|point| point.at > since).collect()
        };
        self.lock().iter().map(after).collect()
    }
}

impl Point {
    pub(super) fn at(&self) -> u64 {
        self.at
    }
}

impl ModelHistory {
    fn add(&mut self, now: Instant, at: u64, model: &ModelView, shared: &Shared) {
        let failed = [Settled::Failed, Settled::DeadLettered];
        let current = Before {
            at: now,
            received: model.ledger.received(),
            failed: failed
                .map(|outcome| model.ledger.settled(outcome))
                .iter()
                .sum(),
            total: Counts::of(&shared.metrics.total_seconds(&model.name)),
        };
        if let Some(before) = &self.before {
            let seconds = (now - before.at).as_secs_f64().max(f64::MIN_POSITIVE);
            #[expect(clippy::cast_precision_loss, reason = "counts of ten seconds")]
            let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
            let queues = model.queues();
            if self.points.len() == POINTS {
                self.points.pop_front();
            }
            self.points.push_back(Point {
                at,
                received: rate(current.received, before.received),
                failed: rate(current.failed, before.failed),
                waiting: queues.for_model() + queues.post.depth,
                p50: current.total.quantile(&before.total, 0.5),
                p99: current.total.quantile(&before.total, 0.99),
            });
        }
        self.before = Some(current);
    }
}

fn at(time: SystemTime) -> u64 {
    // A clock before 1970 shows no more than a wrong axis.
    let since = time.duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use message::Delivery;

    use super::*;

    #[test]
    fn a_point_is_what_happened_since_the_one_before() {
        let shared = crate::status::example();
        let model = &shared.models()[0];
        let mut history = ModelHistory::default();
        let start = Instant::now();
        history.add(start, 100, model, &shared);
        assert_eq!(history.points, [], "there is nothing to compare with");
        for outcome in [Settled::Published, Settled::Failed, Settled::DeadLettered] {
            Delivery::open(&model.ledger, None).settle(outcome);
        }
        shared.metrics.total_seconds(&model.name).observe(0.004);
        history.add(start + STEP, 110, model, &shared);
        let point = history.points[0];
        let expected = [0.3, 0.2].map(|rate: f64| (rate * 10.0).round());
        let found = [point.received, point.failed].map(|rate| (rate * 10.0).round());
        assert_eq!(
            (point.at, found.map(f64::to_bits)),
            (110, expected.map(f64::to_bits))
        );
        assert!(
            point.p50.is_some_and(|p50| (2.5..=5.0).contains(&p50)),
            "{point:?}"
        );
        history.add(start + 2 * STEP, 120, model, &shared);
        assert!(history.points[1].received.abs() < f64::EPSILON);
        assert_eq!(history.points[1].p50, None);
    }

    #[test]
    fn an_hour_is_kept() {
        let shared = crate::status::example();
        let mut history = ModelHistory::default();
        let start = Instant::now();
        for (at, step) in (0..500).zip(0..) {
            history.add(start + STEP * step, at, &shared.models()[0], &shared);
        }
        assert_eq!(history.points.len(), POINTS);
        assert_eq!(history.points[0].at, 140);
    }
}
