//! Every metric that the worker exports, by name, with its labels and meaning.
//!
//! Labels are bounded: `model`, `rule`, `queue`, `outcome`, `reason`, `stage`, `role`;
//! never a device or a topic.

mod example;
mod handles;

use crds::contract::metric;
use message::{Ledger, Settled};
use prometheus::core::Collector;
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

pub use handles::{Discarded, LiveMetrics, ModelMetrics, SessionMetrics};

/// Bounds in seconds: from well under the cost of one message to longer than any sane model.
const SECONDS: &[f64] = &[
    0.000_01, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1,
    0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// All metric families of one worker.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    received: IntCounterVec,
    messages: IntCounterVec,
    /// Messages whose outcome is open; set at scrape.
    pub in_flight: IntGaugeVec,
    failures: IntCounterVec,
    dropped: IntCounterVec,
    /// Depth of a queue; set at scrape.
    pub queue_depth: IntGaugeVec,
    /// Bound of a queue; set at scrape.
    pub queue_capacity: IntGaugeVec,
    stages: HistogramVec,
    /// What model hosts count.
    pub hosts: hosts::Families,
    /// 1 while a session is connected (for subscriptions: and subscribed).
    connected: IntGaugeVec,
    reconnects: IntCounterVec,
    publish_timeouts: IntCounterVec,
    oversized: IntCounterVec,
    discarded: IntCounterVec,
    match_misses: IntCounterVec,
    undecodable: IntCounterVec,
    /// 1 for the installed version of a model.
    pub model_info: IntGaugeVec,
    /// 1 while a model is not served, with its reason.
    pub model_refused: IntGaugeVec,
    /// Of the `tcp://` result streams.
    pub stream: LiveMetrics,
    /// Of `/results`.
    pub event_stream: LiveMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Registers everything.
    #[expect(
        clippy::too_many_lines,
        reason = "a plain list of names, labels and meanings"
    )]
    pub fn new() -> Self {
        let registry = Registry::new();
        let counters = |name, help, labels: &[&str]| {
            register(&registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        let gauges = |name, help, labels: &[&str]| {
            register(&registry, IntGaugeVec::new(Opts::new(name, help), labels))
        };
        let build = gauges(
            "edgemodel_build_info",
            "1, with the version of this build as its label.",
            &["version"],
        );
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Self {
            received: counters(
                "edgemodel_messages_received_total",
                "Messages taken from the broker, counted for each model that they are matched for.",
                &["model"],
            ),
            messages: counters(
                "edgemodel_messages_total",
                "Messages by final outcome; received = sum of these + in flight.",
                &["model", "outcome"],
            ),
            in_flight: gauges(
                "edgemodel_messages_in_flight",
                "Messages received whose outcome is not final yet.",
                &["model"],
            ),
            failures: counters(
                "edgemodel_failures_total",
                "Messages that could not be processed or published, by reason.",
                &["model", "reason"],
            ),
            dropped: counters(
                "edgemodel_queue_dropped_total",
                "Messages that a full queue dropped, by the policy that asked for it.",
                &["model", "reason"],
            ),
            queue_depth: gauges(
                metric::QUEUE_DEPTH,
                "Messages waiting: pre and host for the model, host handed to its processes already, post for the broker.",
                &["model", "queue"],
            ),
            queue_capacity: gauges(
                "edgemodel_queue_capacity",
                "Most messages that may wait; none for host, which a size bounds, too.",
                &["model", "queue"],
            ),
            stages: register(
                &registry,
                HistogramVec::new(
                    HistogramOpts::new(
                        "edgemodel_stage_duration_seconds",
                        "Time a message spends: match, call, publish, and total from receipt to outcome.",
                    )
                    .buckets(SECONDS.to_vec()),
                    &["model", "stage"],
                ),
            ),
            hosts: hosts::Families::register(&registry)
                .expect("each name is registered once"),
            connected: gauges(
                "edgemodel_mqtt_connected",
                "1 while the session is connected (sub: and subscribed).",
                &["model", "rule", "role"],
            ),
            reconnects: counters(
                "edgemodel_mqtt_disconnects_total",
                "Connections to the broker that were lost, refused or not made.",
                &["model", "rule", "role"],
            ),
            publish_timeouts: counters(
                "edgemodel_publish_timeouts_total",
                "Results that took longer than the rule's pub.timeout to be acknowledged.",
                &["model"],
            ),
            oversized: counters(
                "edgemodel_oversized_packets_total",
                "Packets over maxPacketSize, discarded.",
                &["model"],
            ),
            discarded: counters(
                "edgemodel_discarded_messages_total",
                "Messages discarded and acknowledged: malformed (they break the MQTT standard), retained (and the rule \
                 ignores those) or unasked (of a \
                 subscription that an earlier configuration had).",
                &["model", "reason"],
            ),
            match_misses: counters(
                "edgemodel_match_misses_total",
                "Device attributes that could not be compared: missing_key or wrong_type.",
                &["model", "reason"],
            ),
            undecodable: counters(
                "edgemodel_undecodable_messages_total",
                "Messages of no device that cannot be decoded, counted once for each rule.",
                &["rule"],
            ),
            model_info: gauges(
                "edgemodel_model_info",
                "1, with the digests of the installed model as its labels.",
                &["model", "md5", "sha256"],
            ),
            model_refused: gauges(
                "edgemodel_model_refused",
                "1 while a model is not served, with the reason.",
                &["model", "reason"],
            ),
            stream: live_metrics(
                &registry,
                ("edgemodel_stream_clients", "Clients of the tcp:// result streams."),
                (
                    "edgemodel_stream_dropped_total",
                    "Results that a slow client of a tcp:// stream did not get.",
                ),
            ),
            event_stream: live_metrics(
                &registry,
                ("edgemodel_event_stream_clients", "Clients of /results on http:// ports."),
                (
                    "edgemodel_event_stream_dropped_total",
                    "Results that a slow client of /results did not get.",
                ),
            ),
            registry,
        }
    }

    /// The handles of a model; its series exist from now on.
    pub fn model(&self, model: &str) -> ModelMetrics {
        let stage = |stage| self.stages.with_label_values(&[model, stage]);
        ModelMetrics {
            failures: self.failures.clone(),
            model: model.to_owned(),
            dropped: self.dropped.clone(),
            misses: self.match_misses.clone(),
            hosts: self.hosts.model(model, stage("call")),
            match_seconds: stage("match"),
            publish_seconds: stage("publish"),
            total_seconds: self.total_seconds(model),
            publish_timeouts: self.publish_timeouts.with_label_values(&[model]),
            discarded: Discarded {
                oversized: self.oversized.with_label_values(&[model]),
                malformed: self.discarded.with_label_values(&[model, "malformed"]),
                unasked: self.discarded.with_label_values(&[model, "unasked"]),
                retained: self.discarded.with_label_values(&[model, "retained"]),
            },
        }
    }

    /// From receipt to the final outcome of a model's messages.
    pub fn total_seconds(&self, model: &str) -> Histogram {
        self.stages.with_label_values(&[model, "total"])
    }

    /// The ledger of a model over this registry's counters.
    pub fn ledger(&self, model: &str) -> Ledger {
        Ledger::new(
            self.received.with_label_values(&[model]),
            Settled::ALL.map(|outcome| self.messages.with_label_values(&[model, outcome.as_str()])),
        )
    }

    /// Messages of a rule that are of no device and cannot be decoded.
    pub fn undecodable(&self, rule: usize) -> IntCounter {
        self.undecodable.with_label_values(&[&rule.to_string()])
    }

    /// The handles of a session; `end` is `sub` or `pub`.
    pub fn session(&self, model: &str, rule: usize, end: &str) -> SessionMetrics {
        let index = rule.to_string();
        SessionMetrics {
            connected: self.connected.with_label_values(&[model, &index, end]),
            reconnects: self.reconnects.with_label_values(&[model, &index, end]),
        }
    }

    /// The Prometheus text exposition format, version 0.0.4.
    pub fn render(&self) -> String {
        let mut text = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut text)
            .expect("families come from a registry, which checked them, and a Vec takes all bytes");
        String::from_utf8_lossy(&text).into_owned()
    }
}

fn live_metrics(registry: &Registry, clients: (&str, &str), dropped: (&str, &str)) -> LiveMetrics {
    LiveMetrics {
        clients: register(registry, IntGauge::new(clients.0, clients.1)),
        dropped: register(registry, IntCounter::new(dropped.0, dropped.1)),
    }
}

fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: prometheus::Result<C>,
) -> C {
    let collector = collector.expect("names and labels are constants of this file, all valid");
    registry
        .register(Box::new(collector.clone()))
        .expect("each name of this file is used once");
    collector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_is_exported_with_its_outcomes() {
        let metrics = Metrics::new();
        let ledger = std::sync::Arc::new(metrics.ledger("m"));
        message::Delivery::open(&ledger, None).settle(Settled::Published);
        let text = metrics.render();
        assert!(
            text.contains("edgemodel_messages_received_total{model=\"m\"} 1\n"),
            "{text}"
        );
        assert!(
            text.contains("edgemodel_messages_total{model=\"m\",outcome=\"published\"} 1\n"),
            "{text}"
        );
    }
}
