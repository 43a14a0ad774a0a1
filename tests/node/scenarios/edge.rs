//! An edge node that loses its cloud: models go on, and come back from their verified copies with nothing but the
//! broker.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::load::RATE;

use super::Scene;

/// Results by which a model is known to serve.
const SOME: usize = 100;

/// How long a rebooted node is left without its API server, to see what it does alone.
const AWAY: Duration = Duration::from_secs(10);

pub(super) async fn run(scene: &mut Scene) -> anyhow::Result<()> {
    let name = scene.sample.name.clone();
    let before = scene.bed.until_serving(&name, 1).await?;
    let deployment = scene.bed.deployment(&name).await?;
    let load = scene.load(RATE).await?;
    load.more(SOME, Instant::now()).await?;

    scene.bed.control_plane.kill_apiserver()?;
    // Nobody to fetch the model from either.
    scene.files = None;
    load.more(SOME, Instant::now())
        .await
        .context("without its API server, the model does not serve on")?;

    kill_worker(scene, &before[0].uid)?;
    let time = load.more(SOME, Instant::now()).await;
    let time =
        time.context("a worker that was killed does not come back without the API server")?;
    let report = &mut scene.report;
    report.time("worker killed, no API server: without results", time);

    let since = scene.bed.restart_containerd().await?;
    let time = load.more(SOME, since).await;
    let time = time.context("pods do not come back without the API server")?;
    let report = &mut scene.report;
    report.time(
        "containerd and all containers killed, no API server: without results",
        time,
    );

    // A kubelet that starts knows no pods until its API server tells it; KubeEdge's keeps them on disk.
    scene.bed.reboot().await?;
    let before_cloud = load.answered();
    tokio::time::sleep(AWAY).await;
    let alone = load.answered() - before_cloud;
    let report = &mut scene.report;
    report.count(
        "node rebooted, no API server: results in the 10 s after",
        alone,
    );
    scene.bed.control_plane.restart_apiserver().await?;
    let time = load.more(SOME, Instant::now()).await;
    let time = time.context("pods do not come back after a reboot")?;
    let report = &mut scene.report;
    report.time(
        "node rebooted: without results after the API server's return",
        time,
    );

    scene.bed.until_operator_looked(&scene.sample).await?;
    let after = scene.bed.until_serving(&name, 1).await?;
    anyhow::ensure!(
        before[0].uid == after[0].uid,
        "{before:#?} became {after:#?}"
    );
    let now = scene.bed.deployment(&name).await?;
    let rolled = |deployment: &Value| deployment["metadata"]["generation"].clone();
    anyhow::ensure!(
        rolled(&deployment) == rolled(&now),
        "{deployment:#} became {now:#}"
    );
    let tally = load.finish().await?;
    scene
        .report
        .change("the cloud away, worker, runtime and node ended", &tally);
    tally.nothing_lost()
}

fn kill_worker(scene: &Scene, uid: &str) -> anyhow::Result<()> {
    let processes = scene.bed.processes(uid)?;
    let worker = processes.iter().find(|(_, line)| line.contains(" run "));
    let (pid, _) = worker.with_context(|| format!("no worker among {processes:?}"))?;
    Ok(kill_process(*pid, Signal::KILL)?)
}
