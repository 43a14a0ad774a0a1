//! Where a message's time goes inside the worker, by its own metrics.

use crate::contender::Contender;

/// The worker's stages, in the order in which a message passes them; the last is the whole.
pub(crate) const STAGES: [&str; 4] = ["match", "call", "publish", "total"];

/// Seconds and messages of each stage so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stages([(f64, f64); STAGES.len()]);

impl Stages {
    /// Of a worker; the others do not tell.
    pub(crate) async fn scrape(contender: &Contender) -> anyhow::Result<Option<Self>> {
        let Ok(worker) = contender.running() else {
            return Ok(None);
        };
        let metrics = worker.get("/metrics").await?.1;
        let value = |what: &str, stage: &str| {
            let name = format!(
                "edgemodel_stage_duration_seconds_{what}{{model=\"bench\",stage=\"{stage}\"}} "
            );
            gauge(&metrics, &name).unwrap_or(0.0)
        };
        Ok(Some(Self(STAGES.map(|stage| {
            (value("sum", stage), value("count", stage))
        }))))
    }

    /// Microseconds that a message spent in each stage since `before`.
    pub(crate) fn since(self, before: Self) -> [f64; STAGES.len()] {
        std::array::from_fn(|index| {
            let (seconds, count) = self.0[index];
            let (seconds_before, count_before) = before.0[index];
            (seconds - seconds_before) * 1e6 / (count - count_before).max(1.0)
        })
    }
}

/// The value of the series that begins with `name`.
pub(crate) fn gauge(metrics: &str, name: &str) -> Option<f64> {
    metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}
