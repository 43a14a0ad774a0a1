//! A result or dead letter on its way out, with the message that waits for it.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use crds::template::Values;
use message::{Message, Settled};

/// What is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What the model returned.
    Result,
    /// What is said of a message that was not processed.
    DeadLetter,
}

impl Kind {
    fn settled(self) -> Settled {
        match self {
            Self::Result => Settled::Published,
            Self::DeadLetter => Settled::DeadLettered,
        }
    }
}

/// A message whose outcome is known.
#[derive(Debug)]
pub struct Origin {
    /// The message.
    pub message: Message,
    /// The device that it is about.
    pub device: Arc<str>,
}

/// Ends the messages of one model.
pub trait Account: fmt::Debug + Send + Sync {
    /// The model's name.
    fn model(&self) -> &str;

    /// Ends a message whose outcome is final.
    fn settle(&self, message: Message, settled: Settled);

    /// A sink refused a result for good. The dead letter that takes its place, if there is one.
    fn refused(
        self: Arc<Self>,
        kind: Kind,
        origin: Origin,
        reason: String,
    ) -> Option<OutboundResult>;
}

/// One hold on a result. Its message is settled when every hold is confirmed; one that is dropped instead leaves the
/// message open, and its source delivers it again.
#[derive(Debug)]
#[must_use = "a hold that is not confirmed leaves its message unacknowledged"]
pub struct OutboundResult {
    open: Arc<Open>,
}

#[derive(Debug)]
struct Open {
    account: Arc<dyn Account>,
    kind: Kind,
    rule: usize,
    payload: Bytes,
    size: usize,
    finished: Instant,
    device: Arc<str>,
    topic: Arc<str>,
    hops: u8,
    holds: AtomicUsize,
    /// `None` once the message is settled.
    origin: Mutex<Option<Origin>>,
}

impl OutboundResult {
    /// The first hold on a result of `origin`.
    pub fn new(account: Arc<dyn Account>, kind: Kind, origin: Origin, payload: Bytes) -> Self {
        let telemetry = &origin.message.telemetry;
        Self {
            open: Arc::new(Open {
                account,
                kind,
                rule: telemetry.rule,
                size: payload.len() + telemetry.size(),
                payload,
                finished: Instant::now(),
                device: origin.device.clone(),
                topic: telemetry.topic.clone(),
                hops: telemetry.attributes.hops.saturating_add(1),
                holds: AtomicUsize::new(1),
                origin: Mutex::new(Some(origin)),
            }),
        }
    }

    /// A further hold, for a sink that confirms later.
    pub fn hold(&self) -> Self {
        self.open.holds.fetch_add(1, Ordering::Relaxed);
        Self {
            open: self.open.clone(),
        }
    }

    /// Result or dead letter.
    pub fn kind(&self) -> Kind {
        self.open.kind
    }

    /// Index of its rule.
    pub fn rule(&self) -> usize {
        self.open.rule
    }

    /// What it is about.
    pub fn values(&self) -> Values<'_> {
        Values {
            device: &self.open.device,
            model: self.open.account.model(),
            topic: &self.open.topic,
        }
    }

    /// How many models have handled what it was made of.
    pub fn hops(&self) -> u8 {
        self.open.hops
    }

    /// What goes out.
    pub fn payload(&self) -> &Bytes {
        &self.open.payload
    }

    /// Bytes that it keeps in memory, for the bounds of queues.
    pub fn size(&self) -> usize {
        self.open.size
    }

    /// When the outcome was there.
    pub fn finished(&self) -> Instant {
        self.open.finished
    }

    /// Ends this hold; the last one settles the message.
    pub fn confirm(self) {
        if self.open.holds.fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(origin) = self.take_origin()
        {
            let settled = self.open.kind.settled();
            self.open.account.settle(origin.message, settled);
        }
    }

    /// Gives a further hold back, as if it had not been taken.
    pub fn release(self) {
        self.open.holds.fetch_sub(1, Ordering::AcqRel);
    }

    /// A sink will never take it: the message ends here, whatever other sinks say. The dead letter that takes its place in
    /// this sink, if there is one.
    pub fn refuse(self, reason: String) -> Option<Self> {
        let origin = self.take_origin()?;
        self.open
            .account
            .clone()
            .refused(self.open.kind, origin, reason)
    }

    fn take_origin(&self) -> Option<Origin> {
        let mut origin = self.open.origin.lock();
        origin.as_mut().map_or_else(
            |error| PoisonError::get_mut(error).take(),
            |origin| origin.take(),
        )
    }
}
