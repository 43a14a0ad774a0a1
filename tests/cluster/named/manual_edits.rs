//! What people do to children by hand.

use operator::desired::names;
use serde_json::{Value, json};
use tests::eventually;

use super::{ready, start};
use crate::operator::{Site, runtime};

impl Site<'_> {
    /// Waits until `wanted` holds of an object that is there.
    async fn until_child(
        &self,
        plural: &str,
        name: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let objects = self.objects(plural)?;
        eventually(async || {
            let Some(object) = objects.get_opt(name).await? else {
                return Ok(None);
            };
            let value = serde_json::to_value(object)?;
            anyhow::ensure!(wanted(&value), "{value:#}");
            Ok(Some(value))
        })
        .await
    }
}

/// CC-08: what was edited is as before, and the same object.
#[tokio::test]
async fn edits_of_a_child_are_undone() -> anyhow::Result<()> {
    let (site, _plan) = start("cc08").await?;
    let name = names::deployment("plant", "alpha");
    let of = format!("deployment/{name}");
    let before = site.get(&["deployment", &name]).await?;
    let uid = before["metadata"]["uid"].clone();
    let [image, replicas, label, lost, account] = [
        &["set", "image", &of, "worker=theirs:1"][..],
        &["scale", &of, "--replicas=3"],
        &["label", &of, "edgemodel.io/model=theirs", "--overwrite"],
        &["label", &of, "edgemodel.io/runtime-uid-"],
        &[
            "patch",
            &of,
            "-p",
            r#"{"spec":{"template":{"spec":{"automountServiceAccountToken":true}}}}"#,
        ],
    ];
    for edit in [image, replicas, label, lost, account] {
        site.kubectl(edit).await?;
        let same = |found: &Value| {
            let labels = |one: &Value| one["metadata"]["labels"].clone();
            found["spec"] == before["spec"] && labels(found) == labels(&before)
        };
        let found = site.until_child("deployments", &name, same).await;
        let found = found.map_err(|error| error.context(format!("{edit:?}")))?;
        assert_eq!(found["metadata"]["uid"], uid, "{edit:?}");
    }
    site.until("plant", ready).await?;
    Ok(())
}

/// OP-29: labels and annotations of a runtime are its owner's: no child has them, and nothing is written.
#[tokio::test]
async fn labels_and_annotations_of_a_runtime_are_for_its_owner() -> anyhow::Result<()> {
    let (site, plan) = start("op29").await?;
    site.looked(&plan, 1).await?;
    let before = plan.writes().len();
    site.kubectl(&["label", "emr", "plant", "team=turbines"])
        .await?;
    site.kubectl(&["annotate", "emr", "plant", "example.com/owner=turbines"])
        .await?;
    site.looked(&plan, 1).await?;
    assert_eq!(plan.writes().len(), before, "{:?}", plan.writes());
    let children = site.get(&["deployments,configmaps,services,pods"]).await?;
    assert!(!children.to_string().contains("turbines"), "{children:#}");
    site.kubectl(&["label", "emr", "plant", "team-"]).await?;
    site.until("plant", ready).await?;
    Ok(())
}

/// CC-08: what cannot be changed is made anew, and that is told.
#[tokio::test]
async fn a_deployment_with_another_selector_is_replaced_and_that_is_told() -> anyhow::Result<()> {
    let (site, _plan) = start("cc08-selector").await?;
    let name = names::deployment("plant", "alpha");
    let other = names::deployment("plant", "beta");
    let beta = site.get(&["deployment", &other]).await?["metadata"]["uid"].clone();
    let pause = |value: &str| format!("edgemodel.io/paused{value}");
    site.kubectl(&["annotate", "emr", "plant", &pause("=true")])
        .await?;
    site.until("plant", |status| {
        crate::operator::condition(status, "Reconciling")["reason"] == "Paused"
    })
    .await?;
    let mut theirs = site.get(&["deployment", &name]).await?;
    let selector = theirs["spec"]["selector"].clone();
    let metadata = &mut theirs["metadata"];
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "managedFields",
    ] {
        metadata[field] = Value::Null;
    }
    theirs["status"] = Value::Null;
    for labels in [
        "/spec/selector/matchLabels",
        "/spec/template/metadata/labels",
    ] {
        let labels = theirs.pointer_mut(labels).expect("a Deployment has both");
        labels["edgemodel.io/model"] = json!("theirs");
    }
    site.kubectl(&["delete", "deployment", &name]).await?;
    site.kubectl_with(&["create", "-f", "-"], &theirs.to_string())
        .await?;
    site.kubectl(&["annotate", "emr", "plant", &pause("-")])
        .await?;
    site.until_child("deployments", &name, |found| {
        found["spec"]["selector"] == selector
    })
    .await?;
    site.until("plant", ready).await?;
    let events = site.objects("events")?;
    eventually(async || {
        let all = events.list(&kube::api::ListParams::default()).await?;
        let mut told = all
            .items
            .iter()
            .filter(|event| event.data["reason"] == "Replaced");
        let told = told.next().map(|event| event.data["note"].to_string());
        anyhow::ensure!(
            told.as_ref().is_none_or(|note| note.contains(&name)),
            "{told:?}"
        );
        Ok(told)
    })
    .await?;
    assert_eq!(
        site.get(&["deployment", &other]).await?["metadata"]["uid"],
        beta
    );
    Ok(())
}

/// CC-09: the number of workers by hand, where the spec decides it and where an autoscaler does.
#[tokio::test]
async fn a_number_of_workers_by_hand_is_undone_unless_an_autoscaler_decides_it()
-> anyhow::Result<()> {
    let (site, plan) = start("cc09").await?;
    let name = names::deployment("plant", "alpha");
    let scale = async |replicas: u16| {
        let replicas = format!("--replicas={replicas}");
        site.kubectl(&["scale", "deployment", &name, &replicas])
            .await
    };
    let has = |replicas: u16| move |found: &Value| found["spec"]["replicas"] == replicas;
    scale(4).await?;
    site.until_child("deployments", &name, has(1)).await?;
    scale(0).await?;
    site.until_child("deployments", &name, has(1)).await?;

    let mut scaled = runtime("plant", &["alpha", "beta"], &[]);
    let scaling = json!({ "class": "hpa", "minReplicas": 1, "maxReplicas": 8 });
    scaled["spec"]["funcs"][0]["autoscaling"] = scaling;
    site.put(&scaled).await?;
    site.until("plant", ready).await?;
    scale(5).await?;
    site.until("plant", ready).await?;
    site.looked(&plan, 2).await?;
    site.until_child("deployments", &name, has(5)).await?;
    Ok(())
}
