//! EN-09: the operator's token is not accepted any more, and another stands in its file, as a kubelet puts it there.

use tests::control_plane::Kubelet;
use tests::eventually;
use tests::operator::cluster;

use super::plant;
use crate::process::{Process, Start};

#[tokio::test]
async fn a_token_that_was_rotated_is_taken_from_its_file() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("en09").await?;
    let kubectl = async |arguments: &[&str]| {
        let scope = ["-n", namespace.as_str()];
        control_plane.kubectl(&[arguments, &scope].concat()).await
    };
    let account = format!("--serviceaccount={namespace}:default");
    kubectl(&[
        "create",
        "rolebinding",
        "all",
        "--clusterrole=cluster-admin",
        &account,
    ])
    .await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("token");
    let rotate = async |secret: &str| {
        kubectl(&["create", "secret", "generic", secret]).await?;
        let token = control_plane.token_bound_to_secret(&namespace, "default", secret);
        anyhow::Ok(std::fs::write(&file, token.await?)?)
    };
    rotate("first").await?;
    let kubeconfig = control_plane.kubeconfig_with_token_file(&namespace, &file)?;
    let _kubelet = Kubelet::start(control_plane.client()?, Some(&namespace));
    let mut start = Start::alone(&kubeconfig);
    start.arguments.push(format!("--namespace={namespace}"));
    let mut operator = Process::start(start).await?;
    let apply = ["apply", "-n", &namespace, "-f", "-"];
    let applied = async |digest| {
        let plant = plant(digest).to_string();
        control_plane.kubectl_with_input(&apply, &plant).await
    };
    let ready = "--for=condition=Ready";
    let until_ready = async || kubectl(&["wait", "emr/plant", ready, "--timeout=60s"]).await;
    applied(1).await?;
    until_ready().await?;

    // The token goes with the Secret that it is bound to; the API server remembers it for some seconds.
    kubectl(&["delete", "secret", "first"]).await?;
    let failed = "edgemodel_operator_reconciles_total{result=\"read\"}";
    eventually(async || {
        let failures = operator.metric(failed).await.unwrap_or(0.0);
        Ok((failures > 0.0).then_some(()))
    })
    .await?;
    applied(2).await?;
    rotate("second").await?;
    // A client reads the file once a minute.
    let observed = "--for=jsonpath={.status.observedGeneration}=2";
    kubectl(&["wait", "emr/plant", observed, "--timeout=120s"]).await?;
    until_ready().await?;
    assert_eq!(operator.ended()?, None);
    Ok(())
}
