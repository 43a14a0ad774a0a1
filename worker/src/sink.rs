//! Where results go. A new kind of sink is a new file here and a line in [`open`].

mod events;
mod live;
mod mqtt;
mod tcp;

use std::fmt;
use std::sync::Arc;

use futures_util::future::{self, BoxFuture, FutureExt as _};
use message::Level;
use tokio::task::JoinSet;

use crate::metrics::Metrics;
use crate::outbound::OutboundResult;
use crate::route::Route;

pub use events::EventSink;
pub use tcp::TcpSink;

/// The sinks of one rule and model, in the order in which they are offered results.
pub fn open(route: Route<'_>, shared: &SharedSinks) -> Vec<Arc<dyn Sink>> {
    vec![
        shared.tcp.clone(),
        shared.events.clone(),
        Arc::new(mqtt::MqttSink::new(route)),
    ]
}

/// The sinks that all models of a worker share.
#[derive(Debug, Clone)]
pub struct SharedSinks {
    /// The `tcp://` ports.
    pub tcp: Arc<TcpSink>,
    /// `/results` on `http://` ports.
    pub events: Arc<EventSink>,
}

impl SharedSinks {
    /// Sinks without readers.
    pub fn new(metrics: &Metrics) -> Self {
        Self {
            tcp: Arc::new(TcpSink::new(metrics)),
            events: Arc::new(EventSink::new(metrics)),
        }
    }
}

/// Takes results and dead letters.
pub trait Sink: fmt::Debug + Send + Sync {
    /// Offers a result. A sink that must confirm it takes a [hold](OutboundResult::hold), and confirms that once the
    /// result is safe.
    fn accept(&self, result: &OutboundResult) -> Receipt;

    /// Waits until [`Sink::accept`] may have room for `size` bytes.
    fn room(&self, _size: usize) -> BoxFuture<'_, ()> {
        future::ready(()).boxed()
    }

    /// Starts the sink when the model begins to serve; a task that it needs is added to `tasks`.
    fn start(&self, _route: Route<'_>, _tasks: &mut JoinSet<()>) {}

    /// Number of results that wait in it.
    fn level(&self) -> Level {
        Level::default()
    }

    /// Ends the input: the sink's task ends once it has confirmed the results that it holds.
    fn close(&self) {}
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
