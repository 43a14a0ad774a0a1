//! SQ-04 and SQ-05: what an operator of the last release made, and one of today takes over, and back: no worker rolls
//! that need not.
//!
//! `tests/fixtures/release/` holds the objects of the last release, byte for byte. When they change on purpose,
//! `EDGEMODEL_WRITE_RELEASE=1` writes them anew; the difference then belongs into the review, and a sentence about workers
//! that roll into the changelog.

mod corpus;

use std::path::Path;

use anyhow::Context as _;
use crds::digest::hex;
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tests::control_plane::{ControlPlane, Kubelet};
use tests::eventually;
use tests::faults::Plan;
use tests::operator::{Operator, cluster, settings};

use crate::operator::{Site, condition};
use crate::plans::state;
use corpus::{NAMESPACE, UID};

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/release/{name}.yaml"))
}

#[test]
fn the_objects_of_the_last_release_are_made_byte_for_byte() -> anyhow::Result<()> {
    let write = std::env::var("EDGEMODEL_WRITE_RELEASE").as_deref() == Ok("1");
    for runtime in corpus::all() {
        let path = fixture(runtime.name);
        let made = runtime.objects()?;
        if write {
            std::fs::write(&path, &made)?;
        }
        let kept = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "{}: write it with EDGEMODEL_WRITE_RELEASE=1",
                path.display()
            )
        })?;
        let mut lines = made.lines().zip(kept.lines());
        let first = lines.find(|(made, kept)| made != kept);
        anyhow::ensure!(
            made == kept,
            "{} differs, first in {first:?}; if workers are meant to roll, EDGEMODEL_WRITE_RELEASE=1 writes it anew",
            path.display()
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_upgrade_and_a_downgrade_roll_nothing() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    control_plane
        .kubectl(&["create", "namespace", NAMESPACE])
        .await?;
    let account = ["get", "serviceaccount", "default", "-n", NAMESPACE];
    eventually(async || control_plane.kubectl(&account).await.map(Some)).await?;
    let mut settings = settings(NAMESPACE);
    corpus::IMAGE.clone_into(&mut settings.defaults.worker_image);
    let kubelet = Kubelet::start(control_plane.client()?, Some(NAMESPACE));
    // The old operator.
    let mut old = Vec::new();
    for (name, contents) in corpus::secrets() {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name },
            "stringData": contents,
        });
        let create = ["create", "-n", NAMESPACE, "-f", "-"];
        control_plane
            .kubectl_with_input(&create, &secret.to_string())
            .await?;
    }
    for runtime in corpus::all() {
        let applied = control_plane
            .kubectl_with_input(
                &["create", "-n", NAMESPACE, "-o", "json", "-f", "-"],
                &runtime.object().to_string(),
            )
            .await?;
        let applied: Value = serde_json::from_str(&applied)?;
        let uid = applied["metadata"]["uid"].as_str().context("no UID")?;
        let objects = std::fs::read_to_string(fixture(runtime.name))?;
        let objects = objects.replace(UID, uid);
        let objects = objects.replace(corpus::SECRETS, &secrets_of_last_release(uid));
        old.push((runtime, objects));
    }
    let manager = "--field-manager=edgemodel-operator";
    let apply = [
        "apply",
        "--server-side",
        "--force-conflicts",
        manager,
        "-f",
        "-",
    ];
    for (_, objects) in &old {
        control_plane.kubectl_with_input(&apply, objects).await?;
    }
    let available = [
        "wait",
        "--for=condition=Available",
        "deployment",
        "--all",
        "-n",
        NAMESPACE,
    ];
    let limit = ["--timeout=60s"];
    control_plane
        .kubectl(&[&available[..], &limit].concat())
        .await?;
    let before = workers(control_plane).await?;
    let client = tests::operator::client(control_plane, &Plan::new()).await?;
    let site = Site {
        control_plane,
        namespace: NAMESPACE.to_owned(),
        kubelet,
        operator: Operator::start(client, settings),
    };
    for (runtime, _) in &old {
        site.until(runtime.name, |status| {
            condition(status, "Ready")["status"] == "True"
        })
        .await?;
    }
    same(&before, &workers(control_plane).await?).context("upgrade")?;

    site.operator.stop().await?;
    for (_, objects) in &old {
        control_plane.kubectl_with_input(&apply, objects).await?;
    }
    same(&before, &workers(control_plane).await?).context("downgrade")?;
    Ok(())
}

/// How the last release digests the contents of the Secrets, with the runtime's UID: another way would roll every worker
/// that has one.
fn secrets_of_last_release(uid: &str) -> String {
    let mut all = Sha256::new();
    for contents in corpus::secrets().into_values() {
        let mut one = Sha256::new();
        one.update(uid);
        for part in contents.into_iter().flat_map(|(key, value)| [key, value]) {
            one.update((part.len() as u64).to_be_bytes());
            one.update(part);
        }
        all.update(hex(&one.finalize()));
    }
    hex(&all.finalize()[..8])
}

/// Specs of the Deployments, and their ReplicaSets and pods: another template shows in each.
async fn workers(control_plane: &ControlPlane) -> anyhow::Result<Value> {
    let client = control_plane.client()?;
    let mut all = serde_json::Map::new();
    for plural in ["deployments", "replicasets", "pods"] {
        let objects = state::api(&client, NAMESPACE, plural);
        for one in objects.list(&ListParams::default()).await? {
            let name = format!("{plural} {}", one.name_any());
            let deployment = plural == "deployments";
            // Not the generation: that of a Deployment grows with its annotations too.
            let spec = deployment.then(|| one.data["spec"].clone());
            all.insert(name, json!([one.metadata.uid, spec]));
        }
    }
    anyhow::ensure!(all.len() > 6, "{all:?}");
    Ok(all.into())
}

fn same(before: &Value, now: &Value) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    state::compare(before, now, "", &mut lines);
    anyhow::ensure!(lines.is_empty(), "workers roll: {}", lines.join("\n  "));
    Ok(())
}
