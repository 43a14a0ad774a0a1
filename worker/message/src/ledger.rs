//! The ledger of one model: the counters of its messages.
//!
//! `received = published + unmatched + empty + failed + dead_lettered + dropped + in_flight` holds at every moment,
//! because only a [`Delivery`](crate::Delivery) counts: `received` when it is opened, exactly one of the others when it
//! is settled.

use prometheus::IntCounter;

/// How a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Settled {
    /// Its result was acknowledged by the broker (written to it, at QoS 0).
    Published,
    /// No device of the model matched.
    Unmatched,
    /// The model returned `None`.
    Empty,
    /// It could not be processed, and the rule has no dead-letter topic.
    Failed,
    /// It could not be processed and was published to the dead-letter topic.
    DeadLettered,
    /// A full queue dropped it, as `onFull` says.
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

    /// Counts a message that was read.
    pub(crate) fn open(&self) {
        self.received.inc();
    }

    /// Counts the end of a message.
    pub(crate) fn settle(&self, outcome: Settled) {
        self.settled[outcome as usize].inc();
    }

    /// Messages that were read.
    pub fn received(&self) -> u64 {
        self.received.get()
    }

    /// Messages with this outcome.
    pub fn settled(&self, outcome: Settled) -> u64 {
        self.settled[outcome as usize].get()
    }

    /// Messages whose outcome is still open. Never negative: outcomes are read before `received`.
    pub fn in_flight(&self) -> u64 {
        let settled: u64 = self.settled.iter().map(IntCounter::get).sum();
        self.received.get().saturating_sub(settled)
    }
}
