//! What those who count hold: handles of one model, session or sink.

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge};

/// The handles of one model.
#[derive(Debug, Clone)]
pub struct ModelMetrics {
    pub(super) failures: IntCounterVec,
    pub(super) model: String,
    pub(super) dropped: IntCounterVec,
    pub(super) misses: IntCounterVec,
    /// What its hosts count.
    pub hosts: hosts::Metrics,
    /// Time in the matcher.
    pub match_seconds: Histogram,
    /// From the result to the broker's acknowledgement.
    pub publish_seconds: Histogram,
    /// From receipt to the final outcome.
    pub total_seconds: Histogram,
    /// Publications that took longer than the rule's timeout and are still tried.
    pub publish_timeouts: IntCounter,
    /// Messages that reached no model, by why.
    pub discarded: Discarded,
}

/// Messages that were discarded before they were matched. They are acknowledged, and not in the ledger.
#[derive(Debug, Clone)]
pub struct Discarded {
    /// Larger than the packet limit.
    pub oversized: IntCounter,
    /// They broke the protocol's standard.
    pub malformed: IntCounter,
    /// No subscription asked for them.
    pub unasked: IntCounter,
    /// They were retained, and the rule ignores those.
    pub retained: IntCounter,
}

/// The handles of one kind of sink for readers that come and go.
#[derive(Debug, Clone)]
pub struct LiveMetrics {
    /// Its readers.
    pub clients: IntGauge,
    /// Results that a slow reader did not get.
    pub dropped: IntCounter,
}

/// The handles of one session.
#[derive(Debug, Clone)]
pub struct SessionMetrics {
    /// 1 while connected.
    pub connected: IntGauge,
    /// Connections lost or not made.
    pub reconnects: IntCounter,
}

impl ModelMetrics {
    /// Messages that failed for `reason`.
    pub fn failed(&self, reason: &str) -> IntCounter {
        self.failures.with_label_values(&[&self.model, reason])
    }

    /// Messages dropped by `policy`.
    pub fn dropped(&self, policy: &str) -> IntCounter {
        self.dropped.with_label_values(&[&self.model, policy])
    }

    /// Attributes that could not be compared for `reason`.
    pub fn misses(&self, reason: &str) -> IntCounter {
        self.misses.with_label_values(&[&self.model, reason])
    }
}
