//! The promise that goes with each message: its source hears that it is done when, and only when, its outcome is final.

use std::fmt;
use std::sync::Arc;

use crate::ledger::{Ledger, Settled};

/// Identifies a message for the source that brought it; means nothing to anybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(pub u64, pub u64);

/// Implemented by sources: hears of each message that is done. Whatever settles a message calls it, so it must not wait.
pub trait Acknowledge: fmt::Debug + Send + Sync {
    /// The message is done; the source may forget it.
    fn acknowledge(&self, ticket: Ticket);
}

/// How one message is acknowledged to its source.
#[derive(Debug)]
pub struct AckHandle {
    source: Arc<dyn Acknowledge>,
    ticket: Ticket,
}

impl AckHandle {
    /// For the message that `source` knows by `ticket`.
    pub fn new(source: Arc<dyn Acknowledge>, ticket: Ticket) -> Self {
        Self { source, ticket }
    }
}

/// One message's open account. Dropped without [`Delivery::settle`] (the worker is going down), the
/// message stays unacknowledged and its source delivers it again.
#[derive(Debug)]
#[must_use = "an account that is not settled leaves its message unacknowledged"]
pub struct Delivery {
    ledger: Arc<Ledger>,
    /// `None` where the source keeps nothing, as at QoS 0.
    ack: Option<AckHandle>,
}

impl Delivery {
    /// Opens the account of a message that was just read.
    pub fn open(ledger: &Arc<Ledger>, ack: Option<AckHandle>) -> Self {
        ledger.open();
        Self {
            ledger: ledger.clone(),
            ack,
        }
    }

    /// Counts the outcome and acknowledges the message.
    pub fn settle(self, outcome: Settled) {
        self.ledger.settle(outcome);
        if let Some(ack) = self.ack {
            ack.source.acknowledge(ack.ticket);
        }
    }
}
