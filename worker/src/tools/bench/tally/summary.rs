//! The outcome of a run, as text and JSON show it.

use serde::Serialize;

/// How results were found to belong to messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MatchedBy {
    /// By the message's time in them.
    Number,
    /// By their order, since they hold no times: duplicates and order cannot be told.
    Order,
    /// There were none.
    Nothing,
}

/// The outcome of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Messages that were published.
    pub sent: u64,
    /// Messages that the broker refused.
    pub refused: u64,
    /// Results received, including duplicates.
    pub results: u64,
    /// Messages with a dead letter.
    pub dead_lettered: u64,
    /// Messages without a result or a dead letter: lost, or the model returned nothing.
    pub missing: u64,
    /// Duplicate results.
    pub duplicates: u64,
    /// Results received after one of a later message of the same device.
    pub out_of_order: u64,
    /// Results of messages from other runs.
    pub others: u64,
    /// How results were found to belong to messages.
    pub matched_by: MatchedBy,
    /// From the first message to the last result.
    pub seconds: f64,
    /// Results in each of them.
    pub results_per_second: f64,
    /// Times from publishing, or from when it was due, to the result, in milliseconds.
    pub p50_ms: Option<f64>,
    /// See [`Self::p50_ms`].
    pub p99_ms: Option<f64>,
    /// See [`Self::p50_ms`].
    pub p999_ms: Option<f64>,
}
