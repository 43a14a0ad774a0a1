//! What one device of a model did: counters without a lock, since each message writes them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ledger::Settled;

/// No outcome yet.
const NONE: u64 = u64::MAX;

/// Longest text of an error that is kept, in characters: a device has one, and a model has many devices.
const TEXT: usize = 200;

/// The messages of one device. As in the ledger, each counts once when it is matched, and once when it is settled.
#[derive(Debug)]
pub struct DeviceTally {
    name: Arc<str>,
    /// When it was seen first, in milliseconds since 1970.
    first: u64,
    seen: AtomicU64,
    received: AtomicU64,
    settled: [AtomicU64; Settled::ALL.len()],
    /// Index of the last outcome.
    last: AtomicU64,
    /// Messages received until the last two marks, the older one first.
    marks: [AtomicU64; 2],
    forgotten: AtomicBool,
    error: Mutex<Option<DeviceError>>,
}

/// Why the last message of a device that failed was not processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceError {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// A fixed word.
    pub reason: &'static str,
    /// Its beginning.
    pub message: String,
}

impl DeviceTally {
    /// That of a device which is seen for the first time.
    pub(crate) fn new(name: Arc<str>, now: u64) -> Self {
        Self {
            name,
            first: now,
            seen: AtomicU64::new(now),
            received: AtomicU64::new(0),
            settled: Settled::ALL.map(|_| AtomicU64::new(0)),
            last: AtomicU64::new(NONE),
            marks: [AtomicU64::new(0), AtomicU64::new(0)],
            forgotten: AtomicBool::new(false),
            error: Mutex::new(None),
        }
    }

    /// Counts a message that matched.
    pub(crate) fn see(&self, now: u64) {
        self.received.fetch_add(1, Ordering::Relaxed);
        self.seen.store(now, Ordering::Relaxed);
    }

    /// Counts the outcome of one.
    pub(crate) fn settle(&self, outcome: Settled) {
        self.settled[outcome as usize].fetch_add(1, Ordering::Relaxed);
        self.last.store(outcome as u64, Ordering::Relaxed);
    }

    /// Remembers why a message failed.
    pub fn fail(&self, at: u64, reason: &'static str, message: &str) {
        let message = message.chars().take(TEXT).collect();
        // Nothing panics while it holds the lock.
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(DeviceError {
            at,
            reason,
            message,
        });
    }

    /// Begins another period for the rate.
    pub(crate) fn mark(&self) {
        let [older, newer] = &self.marks;
        older.store(newer.load(Ordering::Relaxed), Ordering::Relaxed);
        newer.store(self.received(), Ordering::Relaxed);
    }

    /// Messages since the older of the last two marks.
    pub(crate) fn since_mark(&self) -> u64 {
        let older = self.marks[0].load(Ordering::Relaxed);
        self.received().saturating_sub(older)
    }

    /// Not kept any more: what is seen of the device counts from now on elsewhere.
    pub(crate) fn forget(&self) {
        self.forgotten.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_forgotten(&self) -> bool {
        self.forgotten.load(Ordering::Relaxed)
    }

    /// The device.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// When it was seen first, in milliseconds since 1970.
    pub fn first_seen(&self) -> u64 {
        self.first
    }

    /// When it was seen last, in milliseconds since 1970.
    pub fn last_seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }

    /// Messages that matched.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Messages with this outcome.
    pub fn settled(&self, outcome: Settled) -> u64 {
        self.settled[outcome as usize].load(Ordering::Relaxed)
    }

    /// How the last message that is settled ended.
    pub fn last_outcome(&self) -> Option<Settled> {
        let last = usize::try_from(self.last.load(Ordering::Relaxed)).ok()?;
        Settled::ALL.get(last).copied()
    }

    /// Why the last message that failed did.
    pub fn last_error(&self) -> Option<DeviceError> {
        let error = self.error.lock();
        error.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_what_came_and_how_it_ended() {
        let tally = DeviceTally::new("press".into(), 5);
        assert_eq!(tally.last_outcome(), None);
        for (now, outcome) in [(10, Settled::Published), (20, Settled::Failed)] {
            tally.see(now);
            tally.settle(outcome);
        }
        tally.see(30);
        assert_eq!(
            (tally.first_seen(), tally.last_seen(), tally.received()),
            (5, 30, 3)
        );
        assert_eq!(tally.settled(Settled::Published), 1);
        assert_eq!(tally.last_outcome(), Some(Settled::Failed));
    }

    #[test]
    fn of_a_long_error_the_beginning_is_kept() {
        let tally = DeviceTally::new("press".into(), 0);
        tally.fail(7, "exception", &"设".repeat(10_000));
        let error = tally.last_error().unwrap();
        assert_eq!((error.at, error.reason), (7, "exception"));
        assert_eq!(error.message, "设".repeat(TEXT));
    }

    #[test]
    fn the_rate_counts_from_the_mark_before_the_last() {
        let tally = DeviceTally::new("press".into(), 0);
        for expected in [2, 4, 4, 4] {
            tally.see(0);
            tally.see(0);
            assert_eq!(tally.since_mark(), expected);
            tally.mark();
        }
    }
}
