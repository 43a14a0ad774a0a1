//! Notices that the broker has closed a connection while nothing is read of it: a model that is behind would otherwise keep
//! a worker from learning that another client has its session.

use std::future::Future as _;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// How often to check.
const PERIOD: Duration = Duration::from_secs(1);

/// When to check next.
#[derive(Default)]
pub(super) struct Unread {
    timer: Option<Pin<Box<Sleep>>>,
    closed: bool,
}

impl Unread {
    /// Whether the broker has closed the connection, as `hung_up` says. Asks only while the connection is not `read`;
    /// registers `cx` for the next time.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        read: bool,
        hung_up: impl Fn() -> bool,
    ) -> bool {
        if read || self.closed {
            self.timer = None;
            return self.closed;
        }
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(PERIOD)));
        while !self.closed && timer.as_mut().poll(cx).is_ready() {
            timer.as_mut().reset(Instant::now() + PERIOD);
            self.closed = hung_up();
        }
        self.closed
    }

    /// Whether it was found closed.
    pub(super) fn closed(&self) -> bool {
        self.closed
    }
}
