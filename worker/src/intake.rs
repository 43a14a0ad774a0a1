//! The intake of one rule and model: reads a source and dispatches its messages. A message that has to wait stops the
//! source, which propagates the back-pressure.

use std::collections::VecDeque;

use futures_util::future::BoxFuture;
use message::Message;
use tokio::sync::{oneshot, watch};

use crate::dispatch::Dispatcher;
use crate::shutdown::Phase;
use crate::source::Source;

/// See the module's description.
#[derive(Debug)]
pub struct Intake<S> {
    source: S,
    dispatcher: Dispatcher,
    /// Set by the pipeline.
    phase: watch::Receiver<Phase>,
    /// What the last dispatched message waits for.
    blocked: Blocked,
    /// Messages behind that one: in the ledger, but not matched yet.
    held: VecDeque<Message>,
}

/// The wait for room, if any.
#[derive(Default)]
struct Blocked(Option<BoxFuture<'static, ()>>);

/// The pipeline is gone.
struct Abandoned;

impl<S: Source> Intake<S> {
    /// From `source` to `dispatcher`.
    pub fn new(source: S, dispatcher: Dispatcher, phase: watch::Receiver<Phase>) -> Self {
        Self {
            source,
            dispatcher,
            phase,
            blocked: Blocked::default(),
            held: VecDeque::new(),
        }
    }

    /// Reads until the phase is [`Phase::Finishing`] (or its sender is dropped), then closes the source. While
    /// [`Phase::Draining`], dropping `queued` tells the pipeline that everything that was read is queued.
    pub async fn run(mut self, queued: oneshot::Sender<()>) {
        let mut queued = Some(queued);
        loop {
            let phase = self.prepare();
            if phase == Phase::Finishing {
                break;
            }
            if phase == Phase::Draining && self.is_exhausted() {
                // The receiver is gone only when the pipeline was given up.
                let _ = queued.take().map(|queued| queued.send(()));
            }
            if self.step().await.is_err() {
                break;
            }
        }
        // Everything is queued, so the pipeline need not wait until the source has closed.
        drop(queued);
        self.close().await;
    }

    /// Waits for `ready` while the worker serves; `false` if it stops before.
    pub async fn serves_until(&mut self, ready: oneshot::Receiver<()>) -> bool {
        tokio::select! {
            ready = ready => ready.is_ok(),
            _ = self.phase.wait_for(|phase| *phase != Phase::Serving) => false,
        }
    }

    /// Reads while the worker serves, until the source ends; `false` if the worker stops first.
    pub async fn exhaust(&mut self) -> bool {
        while self.prepare() == Phase::Serving {
            if self.is_exhausted() {
                return true;
            }
            if self.step().await.is_err() {
                break;
            }
        }
        false
    }

    /// Its source.
    pub fn source(&mut self) -> &mut S {
        &mut self.source
    }

    /// Closes the source.
    pub async fn close(self) {
        self.source.close().await;
    }

    fn prepare(&mut self) -> Phase {
        let phase = *self.phase.borrow_and_update();
        while self.blocked.0.is_none()
            && let Some(message) = self.held.pop_front()
        {
            self.blocked.0 = self.dispatcher.dispatch(message);
        }
        self.source.prepare(phase, self.blocked.0.is_none());
        phase
    }

    /// Whether everything that the source yields in this phase is queued.
    fn is_exhausted(&self) -> bool {
        self.blocked.0.is_none() && self.source.is_dry()
    }

    /// Waits for an event, and takes what was read.
    async fn step(&mut self) -> Result<(), Abandoned> {
        tokio::select! {
            () = self.source.drive() => {
                while let Some(message) = self.source.next_message() {
                    self.held.push_back(message);
                }
            }
            () = self.blocked.over(), if self.blocked.0.is_some() => self.blocked.0 = None,
            changed = self.phase.changed() => changed.map_err(|_| Abandoned)?,
        }
        Ok(())
    }
}

impl Blocked {
    async fn over(&mut self) {
        if let Some(room) = &mut self.0 {
            room.await;
        }
    }
}

impl std::fmt::Debug for Blocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Blocked").field(&self.0.is_some()).finish()
    }
}

#[cfg(test)]
mod tests;
