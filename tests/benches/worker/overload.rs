//! Twice as many messages as the worker can take: they must wait at the broker, not in its memory.

use std::time::{Duration, Instant};

use tests::mosquitto::Mosquitto;

use crate::contender::Contender;
use crate::load;
use crate::stages::gauge;
use crate::usage;

/// A model with a pace of its own, so that load and broker have room to be twice as fast.
const MODEL: &str = "
import time
def handler(event, context):
    time.sleep(0.0005)
    return {'n': event['telemetry']['ts']}
";

/// Between two looks at the worker.
const LOOK: Duration = Duration::from_millis(250);

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Overload {
    /// Messages a second that the worker can take, and that it got.
    pub(crate) takes: f64,
    pub(crate) got: f64,
    /// Messages that were sent.
    pub(crate) sent: u64,
    /// Most that waited before the model, and how many may.
    pub(crate) depth: f64,
    pub(crate) capacity: f64,
    /// Memory in MiB when the queue was full for the first time, and the most after that.
    pub(crate) full: f64,
    pub(crate) most: f64,
    pub(crate) check: load::Check,
}

/// Measures for `seconds`.
pub(crate) async fn measure(seconds: u64) -> anyhow::Result<Overload> {
    let broker = Mosquitto::start().await?;
    let contender = Contender::worker(&broker, 1, MODEL, serde_json::json!({})).await?;
    let pid = contender.pid()?;
    let takes = load::through(&broker, 1, 1, 2_000).await?.rate;
    let got = 2.0 * takes;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some thousands"
    )]
    let sent = got as u64 * seconds;
    let (mut depth, mut capacity, mut full, mut most) = (0.0_f64, 0.0, None, 0.0_f64);
    let mut load = std::pin::pin!(load::flood(&broker, got, sent));
    let mut looks = tokio::time::interval(LOOK);
    let started = Instant::now();
    let check = loop {
        tokio::select! {
            check = &mut load => break check?,
            _ = looks.tick() => {
                let metrics = contender.running()?.get("/metrics").await?.1;
                let queue = |name: &str| {
                    gauge(&metrics, &format!("edgemodel_queue_{name}{{model=\"bench\",queue=\"pre\"}} "))
                };
                let now = queue("depth").unwrap_or(0.0);
                (depth, capacity) = (depth.max(now), queue("capacity").unwrap_or(0.0));
                let memory = usage::mebibytes(usage::memory(pid)?);
                if full.is_none() && now >= capacity {
                    full = Some(memory);
                }
                if full.is_some() {
                    most = most.max(memory);
                }
            }
        }
    };
    eprintln!("  overload took {:.1} s", started.elapsed().as_secs_f64());
    contender.stop().await?;
    Ok(Overload {
        takes,
        got,
        sent,
        depth,
        capacity,
        full: full.unwrap_or(f64::NAN),
        most,
        check,
    })
}
