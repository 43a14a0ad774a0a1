//! An operator of several namespaces, with the Roles that the chart gives it there.

use serde_json::{Value, json};
use tests::eventually;

use super::super::{OPERATOR, RELEASE};
use super::{CHART, Life};
use crate::operator::runtime;

/// One list of runtimes must not replace another, and a namespace that is lost must not stop the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_namespaces_are_served_and_no_other_and_each_without_the_other() -> anyhow::Result<()> {
    let life = Life::start().await?;
    let first = life.namespace.clone();
    let second = life.control_plane.namespace("plant").await?;
    let outside = life.control_plane.namespace("outside").await?;
    let values = json!({ "watchNamespaces": [first, second], "rbac": { "userRoles": false } });
    let install = ["install", RELEASE, CHART, "--create-namespace"];
    life.helm(&install, &values).await?;
    let roles = life.get(&[
        "clusterroles,clusterrolebindings",
        "-l",
        "app.kubernetes.io/instance=edgemodel",
    ]);
    assert_eq!(roles.await?["items"], json!([]), "rights elsewhere");

    let deployment = life.operator().await?;
    let operator = life.run(&deployment).await?;
    for namespace in [&outside, &first, &second] {
        let mut plant = runtime("plant", &["one"], &[]);
        plant["metadata"]["namespace"] = namespace.as_str().into();
        put(&life, &plant).await?;
    }
    for namespace in [&first, &second] {
        life.until_ready_in(namespace).await?;
    }
    let two = "edgemodel_operator_runtimes 2";
    eventually(async || Ok(operator.metrics().await?.contains(two).then_some(()))).await?;
    let other = life.get(&["emr", "plant", "-n", &outside]).await?;
    assert_eq!(other["status"]["conditions"], Value::Null, "{other:#}");

    // As when the namespace is deleted: its Role goes with it.
    drop(operator);
    for kind in ["role", "rolebinding"] {
        let delete = ["delete", kind, OPERATOR, "-n", &second];
        life.control_plane.kubectl(&delete).await?;
    }
    let mut operator = life.run(&deployment).await?;
    operator.until_ready().await?;
    let mode = "--patch={\"spec\":{\"exposeMode\":\"ClusterIP\"}}";
    let patch = ["patch", "emr", "plant", "-n", &first, "--type=merge", mode];
    life.control_plane.kubectl(&patch).await?;
    life.until_ready_in(&first).await?;
    let log = operator.log();
    let warnings = log.matches("check that the namespace exists and has the operator's Role");
    assert_eq!(warnings.count(), 1, "{log}");
    assert!(log.contains(&second), "{log}");
    Ok(())
}

async fn put(life: &Life, object: &Value) -> anyhow::Result<()> {
    let apply = ["apply", "-f", "-"];
    let text = object.to_string();
    life.control_plane.kubectl_with_input(&apply, &text).await?;
    Ok(())
}
