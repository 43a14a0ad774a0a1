//! The state of the worker: written by the data path, read by HTTP.

mod exchange;
mod exchanges;
mod gate;
mod last_errors;
mod model;
mod probe;
mod session;
mod unmatched;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crds::ValidatedRuntime;

use crate::audience::Audience;
use crate::metrics::Metrics;
use crate::undecodable::Undecodable;

use model::Readiness;

pub use exchange::Exchange;
pub use model::{ModelState, ModelView};
pub use probe::{Probe, Queues};
pub use session::SessionView;
pub use unmatched::Example;

pub(crate) use last_errors::without_data;

/// State shared between the data path and HTTP.
#[derive(Debug)]
pub struct Shared {
    /// All metrics.
    pub metrics: Metrics,
    models: Vec<Arc<ModelView>>,
    rules: Vec<Arc<Undecodable>>,
    stopping: AtomicBool,
    started: jiff::Timestamp,
}

impl Shared {
    /// The state of a worker that starts with this configuration.
    pub fn new(runtime: &ValidatedRuntime) -> Arc<Self> {
        let metrics = Metrics::new();
        let models = runtime
            .funcs
            .iter()
            .map(|func| Arc::new(ModelView::new(func, metrics.ledger(&func.name))))
            .collect();
        let rules = runtime.rules.iter().enumerate();
        let rules = rules
            .map(|(index, rule)| Undecodable::new(index, rule, metrics.undecodable(index)).into())
            .collect();
        Arc::new(Self {
            metrics,
            models,
            rules,
            stopping: AtomicBool::new(false),
            started: jiff::Timestamp::now(),
        })
    }

    /// The models in the order of the configuration.
    pub fn models(&self) -> &[Arc<ModelView>] {
        &self.models
    }

    /// The rules in the order of the configuration.
    pub fn rules(&self) -> &[Arc<Undecodable>] {
        &self.rules
    }

    /// Says that the worker is going down: never ready again.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether traffic should be expected to flow: at least one model serves, none is still loading
    /// for the first time, and every session of those that serve is up.
    pub fn ready(&self) -> bool {
        let mut serving = false;
        for model in &self.models {
            match model.readiness() {
                Readiness::NotReady => return false,
                Readiness::Refused => {}
                Readiness::Ready => serving = true,
            }
        }
        serving && !self.stopping.load(Ordering::Relaxed)
    }

    /// Prometheus text, with the gauges read now.
    pub fn render_metrics(&self) -> String {
        for model in &self.models {
            let name = model.name.as_str();
            let metrics = &self.metrics;
            let in_flight = i64::try_from(model.ledger.in_flight()).unwrap_or(i64::MAX);
            metrics.in_flight.with_label_values(&[name]).set(in_flight);
            let gauge = |value| i64::try_from(value).unwrap_or(i64::MAX);
            let Queues { pre, host, post } = model.queues();
            for (queue, depth) in [("pre", pre.depth), ("host", host), ("post", post.depth)] {
                let depths = metrics.queue_depth.with_label_values(&[name, queue]);
                depths.set(gauge(depth));
            }
            for (queue, capacity) in [("pre", pre.capacity), ("post", post.capacity)] {
                let capacities = metrics.queue_capacity.with_label_values(&[name, queue]);
                capacities.set(gauge(capacity));
            }
            let hosts = &metrics.hosts;
            hosts.scrape(name, &model.hosts());
        }
        self.metrics.render()
    }

    /// The document at `/status`.
    pub fn document(&self, audience: Audience) -> serde_json::Value {
        let models = self.models.iter().map(|model| model.document(audience));
        let models: Vec<_> = models.collect();
        serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "started": self.started.to_string(),
            "ready": self.ready(),
            "stopping": self.stopping.load(Ordering::Relaxed),
            "models": models,
            "rules": self.rules.iter().map(|rule| rule.document(audience)).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
pub(crate) use tests::{example, example_runtime};

#[cfg(test)]
mod tests;
