//! Decides when to ping, and when the broker is gone.

use std::future::Future as _;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::transport::dead_after;

/// What is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing is due.
    Nothing,
    /// A ping, which the caller writes.
    Ping,
    /// The end: the broker does not answer.
    Gone,
}

/// When the connection was last in use.
#[derive(Debug, Clone, Copy)]
struct Used {
    read: Instant,
    written: Instant,
    pinged: Option<Instant>,
}

/// Keeps a connection alive.
pub(super) struct KeepAlive {
    interval: Duration,
    timer: Pin<Box<Sleep>>,
    used: Used,
}

impl KeepAlive {
    pub(super) fn new(interval: Duration, now: Instant) -> Self {
        Self {
            interval,
            timer: Box::pin(tokio::time::sleep_until(now + interval)),
            used: Used {
                read: now,
                written: now,
                pinged: None,
            },
        }
    }

    /// Applies the broker's interval; zero turns keep-alive off (MQTT 5, section 3.1.2.10).
    pub(super) fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
        self.timer.as_mut().reset(Instant::now() + interval);
    }

    /// When bytes were last read.
    pub(super) fn last_read(&self) -> Instant {
        self.used.read
    }

    /// Bytes were read, or nothing was read on purpose until now: what came meanwhile has not been seen, so the
    /// broker is not late.
    pub(super) fn read(&mut self) {
        self.used.read = Instant::now();
        self.used.pinged = None;
    }

    /// Bytes were written.
    pub(super) fn written(&mut self) {
        self.used.written = Instant::now();
    }

    /// A ping was written.
    pub(super) fn pinged(&mut self) {
        self.used.pinged = Some(Instant::now());
    }

    /// What is due; registers `cx` for when that changes. While nothing is read, answers to pings are not seen, and
    /// TCP's own timeout has to notice that the broker is gone.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, reading: bool) -> Due {
        while !self.interval.is_zero() && self.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let (due, next) = due(self.used, self.interval, now, reading);
            if due == Due::Ping {
                self.used.pinged = Some(now);
            }
            self.timer.as_mut().reset(next);
            if due != Due::Nothing {
                return due;
            }
        }
        Due::Nothing
    }
}

/// What is due at `now`, and when to look again.
fn due(used: Used, interval: Duration, now: Instant, reading: bool) -> (Due, Instant) {
    let silent = now - used.read;
    if reading && used.pinged.is_some() && silent >= dead_after(interval) {
        return (Due::Gone, now + interval);
    }
    let last = used.read.min(used.written);
    let last = used.pinged.map_or(last, |pinged| last.max(pinged));
    let next = last + interval;
    if next <= now {
        // Half an interval later is when an unanswered ping means the end.
        (Due::Ping, now + interval / 2)
    } else {
        (Due::Nothing, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: u64 = 10;

    #[tokio::test]
    async fn d5_a_keep_alive_of_zero_is_none() {
        let mut keep_alive = KeepAlive::new(Duration::from_millis(1), Instant::now());
        keep_alive.set_interval(Duration::ZERO);
        let mut due = std::pin::pin!(std::future::poll_fn(|cx| match keep_alive.poll(cx, true) {
            Due::Nothing => std::task::Poll::Pending,
            due => std::task::Poll::Ready(due),
        }));
        let waited = tokio::time::timeout(Duration::from_millis(20), due.as_mut()).await;
        assert!(waited.is_err(), "{waited:?}");
    }

    /// Seconds at which the connection was last read, written and pinged; the time; what is due, and when to look
    /// again.
    #[test]
    fn a_silent_connection_is_pinged_and_given_up_without_an_answer() {
        let begin = Instant::now();
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        let table = [
            ("in use", 8, 8, None, 10, true, Due::Nothing, 18),
            ("silent", 0, 0, None, 10, true, Due::Ping, 15),
            ("only written", 0, 9, None, 10, true, Due::Ping, 15),
            ("only read", 9, 0, None, 10, true, Due::Ping, 15),
            (
                "waiting for the answer",
                0,
                0,
                Some(10),
                14,
                true,
                Due::Nothing,
                20,
            ),
            ("no answer", 0, 0, Some(10), 15, true, Due::Gone, 25),
            (
                "no answer, but nothing is read",
                0,
                0,
                Some(10),
                15,
                false,
                Due::Nothing,
                20,
            ),
            (
                "pinged again while nothing is read",
                0,
                0,
                Some(10),
                20,
                false,
                Due::Ping,
                25,
            ),
        ];
        for (what, read, written, pinged, now, reading, expected, next) in table {
            let used = Used {
                read: at(read),
                written: at(written),
                pinged: pinged.map(at),
            };
            let found = due(used, Duration::from_secs(INTERVAL), at(now), reading);
            assert_eq!(found, (expected, at(next)), "{what}");
        }
    }
}
