//! How busy a model's hosts are: what tells that a model is too slow for its messages when these wait at the
//! broker, which no queue of the worker shows.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use crate::pool::{HostState, Monitor};
use crate::progress::Record;

/// What the utilization is an average over: as long as the chart's scrape interval, so that load between two
/// scrapes shows in one of them, and twice the time between two looks of a HorizontalPodAutoscaler.
const WINDOW: Duration = Duration::from_secs(30);

/// How often it is computed anew.
const STEP: Duration = Duration::from_secs(1);

/// The part of the last half minute in which a model's hosts had something to do, averaged over them: 0 to 1.
#[derive(Debug, Default)]
pub(crate) struct Utilization {
    thousandths: AtomicU32,
}

impl Utilization {
    pub(crate) fn get(&self) -> f64 {
        f64::from(self.thousandths.load(Ordering::Relaxed)) / 1000.0
    }
}

/// Keeps a pool's utilization up to date, for ever.
pub(crate) async fn measure(monitor: Monitor) {
    let mut steps = tokio::time::interval(STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut lanes: Vec<_> = monitor.states.iter().map(|_| Seen::default()).collect();
    let mut window = Window::default();
    let mut last = Instant::now();
    loop {
        steps.tick().await;
        let now = Instant::now();
        let step = now - last;
        last = now;
        let hosts = monitor.states.iter().zip(&*monitor.lanes.queues);
        let busy = hosts
            .zip(&mut lanes)
            .map(|((state, queue), seen)| seen.busy(state, !queue.is_empty(), step))
            .sum::<Duration>();
        let hosts = u32::try_from(lanes.len()).unwrap_or(u32::MAX);
        window.add(step, busy / hosts);
        let now = window.thousandths();
        monitor
            .utilization
            .thousandths
            .store(now, Ordering::Relaxed);
    }
}

/// What was last seen of one lane's host.
#[derive(Debug, Default)]
struct Seen {
    record: Option<Arc<Record>>,
    waited: Duration,
}

impl Seen {
    /// How much of the last `step` the lane was busy. Without a host it is when messages wait for one.
    fn busy(&mut self, state: &HostState, queued: bool, step: Duration) -> Duration {
        let record = state.record();
        let progress = record.as_ref().and_then(|record| record.progress());
        let Some(progress) = progress else {
            *self = Self::default();
            return if queued || state.waiting() > 0 {
                step
            } else {
                Duration::ZERO
            };
        };
        let same = self.record.as_ref().zip(record.as_ref());
        if !same.is_some_and(|(before, now)| Arc::ptr_eq(before, now)) {
            *self = Self {
                record,
                waited: Duration::ZERO,
            };
        }
        let waited = progress.waited.saturating_sub(self.waited);
        self.waited = progress.waited;
        step.saturating_sub(waited)
    }
}

/// Busy time over the last [`WINDOW`]; before the first step there was none.
#[derive(Debug, Default)]
struct Window {
    /// How long each step was, and how much of it was busy.
    steps: VecDeque<(Duration, Duration)>,
    length: Duration,
    busy: Duration,
}

impl Window {
    fn add(&mut self, step: Duration, busy: Duration) {
        self.steps.push_back((step, busy));
        self.length += step;
        self.busy += busy;
        while let Some((step, busy)) = self.steps.front()
            && self.length.saturating_sub(*step) >= WINDOW
        {
            self.length -= *step;
            self.busy -= *busy;
            self.steps.pop_front();
        }
    }

    /// In thousandths, since the clocks of a step and of its waits are not read at one moment.
    fn thousandths(&self) -> u32 {
        let share = self.busy.as_millis() * 1000 / self.length.max(WINDOW).as_millis();
        u32::try_from(share).unwrap_or(1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_forgets_what_is_older_and_takes_what_was_before_as_idle() {
        let mut window = Window::default();
        window.add(STEP, STEP);
        assert_eq!(window.thousandths(), 33, "{window:?}");
        for _ in 0..29 {
            window.add(STEP, STEP);
        }
        assert_eq!(window.thousandths(), 1000, "{window:?}");
        for _ in 0..15 {
            window.add(STEP, Duration::ZERO);
        }
        assert_eq!(window.thousandths(), 500, "{window:?}");
        // A process that was stopped for long.
        window.add(WINDOW * 10, Duration::ZERO);
        assert_eq!(window.thousandths(), 0, "{window:?}");
        assert_eq!(window.steps.len(), 1);
    }

    #[test]
    fn a_lane_without_a_host_is_busy_while_messages_wait() {
        let state = HostState::default();
        let mut seen = Seen::default();
        assert_eq!(seen.busy(&state, false, STEP), Duration::ZERO);
        assert_eq!(seen.busy(&state, true, STEP), STEP);
        state.next.store(1, Ordering::Relaxed);
        assert_eq!(seen.busy(&state, false, STEP), STEP);
        // A new host that has not waited yet.
        let record = Arc::new(Record::new().unwrap());
        state.set_host(Some((1, &record)));
        assert_eq!(seen.busy(&state, false, STEP), STEP);
    }
}
