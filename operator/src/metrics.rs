//! The operator's metrics.

mod example;
mod statuses;

use std::time::Duration;

use crds::status::RuntimeStatus;
use prometheus::core::Collector;
use prometheus::{
    Encoder as _, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};

use statuses::Statuses;

/// Counters and gauges; names and meanings are in [`Metrics::default`].
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    reconciles: IntCounterVec,
    duration: Histogram,
    writes: IntCounterVec,
    watch_errors: IntCounter,
    leader: IntGauge,
    runtimes: IntGauge,
    statuses: Statuses,
}

impl Default for Metrics {
    fn default() -> Self {
        let registry = Registry::new();
        Self {
            reconciles: register(
                &registry,
                IntCounterVec::new(
                    Opts::new(
                        "edgemodel_operator_reconciles_total",
                        "Reconciles, by result: ok, or the step that failed (read, apply, status).",
                    ),
                    &["result"],
                ),
            ),
            duration: register(
                &registry,
                Histogram::with_opts(HistogramOpts::new(
                    "edgemodel_operator_reconcile_duration_seconds",
                    "Duration of a reconcile.",
                )),
            ),
            writes: register(
                &registry,
                IntCounterVec::new(
                    Opts::new(
                        "edgemodel_operator_writes_total",
                        "Writes to the API server, by kind, verb (create, patch, delete, status) and result (ok, error).",
                    ),
                    &["kind", "verb", "result"],
                ),
            ),
            watch_errors: register(
                &registry,
                IntCounter::new(
                    "edgemodel_operator_watch_errors_total",
                    "Watches that failed and were restarted.",
                ),
            ),
            leader: register(
                &registry,
                IntGauge::new("edgemodel_operator_leader", "1 while this operator leads."),
            ),
            runtimes: register(
                &registry,
                IntGauge::new(
                    "edgemodel_operator_runtimes",
                    "Runtimes that this operator knows.",
                ),
            ),
            statuses: register(&registry, Ok(Statuses::default())),
            registry,
        }
    }
}

impl Metrics {
    /// A reconcile that ended.
    pub fn reconciled(&self, result: &str, took: Duration) {
        self.reconciles.with_label_values(&[result]).inc();
        self.duration.observe(took.as_secs_f64());
    }

    /// A write that was tried.
    pub fn write(&self, kind: &str, verb: &str, ok: bool) {
        let result = if ok { "ok" } else { "error" };
        self.writes.with_label_values(&[kind, verb, result]).inc();
    }

    /// A watch that failed.
    pub fn watch_error(&self) {
        self.watch_errors.inc();
    }

    /// Whether this operator leads.
    pub fn set_leader(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// How many runtimes there are.
    pub fn set_runtimes(&self, count: usize) {
        self.runtimes.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// What the status of a runtime says now.
    pub fn observed(&self, namespace: &str, name: &str, status: &RuntimeStatus) {
        self.statuses.put(namespace, name, status);
    }

    /// From now on, runtimes of whose namespace and name `exists` says no are left out.
    pub fn follow(&self, exists: impl Fn(&str, &str) -> bool + Send + 'static) {
        self.statuses.follow(exists);
    }

    /// All of them in Prometheus' text format.
    pub fn render(&self) -> Vec<u8> {
        let mut text = Vec::new();
        // Writing to memory does not fail.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        text
    }
}

#[expect(
    clippy::expect_used,
    reason = "names and labels are constants, tested by every start"
)]
fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: prometheus::Result<C>,
) -> C {
    let collector = collector.expect("the name and labels are legal");
    registry
        .register(Box::new(collector.clone()))
        .expect("the name is used once");
    collector
}

#[cfg(test)]
mod tests;
