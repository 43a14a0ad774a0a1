//! A delivery notifies the source of a message once its outcome is final, and never before.

use std::fmt;
use std::sync::Arc;

use crate::ledger::{Ledger, Settled};
use crate::tally::DeviceTally;

/// Identifies a message for the source that read it; opaque to everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(pub u64, pub u64);

/// Implemented by sources, which are notified of each settled message. Called by whatever settles it, so it must not
/// block.
pub trait Acknowledge: fmt::Debug + Send + Sync {
    /// Settles the message; the source may drop it.
    fn acknowledge(&self, ticket: Ticket);
}

/// The acknowledgement handle of one message.
#[derive(Debug)]
pub struct AckHandle {
    source: Arc<dyn Acknowledge>,
    ticket: Ticket,
}

impl AckHandle {
    /// A handle for the message that `source` identifies by `ticket`.
    pub fn new(source: Arc<dyn Acknowledge>, ticket: Ticket) -> Self {
        Self { source, ticket }
    }
}

/// A message that has been read and not settled. If it is dropped without [`Delivery::settle`] (at shutdown), the
/// message stays unacknowledged and its source delivers it again.
#[derive(Debug)]
#[must_use = "a delivery that is not settled leaves its message unacknowledged"]
pub struct Delivery {
    ledger: Arc<Ledger>,
    /// That of the device, once it is known.
    device: Option<Arc<DeviceTally>>,
    /// `None` without acknowledgements, as at QoS 0.
    ack: Option<AckHandle>,
}

impl Delivery {
    /// Opens the delivery of a message that was just read.
    pub fn open(ledger: &Arc<Ledger>, ack: Option<AckHandle>) -> Self {
        ledger.open();
        Self {
            ledger: ledger.clone(),
            device: None,
            ack,
        }
    }

    /// Counts the outcome for this device, too.
    pub fn attribute(&mut self, device: Arc<DeviceTally>) {
        self.device = Some(device);
    }

    /// The device that the outcome counts for.
    pub fn device(&self) -> Option<&DeviceTally> {
        self.device.as_deref()
    }

    /// Counts the outcome and acknowledges the message.
    pub fn settle(self, outcome: Settled) {
        self.ledger.settle(outcome);
        if let Some(device) = self.device {
            device.settle(outcome);
        }
        if let Some(ack) = self.ack {
            ack.source.acknowledge(ack.ticket);
        }
    }
}
