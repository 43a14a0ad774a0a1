//! The ledger of one model, and the promise that goes with each message: its input is acknowledged
//! when, and only when, its outcome is final.
//!
//! `received = published + unmatched + empty + failed + dead_lettered + dropped + in_flight` holds at
//! every moment, because [`Delivery`] is created by counting `received` and consumed by counting
//! exactly one of the others.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::IntCounter;
use tokio::sync::Notify;

use crate::mqtt::DeliveryTag;

/// How a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Settled {
    /// Its result was acknowledged by the broker (written to it, at QoS 0).
    Published,
    /// No device of the model matched.
    Unmatched,
    /// The model returned `None`.
    Empty,
    /// It could not be processed, and there is no dead-letter topic.
    Failed,
    /// It could not be processed and is on the dead-letter topic.
    DeadLettered,
    /// A full queue dropped it, as `onFull` asks.
    Dropped,
}

impl Settled {
    /// All outcomes, in the order of the ledger's equation.
    pub const ALL: [Self; 6] = [
        Self::Published,
        Self::Unmatched,
        Self::Empty,
        Self::Failed,
        Self::DeadLettered,
        Self::Dropped,
    ];

    /// The label's value in metrics and `/status`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Unmatched => "unmatched",
            Self::Empty => "empty",
            Self::Failed => "failed",
            Self::DeadLettered => "dead_lettered",
            Self::Dropped => "dropped",
        }
    }
}

/// Counters of one model's messages.
#[derive(Debug)]
pub struct Ledger {
    received: IntCounter,
    settled: [IntCounter; Settled::ALL.len()],
}

impl Ledger {
    /// A ledger over these counters; `settled` in the order of [`Settled::ALL`].
    pub fn new(received: IntCounter, settled: [IntCounter; Settled::ALL.len()]) -> Self {
        Self { received, settled }
    }

    /// Messages taken from the broker.
    pub fn received(&self) -> u64 {
        self.received.get()
    }

    /// Messages that ended so.
    pub fn settled(&self, outcome: Settled) -> u64 {
        self.settled[outcome as usize].get()
    }

    /// Messages whose outcome is still open. Never negative: outcomes are read before `received`.
    pub fn in_flight(&self) -> u64 {
        let settled: u64 = self.settled.iter().map(IntCounter::get).sum();
        self.received.get().saturating_sub(settled)
    }
}

/// Acknowledgements on their way back to the session that received the messages.
#[derive(Debug, Default)]
pub struct Acks {
    tags: Mutex<Vec<DeliveryTag>>,
    added: Notify,
}

impl Acks {
    fn add(&self, tag: DeliveryTag) {
        let mut tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        tags.push(tag);
        let first = tags.len() == 1;
        drop(tags);
        if first {
            self.added.notify_one();
        }
    }

    /// Waits until there is something to take.
    pub async fn added(&self) {
        self.added.notified().await;
    }

    /// Moves everything into `batch`, which must be empty.
    pub fn take(&self, batch: &mut Vec<DeliveryTag>) {
        let mut tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *tags, batch);
    }
}

/// One message's open account. Dropped without [`Delivery::settle`] (the worker is going down), the
/// message stays unacknowledged and the broker delivers it again.
#[derive(Debug)]
#[must_use = "an account that is not settled leaves its message unacknowledged"]
pub struct Delivery {
    ledger: Arc<Ledger>,
    /// `None` at QoS 0, where there is nothing to acknowledge.
    ack: Option<(Arc<Acks>, DeliveryTag)>,
}

impl Delivery {
    /// Opens the account of a message that just came.
    pub fn open(ledger: &Arc<Ledger>, ack: Option<(&Arc<Acks>, DeliveryTag)>) -> Self {
        ledger.received.inc();
        Self {
            ledger: ledger.clone(),
            ack: ack.map(|(acks, tag)| (acks.clone(), tag)),
        }
    }

    /// Counts the outcome and acknowledges the message.
    pub fn settle(self, outcome: Settled) {
        self.ledger.settled[outcome as usize].inc();
        if let Some((acks, tag)) = self.ack {
            acks.add(tag);
        }
    }
}
