//! What hosts count, as Prometheus metrics.

use crds::contract::metric;
use prometheus::{
    Gauge, GaugeVec, Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

use crate::program::Program;
use crate::sandbox::kernel::Part;
use crate::status::HostStatus;

/// The metric families of all models' hosts.
#[derive(Debug, Clone)]
pub struct Families {
    ready: IntGaugeVec,
    info: IntGaugeVec,
    restarts: IntCounterVec,
    retries: IntCounterVec,
    output_lines: IntCounterVec,
    batch_failures: IntCounterVec,
    utilization: GaugeVec,
    memory: IntGaugeVec,
    quarantined: IntGaugeVec,
    sandbox_missing: IntGaugeVec,
}

/// The handles of one model's hosts.
#[derive(Debug, Clone)]
pub struct Metrics {
    model: String,
    info: IntGaugeVec,
    restarts: IntCounterVec,
    output_lines: IntCounterVec,
    sandbox_missing: IntGaugeVec,
    /// Batches that failed.
    pub(crate) batch_failures: IntCounter,
    /// Calls that raised and are repeated.
    pub(crate) retries: IntCounter,
    /// Hosts that are ready.
    pub(crate) ready: IntGauge,
    /// Time of one call of the model.
    pub(crate) call_seconds: Histogram,
    /// See `busy`.
    pub(crate) utilization: Gauge,
}

impl Families {
    /// Registers all families.
    ///
    /// # Errors
    /// A name is taken.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let counters = |name, help, labels: &[&str]| {
            let family = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(family.clone()))?;
            Ok::<_, prometheus::Error>(family)
        };
        let gauges = |name, help, labels: &[&str]| {
            let family = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(family.clone()))?;
            Ok::<_, prometheus::Error>(family)
        };
        let utilization = GaugeVec::new(
            Opts::new(
                metric::MODEL_UTILIZATION,
                "Part of the last 30 seconds, 0 to 1, in which the model's processes did not wait for messages.",
            ),
            &["model"],
        )?;
        registry.register(Box::new(utilization.clone()))?;
        Ok(Self {
            ready: gauges(
                "edgemodel_hosts",
                "Model host processes that are ready.",
                &["model"],
            )?,
            info: gauges(
                "edgemodel_host_info",
                "Model host processes that are ready, by host (native or portable), implementation and version of Python.",
                &["model", "host", "implementation", "python"],
            )?,
            restarts: counters(
                "edgemodel_host_restarts_total",
                "Model host processes replaced, by reason.",
                &["model", "reason"],
            )?,
            retries: counters(
                "edgemodel_model_retries_total",
                "Calls of the model that raised and are repeated (funcs[].retry).",
                &["model"],
            )?,
            output_lines: counters(
                "edgemodel_model_output_lines_total",
                "Lines that a model printed: logged, or suppressed when there were too many.",
                &["model", "outcome"],
            )?,
            batch_failures: counters(
                "edgemodel_batch_failures_total",
                "Batches for which handler_batch raised or did not return one result for each event; their messages are retried one by one.",
                &["model"],
            )?,
            utilization,
            memory: gauges(
                "edgemodel_host_resident_memory_bytes",
                "Resident memory of a model's host processes.",
                &["model"],
            )?,
            quarantined: gauges(
                "edgemodel_quarantined_devices",
                "Quarantined devices: their messages repeatedly ended model hosts.",
                &["model"],
            )?,
            sandbox_missing: gauges(
                "edgemodel_sandbox_missing",
                "1 for each part of the model's sandbox that the kernel or the container engine lacks: files, signals, calls.",
                &["model", "part"],
            )?,
        })
    }

    /// The handles of a model; its series exist from now on.
    pub fn model(&self, model: &str, call_seconds: Histogram) -> Metrics {
        Metrics {
            model: model.to_owned(),
            info: self.info.clone(),
            restarts: self.restarts.clone(),
            retries: self.retries.with_label_values(&[model]),
            output_lines: self.output_lines.clone(),
            sandbox_missing: self.sandbox_missing.clone(),
            batch_failures: self.batch_failures.with_label_values(&[model]),
            ready: self.ready.with_label_values(&[model]),
            call_seconds,
            utilization: self.utilization.with_label_values(&[model]),
        }
    }

    /// Sets the gauges that are only read at scrape.
    pub fn scrape(&self, model: &str, hosts: &[HostStatus]) {
        let quarantined: usize = hosts.iter().map(|host| host.quarantined.len()).sum();
        let memory: u64 = hosts.iter().filter_map(|host| host.resident_bytes).sum();
        let set = |family: &IntGaugeVec, value: Option<i64>| {
            family
                .with_label_values(&[model])
                .set(value.unwrap_or(i64::MAX));
        };
        set(&self.quarantined, i64::try_from(quarantined).ok());
        set(&self.memory, i64::try_from(memory).ok());
    }

    /// Makes one series of each family, so that a registry without models shows all of them.
    pub fn example(&self) {
        let Self {
            ready,
            info,
            restarts,
            retries,
            output_lines,
            batch_failures,
            utilization,
            memory,
            quarantined,
            sandbox_missing,
        } = self;
        for family in [ready, memory, quarantined] {
            let _ = family.with_label_values(&["x"]);
        }
        for family in [restarts, output_lines] {
            let _ = family.with_label_values(&["x", "x"]);
        }
        let _ = sandbox_missing.with_label_values(&["x", "x"]);
        let _ = batch_failures.with_label_values(&["x"]);
        let _ = retries.with_label_values(&["x"]);
        let _ = info.with_label_values(&["x"; 4]);
        let _ = utilization.with_label_values(&["x"]);
    }
}

impl Metrics {
    /// Hosts of a program that are ready.
    pub(crate) fn info(&self, program: &Program) -> IntGauge {
        let (kind, implementation) = (program.kind().as_str(), program.implementation());
        self.info
            .with_label_values(&[&*self.model, kind, implementation, program.version()])
    }

    /// Hosts replaced for `reason`.
    pub(crate) fn restarts(&self, reason: &str) -> IntCounter {
        self.restarts.with_label_values(&[&self.model, reason])
    }

    /// Whether the model's sandbox lacks a part.
    pub(crate) fn sandbox_missing(&self, part: Part) -> IntGauge {
        self.sandbox_missing
            .with_label_values(&[&*self.model, part.as_str()])
    }

    /// Lines that the model printed and that were `logged` or `suppressed`.
    pub(crate) fn output_lines(&self, outcome: &str) -> IntCounter {
        self.output_lines.with_label_values(&[&self.model, outcome])
    }
}
