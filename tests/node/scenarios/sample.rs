//! The sample as people install it: served, reached by the node's port, scraped, and alarming when it backs up.

use anyhow::Context as _;
use serde_json::Value;
use tests::running::get;

use super::{Scene, patiently};
use crate::bed::{Prometheus, RULES, at};

/// The one that fires when messages come faster than a model takes them.
const ALERT: &str = "EdgeModelQueueBacksUp";

pub(super) async fn run(scene: &mut Scene) -> anyhow::Result<()> {
    let name = scene.sample.name.clone();
    let port = at(scene.sample.port);
    // One of its models has a digest that cannot be read; the other serves.
    let runtime = scene.bed.get(&["emr", &name]).await?;
    let models = &runtime["status"]["models"];
    anyhow::ensure!(models[0]["ready"] == true, "{runtime:#}");
    anyhow::ensure!(models[1]["reason"] == "InvalidDigest", "{runtime:#}");

    let (code, text) =
        patiently(async || Ok(Some(get(port, "/queue_size_metrics").await?))).await?;
    anyhow::ensure!(code == 200, "{code}: {text}");
    let answer: Value = serde_json::from_str(&text)?;
    let queues = answer["queue_size_metrics"].as_array();
    let queues = queues.with_context(|| format!("no list in {text}"))?;
    anyhow::ensure!(
        queues.len() == 1 && queues[0]["pre_queue"].is_u64() && queues[0]["post_queue"].is_u64(),
        "{text}"
    );

    // A node without name server: a worker answers for itself and says whom it could not ask.
    let silent = answer["unreachable"].as_array().map_or(0, Vec::len);
    anyhow::ensure!(silent == 1, "{text}");

    let worker = scene.bed.until_serving(&name, 1).await?.remove(0);
    let memory = scene.bed.memory(&worker.uid)?;
    scene.report.bytes("worker pod, resident", memory.resident);
    scene
        .report
        .bytes("worker pod, its share", memory.proportional);
    let operator = scene.bed.operator_uid().await?;
    let memory = scene.bed.memory(&operator)?;
    scene
        .report
        .bytes("operator pod, resident", memory.resident);
    Ok(())
}

pub(super) async fn alerts(scene: &mut Scene) -> anyhow::Result<()> {
    let prometheus = Prometheus::start(&scene.bed, &impatient(RULES)).await?;
    for query in [
        "edgemodel_queue_depth{queue=\"pre\", model=\"industry\"}",
        "edgemodel_queue_depth{queue=\"post\", model=\"industry\"}",
        "edgemodel_operator_leader == 1",
        "edgemodel_operator_runtimes == 1",
    ] {
        let found = patiently(async || {
            let found = prometheus.query(query).await?;
            Ok((!found.is_empty()).then_some(found))
        });
        let found = found
            .await
            .with_context(|| format!("{query} finds nothing"))?;
        anyhow::ensure!(found.len() == 1, "{query}: {found:#?}");
    }
    let backs_up = async || -> anyhow::Result<bool> {
        let firing = prometheus.firing().await?;
        Ok(firing.iter().any(|name| name == ALERT))
    };
    anyhow::ensure!(!backs_up().await?, "the alert fires already");

    // Numbers that the model takes 50 ms for, more than its queue holds.
    let load = scene.slow_load().await?;
    patiently(async || Ok(backs_up().await?.then_some(())))
        .await
        .context("no alert fires while the model backs up")?;
    let tally = load.finish().await?;
    tally.nothing_lost()?;
    patiently(async || Ok((!backs_up().await?).then_some(())))
        .await
        .context("the alert fires on after the queue is empty")
}

/// The same rules, of which none waits for minutes.
fn impatient(rules: &str) -> String {
    let lines = rules.lines().map(|line| match line.split_once("for: ") {
        Some((indent, _)) if indent.trim().is_empty() => format!("{indent}for: 3s\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}
