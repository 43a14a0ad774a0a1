//! Every family with all its labels: what the reference page is made of.

use std::time::Duration;

use crds::status::{Condition, ExposeStatus, ModelStatus, RuntimeStatus};

use super::Metrics;

impl Metrics {
    /// The exposition of an operator that has reconciled a runtime, in the format of `/metrics`.
    pub fn example() -> String {
        let metrics = Self::default();
        // Destructured without `..`, so that a new family does not compile until it is here too.
        let Self {
            registry: _,
            reconciles: _,
            duration: _,
            writes: _,
            watch_errors: _,
            leader: _,
            runtimes: _,
            statuses: _,
        } = &metrics;
        metrics.reconciled("ok", Duration::ZERO);
        metrics.write("Service", "patch", true);
        let status = RuntimeStatus {
            conditions: vec![Condition::default()],
            models: vec![ModelStatus::default()],
            expose: vec![ExposeStatus::default()],
            ..RuntimeStatus::default()
        };
        metrics.observed("x", "x", &status);
        String::from_utf8_lossy(&metrics.render()).into_owned()
    }
}
