//! How busy a model's hosts are (ADR 15): a model that is too slow for its messages shows here when these
//! wait at the broker, where no queue of the worker shows them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use prometheus::Gauge;
use tokio::time::{Instant, MissedTickBehavior};

use crate::backlog::Backlog;
use crate::state::HostState;

/// What the utilization of a worker is an average over: as long as the chart's scrape interval, so that load between two
/// scrapes shows in one of them, and twice the sync period of a HorizontalPodAutoscaler.
pub const UTILIZATION_WINDOW: Duration = Duration::from_secs(30);

/// How often it is computed within a window.
const STEPS: u32 = 30;

/// Keeps the gauge at the part of the last window in which the hosts had something to do, averaged over
/// them: 0 to 1. Dropped, it leaves the gauge at 0.
pub(crate) async fn measure(
    states: Arc<[Arc<HostState>]>,
    backlogs: Arc<[Arc<Backlog>]>,
    gauge: Gauge,
    window: Duration,
) {
    let gauge = Zeroed(gauge);
    let mut steps = tokio::time::interval((window / STEPS).max(Duration::from_millis(1)));
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut window = Window::new(window);
    let mut last = Instant::now();
    loop {
        steps.tick().await;
        let now = Instant::now();
        let step = now - last;
        last = now;
        let lanes = states.iter().zip(&*backlogs).map(|(state, backlog)| {
            let page = state.page();
            let waited = page.and_then(|page| page.newly_waited());
            busy(step, waited, !backlog.is_empty() || state.waiting() > 0)
        });
        let total = lanes.sum::<Duration>();
        window.add(
            step,
            total / u32::try_from(states.len()).unwrap_or(u32::MAX).max(1),
        );
        gauge.0.set(window.share());
    }
}

/// How much of a step a lane was busy, from how long its host waited in it. A lane without a host is busy
/// while messages wait for one.
fn busy(step: Duration, waited: Option<Duration>, backlog: bool) -> Duration {
    match waited {
        Some(waited) => step.saturating_sub(waited),
        None if backlog => step,
        None => Duration::ZERO,
    }
}

struct Zeroed(Gauge);

impl Drop for Zeroed {
    fn drop(&mut self) {
        self.0.set(0.0);
    }
}

/// Busy time over the last so much; time before the first step counts as idle.
#[derive(Debug)]
struct Window {
    whole: Duration,
    /// The length of each step, and how much of it was busy.
    steps: VecDeque<(Duration, Duration)>,
    length: Duration,
    busy: Duration,
}

impl Window {
    fn new(whole: Duration) -> Self {
        Self {
            whole,
            steps: VecDeque::new(),
            length: Duration::ZERO,
            busy: Duration::ZERO,
        }
    }

    fn add(&mut self, step: Duration, busy: Duration) {
        self.steps.push_back((step, busy));
        self.length += step;
        self.busy += busy;
        while let Some((step, busy)) = self.steps.front()
            && self.length.saturating_sub(*step) >= self.whole
        {
            self.length -= *step;
            self.busy -= *busy;
            self.steps.pop_front();
        }
    }

    /// In thousandths, since the clocks of a step and of its waits aren't read at the same moment.
    fn share(&self) -> f64 {
        let share = self.busy.as_millis() * 1000 / self.length.max(self.whole).as_millis();
        f64::from(u32::try_from(share).unwrap_or(1000)) / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = UTILIZATION_WINDOW;
    const STEP: Duration = Duration::from_secs(1);

    fn share(window: &Window) -> u32 {
        // Thousandths are exact.
        format!("{:.0}", window.share() * 1000.0).parse().unwrap()
    }

    #[test]
    fn a_window_forgets_what_is_older_and_takes_what_was_before_as_idle() {
        let mut window = Window::new(WINDOW);
        window.add(STEP, STEP);
        assert_eq!(share(&window), 33, "{window:?}");
        for _ in 0..29 {
            window.add(STEP, STEP);
        }
        assert_eq!(share(&window), 1000, "{window:?}");
        for _ in 0..15 {
            window.add(STEP, Duration::ZERO);
        }
        assert_eq!(share(&window), 500, "{window:?}");
        // A process that was stopped for long.
        window.add(WINDOW * 10, Duration::ZERO);
        assert_eq!(share(&window), 0, "{window:?}");
        assert_eq!(window.steps.len(), 1);
    }

    #[test]
    fn a_lane_is_busy_when_its_host_does_not_wait_or_messages_wait_for_a_host() {
        let half = STEP / 2;
        for (waited, backlog, expected) in [
            (Some(Duration::ZERO), false, STEP),
            (Some(half), false, half),
            (Some(half), true, half),
            (Some(STEP), true, Duration::ZERO),
            // The two clocks aren't read at the same moment, and a model may write anything.
            (Some(Duration::MAX), true, Duration::ZERO),
            (None, true, STEP),
            (None, false, Duration::ZERO),
        ] {
            assert_eq!(
                busy(STEP, waited, backlog),
                expected,
                "{waited:?} {backlog}"
            );
        }
    }
}
