//! Where results go. A new kind of sink is a new file here and a line in [`open`].

mod events;
mod live;
mod mqtt;
mod print;
mod tcp;

use std::fmt;
use std::sync::Arc;

use futures_util::future::{self, BoxFuture, FutureExt as _};
use message::{Level, Queue, Rejected};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::metrics::Metrics;
use crate::outbound::OutboundResult;
use crate::route::Route;

pub use events::EventSink;
pub use print::Stdout;
pub use tcp::TcpSink;

/// The sinks of one rule and model, in the order in which they are offered results.
pub fn open(route: Route<'_>, shared: &SharedSinks) -> Vec<Arc<dyn Sink>> {
    let last: Arc<dyn Sink> = if route.ctx.trial {
        Arc::new(print::PrintSink::new(route, shared.stdout.clone()))
    } else {
        Arc::new(mqtt::MqttSink::new(route))
    };
    vec![shared.tcp.clone(), shared.events.clone(), last]
}

/// The sinks that all models of a worker share.
#[derive(Debug, Clone)]
pub struct SharedSinks {
    /// The `tcp://` ports.
    pub tcp: Arc<TcpSink>,
    /// `/results` on `http://` ports.
    pub events: Arc<EventSink>,
    /// Where a trial prints results.
    pub stdout: Stdout,
}

impl SharedSinks {
    /// Sinks without readers; `side` runs what may block.
    pub fn new(metrics: &Metrics, side: &Handle) -> Self {
        Self {
            tcp: Arc::new(TcpSink::new(metrics)),
            events: Arc::new(EventSink::new(metrics)),
            stdout: Stdout::new(side),
        }
    }
}

/// Takes results and dead letters.
pub trait Sink: fmt::Debug + Send + Sync {
    /// Offers a result. A sink that must confirm it takes a [hold](OutboundResult::hold), and confirms that once the
    /// result is safe.
    fn accept(&self, result: &OutboundResult) -> Receipt;

    /// The queue that results wait in, if the sink has one.
    fn queue(&self) -> Option<&Arc<Queue<OutboundResult>>> {
        None
    }

    /// Waits until [`Sink::accept`] may have room for `size` bytes.
    fn room(&self, size: usize) -> BoxFuture<'_, ()> {
        match self.queue() {
            Some(queue) => queue.writable(size).boxed(),
            None => future::ready(()).boxed(),
        }
    }

    /// Starts the sink when the model begins to serve; a task that it needs is added to `tasks`.
    fn start(&self, _route: Route<'_>, _tasks: &mut JoinSet<()>) {}

    /// Number of results that wait in it.
    fn level(&self) -> Level {
        Level::of(self.queue())
    }

    /// Ends the input: the sink's task ends once it has confirmed the results that it holds.
    fn close(&self) {
        if let Some(queue) = self.queue() {
            queue.close();
        }
    }
}

/// A sink's answer to an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// The sink has accepted or ignored the result.
    Taken,
    /// It is full; offer the result again after [`Sink::room`].
    Full,
    /// It has ended because the worker is stopping.
    Ended,
}

/// Adds a hold on a result to a sink's queue.
fn enqueue(queue: &Queue<OutboundResult>, result: &OutboundResult) -> Receipt {
    match queue.try_push(result.hold(), result.size()) {
        Ok(()) => Receipt::Taken,
        Err(Rejected(held)) => {
            held.release();
            if queue.is_closed() {
                Receipt::Ended
            } else {
                Receipt::Full
            }
        }
    }
}
