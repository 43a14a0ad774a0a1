//! An edge node that loses its cloud: models go on, and come back from their verified copies with nothing but the
//! broker.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::bed::{Files, MODEL};
use crate::load::{Load, RATE};

use super::Scene;

/// Results by which a model is known to serve.
const SOME: usize = 100;

/// What must be the same objects after the cloud's return as before it went.
const KEPT: &str = "deployments,replicasets,pods,services,configmaps";

pub(super) async fn run(scene: &mut Scene) -> anyhow::Result<()> {
    let load = scene.load(RATE).await?;
    load.more(SOME, Instant::now()).await?;

    worker_dies(scene, &load).await?;
    // The kubelet puts off the next start of a container that ended twice; what follows happens to a new worker.
    update_model(scene, &load).await?;
    node_dies(scene, &load).await?;

    let tally = load.finish().await?;
    scene
        .report
        .change("the cloud away, worker, runtime and node ended", &tally);
    tally.nothing_lost()
}

/// A worker ends, and soon after once more.
async fn worker_dies(scene: &mut Scene, load: &Load) -> anyhow::Result<()> {
    let name = scene.sample.name.clone();
    let worker = scene.bed.until_serving(&name, 1).await?.remove(0);
    cut_off(scene)?;
    load.more(SOME, Instant::now())
        .await
        .context("without its API server, the model does not serve on")?;
    for what in ["worker killed", "worker killed once more"] {
        let killed = kill_worker(scene, &worker.uid)?;
        let time = load.more(SOME, killed).await;
        let time =
            time.with_context(|| format!("{what}: it does not come back without the cloud"))?;
        report(scene, what, time);
    }
    scene.bed.control_plane.restart_apiserver().await
}

/// The cloud is back: the model is updated.
async fn update_model(scene: &mut Scene, load: &Load) -> anyhow::Result<()> {
    scene.files = Some(Files::serve(scene.bed.models.path().to_owned()).await?);
    let source = MODEL.replace("VERSION", "edge");
    let packed = scene.bed.models.pack("edge", &source)?;
    scene.serve("edge", &packed)?;
    scene.apply().await?;
    load.until_version("edge").await?;
    let name = scene.sample.name.clone();
    scene.bed.until_serving(&name, 1).await.map(drop)
}

/// The container runtime ends with all containers, then the node.
async fn node_dies(scene: &mut Scene, load: &Load) -> anyhow::Result<()> {
    let name = scene.sample.name.clone();
    let before = scene.bed.wanted(KEPT).await?;
    let deployment = scene.bed.deployment(&name).await?;
    cut_off(scene)?;

    let since = scene.bed.restart_containerd().await?;
    let time = load.more(SOME, since).await;
    let time = time.context("pods do not come back without the cloud")?;
    report(scene, "containerd and all containers killed", time);

    let since = scene.bed.reboot().await?;
    let time = load.more(SOME, since).await;
    let time = time.context("pods do not come back after a reboot without the cloud")?;
    report(scene, "node rebooted", time);

    let back = Instant::now();
    scene.bed.control_plane.restart_apiserver().await?;
    scene.bed.until_operator_looked(&scene.sample).await?;
    scene.bed.until_serving(&name, 1).await?;
    let time = load.more(SOME, back).await?;
    report(scene, "the cloud comes back", time);
    let after = scene.bed.wanted(KEPT).await?;
    let missing: Vec<_> = before
        .iter()
        .filter(|one| !after.contains_key(one.0))
        .collect();
    let new: Vec<_> = after
        .iter()
        .filter(|one| !before.contains_key(one.0))
        .collect();
    anyhow::ensure!(
        missing.is_empty() && new.is_empty(),
        "missing: {missing:?}, new: {new:?}"
    );
    let now = scene.bed.deployment(&name).await?;
    let rolled = |deployment: &Value| deployment["metadata"]["generation"].clone();
    anyhow::ensure!(
        rolled(&deployment) == rolled(&now),
        "{deployment:#} became {now:#}"
    );
    Ok(())
}

fn report(scene: &mut Scene, what: &str, time: Duration) {
    let report = &mut scene.report;
    report.time(&format!("{what}: without results"), time);
}

/// Takes the API server and the model server away.
fn cut_off(scene: &mut Scene) -> anyhow::Result<()> {
    scene.files = None;
    scene.bed.control_plane.kill_apiserver()
}

fn kill_worker(scene: &Scene, uid: &str) -> anyhow::Result<Instant> {
    let processes = scene.bed.processes(uid)?;
    let worker = processes.iter().find(|(_, line)| line.contains(" run "));
    let (pid, _) = worker.with_context(|| format!("no worker among {processes:?}"))?;
    kill_process(*pid, Signal::KILL)?;
    Ok(Instant::now())
}
