//! ADR 7: packets wait for each other at high rates, as network cards let interrupts wait.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// So many packets within [`crate::Options::gather`] are a high rate.
const GATHER_PACKETS: usize = 5;

/// Whether packets wait for each other; decided again after each [`crate::Options::gather`].
pub(super) struct Gathering {
    wait: Duration,
    since: Instant,
    packets: usize,
    /// Reading waits until this fires.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Gathering {
    pub(super) fn new(wait: Duration, now: Instant) -> Self {
        Self {
            wait,
            since: now,
            packets: 0,
            timer: None,
        }
    }

    /// Packets were taken at `now`.
    pub(super) fn took(&mut self, packets: usize, now: Instant) {
        self.packets += packets;
        if self.wait.is_zero() || now - self.since < self.wait {
            return;
        }
        if self.packets >= GATHER_PACKETS {
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(self.wait)));
            timer.as_mut().reset(now + self.wait);
        } else {
            self.timer = None;
        }
        self.since = now;
        self.packets = 0;
    }

    /// Ready when it is time to read.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.timer {
            Some(timer) => timer.as_mut().poll(cx),
            None => Poll::Ready(()),
        }
    }
}
