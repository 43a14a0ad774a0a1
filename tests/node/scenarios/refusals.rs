//! Models that must never replace the one that serves: the status says why, and the old one goes on.

use anyhow::Context as _;
use packages::Packed;

use crate::bed::MODEL;
use crate::load::RATE;

use super::{Scene, patiently};

/// A model that must not serve.
struct Bad {
    name: &'static str,
    /// What stands before the code of the good one.
    code: &'static str,
    /// The file `samples/golden.json`.
    sample: Option<&'static str>,
    /// What the status must say.
    reason: &'static str,
}

const BAD: [Bad; 3] = [
    Bad {
        name: "fails",
        code: "raise RuntimeError('no licence for this model')",
        sample: None,
        reason: "ImportFailed",
    },
    Bad {
        name: "hangs",
        code: "import time\ntime.sleep(3600)",
        sample: None,
        reason: "StartTimeout",
    },
    Bad {
        name: "wrong",
        code: "",
        sample: Some(
            r#"{"event": {"telemetry": {"RC_cylinder1_1P_d_dispPeak": 1}}, "result": {"n": 2, "model": "wrong"}}"#,
        ),
        reason: "SampleFailed",
    },
];

pub(super) async fn run(scene: &mut Scene) -> anyhow::Result<()> {
    let good = scene.sample.clone();
    let before = scene.bed.workers(&good.name).await?;
    let load = scene.load(RATE).await?;
    for bad in BAD {
        let (name, reason) = (bad.name, bad.reason);
        let packed = pack(scene, &bad)?;
        scene.serve(name, &packed)?;
        scene.sample.model = vec!["startTimeout: 2s".to_owned()];
        scene.apply().await?;
        let said = patiently(async || {
            let status = scene.bed.model_status(&good.name).await?;
            Ok(status.filter(|model| model["reason"] == reason))
        });
        let said = said
            .await
            .with_context(|| format!("{name} is not called {reason}"))?;
        anyhow::ensure!(said["ready"] == false, "{said:#}");
        let workers = scene.bed.workers(&good.name).await?;
        let old = workers.iter().find(|one| one.uid == before[0].uid);
        anyhow::ensure!(
            old.is_some_and(|one| one.ready && !one.going),
            "{workers:#?}"
        );
    }
    // Nothing is deleted by hand: the good spec is all it takes.
    scene.sample = good.clone();
    scene.apply().await?;
    let after = scene.bed.until_serving(&good.name, 1).await?;
    anyhow::ensure!(
        after[0].uid == before[0].uid,
        "{before:#?} became {after:#?}"
    );
    let tally = load.finish().await?;
    scene.report.change("models that are refused", &tally);
    anyhow::ensure!(tally.versions.len() == 1, "{:?}", tally.versions);
    tally.nothing_lost()
}

fn pack(scene: &Scene, bad: &Bad) -> anyhow::Result<Packed> {
    let folder = scene.bed.models.path().join(bad.name);
    std::fs::create_dir_all(folder.join("samples"))?;
    if let Some(sample) = bad.sample {
        std::fs::write(folder.join("samples/golden.json"), sample)?;
    }
    let source = MODEL.replace("VERSION", bad.name);
    let source = format!("{}\n{source}", bad.code);
    scene.bed.models.pack(bad.name, &source)
}
