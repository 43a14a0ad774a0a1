//! Changes under load: every message has its result, whatever is replaced meanwhile.

use crate::bed::{MODEL, NEXT};
use crate::load::{Load, RATE};

use super::{Scene, patiently};

/// How many results come before and after each change.
const MARGIN: usize = 200;

pub(super) async fn run(scene: &mut Scene) -> anyhow::Result<()> {
    nothing(scene).await?;
    model(scene, "second", "").await?;
    operator(scene).await?;
    image(scene).await?;
    scale(scene, 3, "").await?;
    scale(scene, 1, "").await?;
    // Brokers of version 5 say why they close a connection; those of 3.1.1 leave it to be guessed.
    let before = scene.sample.clone();
    scene.bed.delete(&before.name).await?;
    "edgemodel-five".clone_into(&mut scene.sample.name);
    scene.sample.version = Some("5");
    scene.sample.port = 38081;
    scene.apply().await?;
    scene.bed.until_serving(&scene.sample.name, 1).await?;
    model(scene, "third", ", MQTT 5").await?;
    scale(scene, 3, ", MQTT 5").await?;
    scale(scene, 1, ", MQTT 5").await
}

/// What the bed itself does to the messages.
async fn nothing(scene: &mut Scene) -> anyhow::Result<()> {
    let load = begin(scene).await?;
    end(scene, load, "none").await
}

async fn model(scene: &mut Scene, version: &str, note: &str) -> anyhow::Result<()> {
    let load = begin(scene).await?;
    let packed = scene
        .bed
        .models
        .pack(version, &MODEL.replace("VERSION", version))?;
    scene.serve(version, &packed)?;
    scene.apply().await?;
    load.until_version(version).await?;
    scene.bed.until_serving(&scene.sample.name, 1).await?;
    end(scene, load, &format!("model update{note}")).await
}

async fn operator(scene: &mut Scene) -> anyhow::Result<()> {
    let workers = scene.bed.workers(&scene.sample.name).await?;
    let load = begin(scene).await?;
    scene.bed.install_operator(NEXT).await?;
    // It has looked at the runtime.
    scene.bed.until_operator_looked(&scene.sample).await?;
    end(scene, load, "operator upgrade").await?;
    let after = scene.bed.workers(&scene.sample.name).await?;
    anyhow::ensure!(workers == after, "{workers:#?} became {after:#?}");
    Ok(())
}

async fn image(scene: &mut Scene) -> anyhow::Result<()> {
    let before = scene.bed.workers(&scene.sample.name).await?;
    let load = begin(scene).await?;
    scene.sample.spec = vec![format!("image: edgemodel-worker:{NEXT}")];
    scene.apply().await?;
    let after = scene.bed.until_serving(&scene.sample.name, 1).await?;
    anyhow::ensure!(before[0].uid != after[0].uid, "the worker was not replaced");
    end(scene, load, "worker image").await
}

async fn scale(scene: &mut Scene, count: usize, note: &str) -> anyhow::Result<()> {
    let before = scene.bed.workers(&scene.sample.name).await?.len();
    let load = begin(scene).await?;
    scene.sample.model = vec![format!("replicas: {count}")];
    scene.apply().await?;
    scene.bed.until_serving(&scene.sample.name, count).await?;
    end(scene, load, &format!("{before} to {count} workers{note}")).await
}

async fn begin(scene: &mut Scene) -> anyhow::Result<Load> {
    let load = scene.load(RATE).await?;
    until_answered(&load, MARGIN).await?;
    Ok(load)
}

async fn end(scene: &mut Scene, load: Load, what: &str) -> anyhow::Result<()> {
    until_answered(&load, load.answered() + MARGIN).await?;
    let tally = load.finish().await?;
    scene.report.change(what, &tally);
    anyhow::Context::with_context(tally.nothing_lost(), || what.to_owned())
}

async fn until_answered(load: &Load, count: usize) -> anyhow::Result<()> {
    patiently(async || Ok((load.answered() >= count).then_some(()))).await
}
