//! Deployments without a node.

use anyhow::Context as _;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use serde_json::json;
use tests::control_plane::{ControlPlane, Kubelet, PodState, make_pods_ready};
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

/// Under load the API server fails single calls; a quiet namespace has no further event to try again at.
#[tokio::test]
async fn a_pod_becomes_ready_and_goes_although_calls_of_its_kubelet_fail() -> anyhow::Result<()> {
    let control_plane = ControlPlane::shared().await?;
    let namespace = control_plane.namespace("retried").await?;
    // By number, the writes are the node, the binding, the status and the release, each with its retry.
    let failing = [1, 3, 5, 7].into_iter().fold(Plan::new(), |plan, write| {
        plan.at_write(write, WriteFault::Answer(Answer::INTERNAL_ERROR))
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
        let status = pods.get("lonely").await?.status.unwrap_or_default();
        let mut conditions = status.conditions.into_iter().flatten();
        Ok(conditions
            .any(|one| one.type_ == "Ready" && one.status == "True")
            .then_some(()))
    })
    .await
    .with_context(|| format!("ready: {:?}", failing.writes()))?;
    pods.delete("lonely", &DeleteParams::default()).await?;
    eventually(async || Ok(pods.get_opt("lonely").await?.is_none().then_some(()))).await
}

#[tokio::test]
async fn a_deployment_becomes_available_and_its_pods_say_what_they_are_told() -> anyhow::Result<()>
{
    let control_plane = ControlPlane::shared().await?;
    let namespace = control_plane.namespace("workload").await?;
    let kubelet = Kubelet::start(control_plane.client()?, Some(&namespace));
    let loops = PodState::CrashLoop {
        exit_code: 1,
        message: "ModelMissing: no such file".to_owned(),
        restarts: 4,
    };
    kubelet.report(&[("app", "broken")], loops);
    let apply = ["apply", "-n", &namespace, "-f", "-"];
    for (name, replicas) in [("good", 2), ("broken", 1)] {
        let deployment = deployment(name, replicas);
        control_plane
            .kubectl_with_input(&apply, &deployment)
            .await?;
    }
    let wait = ["-n", &namespace, "--timeout=60s"];
    control_plane
        .kubectl(&[&["rollout", "status", "deployment/good"], &wait[..]].concat())
        .await?;

    let deployments = Api::<Deployment>::namespaced(control_plane.client()?, &namespace);
    let available = async |name: &str| {
        let status = deployments.get(name).await?.status.unwrap_or_default();
        anyhow::Ok(status.available_replicas.unwrap_or_default())
    };
    let pods = Api::<Pod>::namespaced(control_plane.client()?, &namespace);
    let broken = ListParams::default().labels("app=broken");
    eventually(async || {
        let pods = serde_json::to_value(pods.list(&broken).await?.items)?;
        let container = &pods[0]["status"]["containerStatuses"][0];
        let ended = &container["lastState"]["terminated"];
        Ok(
            (container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
                && ended["message"] == "ModelMissing: no such file")
                .then_some(()),
        )
    })
    .await?;
    assert_eq!(available("broken").await?, 0);

    kubelet.forget(&[("app", "broken")]);
    let one = async || Ok((available("broken").await? == 1).then_some(()));
    eventually(one).await?;
    kubelet.report(&[("app", "good")], PodState::Running);
    let none = async || Ok((available("good").await? == 0).then_some(()));
    eventually(none).await
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

#[tokio::test]
async fn what_is_owned_is_collected() -> anyhow::Result<()> {
    let control_plane = ControlPlane::shared().await?;
    let namespace = control_plane.namespace("owned").await?;
    let client = control_plane.client()?;
    let apply = ["apply", "-n", &namespace, "-f", "-"];
    control_plane
        .kubectl_with_input(&apply, &deployment("short", 1))
        .await?;
    // Without a kubelet task, a test acts by hand.
    let ready = async || {
        let ready = make_pods_ready(&client, &namespace, "app=short").await?;
        Ok((ready == 1).then_some(()))
    };
    eventually(ready).await?;
    let available = ["wait", "--for=condition=Available", "deployment/short"];
    let wait = ["-n", &namespace, "--timeout=60s"];
    control_plane
        .kubectl(&[&available, &wait[..]].concat())
        .await?;

    let deployments = Api::<Deployment>::namespaced(client.clone(), &namespace);
    deployments
        .delete("short", &DeleteParams::background())
        .await?;
    let sets = Api::<ReplicaSet>::namespaced(client.clone(), &namespace);
    let pods = Api::<Pod>::namespaced(client.clone(), &namespace);
    let all = ListParams::default();
    eventually(async || {
        let left = sets.list(&all).await?.items.len() + pods.list(&all).await?.items.len();
        Ok((left == 0).then_some(()))
    })
    .await
}
