//! Deployments without a node.

use anyhow::Context as _;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use serde_json::json;
use tests::control_plane::{ControlPlane, Kubelet};
use tests::eventually;
use tests::faults::{Answer, Plan, WriteFault};

fn deployment(name: &str, replicas: u32) -> String {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "worker", "image": "worker:1"}]},
            },
        },
    })
    .to_string()
}

/// Under load the API server fails single calls; a quiet namespace has no further event to try again at. A conflict may
/// stand for any failure: a pod that was taken for bound was never an endpoint, one taken for released never went.
#[tokio::test]
async fn a_pod_becomes_ready_and_goes_although_calls_of_its_kubelet_fail() -> anyhow::Result<()> {
    let control_plane = ControlPlane::shared().await?;
    let namespace = control_plane.namespace("retried").await?;
    // By number, the writes are the node, the binding, the status and the release, each with its retry.
    let failing = [
        (1, Answer::INTERNAL_ERROR),
        (3, Answer::CONFLICT),
        (5, Answer::INTERNAL_ERROR),
        (7, Answer::CONFLICT),
    ];
    let failing = failing
        .into_iter()
        .fold(Plan::new(), |plan, (write, answer)| {
            plan.at_write(write, WriteFault::Answer(answer))
        });
    let faulty = control_plane.client_through(&failing.layer())?;
    let _kubelet = Kubelet::start(faulty, Some(&namespace));
    let pods = Api::<Pod>::namespaced(control_plane.client()?, &namespace);
    let pod = json!({
        "metadata": {"name": "lonely"},
        "spec": {"containers": [{"name": "worker", "image": "worker:1"}]},
    });
    let pod = serde_json::from_value(pod)?;
    // The namespace's service account may still be missing.
    eventually(async || Ok(Some(pods.create(&PostParams::default(), &pod).await?)))
        .await
        .context("created")?;
    eventually(async || {
        let pod = pods.get("lonely").await?;
        let bound = pod.spec.is_some_and(|spec| spec.node_name.is_some());
        let conditions = pod.status.and_then(|status| status.conditions);
        let mut conditions = conditions.into_iter().flatten();
        let ready = conditions.any(|one| one.type_ == "Ready" && one.status == "True");
        Ok((bound && ready).then_some(()))
    })
    .await
    .with_context(|| format!("bound and ready: {:?}", failing.writes()))?;
    pods.delete("lonely", &DeleteParams::default()).await?;
    eventually(async || Ok(pods.get_opt("lonely").await?.is_none().then_some(()))).await
}

/// Services have endpoints, and a pod that is deleted is there until its process has ended.
#[tokio::test]
async fn pods_are_reached_while_they_are_ready_and_end_when_their_process_does()
-> anyhow::Result<()> {
    let control_plane = ControlPlane::shared().await?;
    let namespace = control_plane.namespace("ending").await?;
    let client = control_plane.client()?;
    let kubelet = Kubelet::start(client.clone(), Some(&namespace));
    kubelet.let_last(&[("app", "tough")]);
    let apply = ["apply", "-n", &namespace, "-f", "-"];
    let tough = deployment("tough", 1);
    control_plane.kubectl_with_input(&apply, &tough).await?;
    let expose = ["expose", "deployment/tough", "--port=80", "-n", &namespace];
    control_plane.kubectl(&expose).await?;

    let slices = Api::<EndpointSlice>::namespaced(client.clone(), &namespace);
    let all = ListParams::default();
    let endpoints = async |wanted: usize| {
        let slices = slices.list(&all).await?;
        let endpoints = slices.iter().flat_map(|slice| &slice.endpoints);
        let ready = endpoints.filter(|endpoint| {
            let conditions = endpoint.conditions.as_ref();
            conditions.is_some_and(|conditions| conditions.ready == Some(true))
        });
        Ok((ready.count() == wanted).then_some(()))
    };
    eventually(async || endpoints(1).await).await?;

    let pods = Api::<Pod>::namespaced(client, &namespace);
    let scale = [
        "scale",
        "deployment/tough",
        "--replicas=0",
        "-n",
        &namespace,
    ];
    control_plane.kubectl(&scale).await?;
    eventually(async || endpoints(0).await).await?;
    let left = pods.list(&all).await?.items;
    assert!(left.len() == 1 && left[0].metadata.deletion_timestamp.is_some());
    kubelet.forget(&[("app", "tough")]);
    let gone = async || Ok(pods.list(&all).await?.items.is_empty().then_some(()));
    eventually(gone).await
}
