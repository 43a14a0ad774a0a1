//! The one node: made, and told to have a pod and to have it no more.

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Api, DeleteParams, PostParams, Preconditions};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

const NAME: &str = "bed";

/// Makes it, unless it is there.
pub(super) async fn make(client: &Client) -> kube::Result<()> {
    let mut node = Node::default();
    node.metadata.name = Some(NAME.to_owned());
    let nodes = Api::<Node>::all(client.clone());
    match nodes.create(&PostParams::default(), &node).await {
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        result => result.map(drop),
    }
}

/// Gives it a pod, as a scheduler does.
pub(super) async fn bind(client: &Client, pod: &Pod) -> kube::Result<()> {
    let binding = json!({
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": pod.name_any(), "uid": pod.uid()},
        "target": {"apiVersion": "v1", "kind": "Node", "name": NAME},
    });
    let parameters = PostParams::default();
    let pods = pods_of(client, pod);
    let name = pod.name_any();
    pods.create_subresource::<Value, Value>("binding", &name, &parameters, &binding)
        .await
        .map(drop)
}

/// Says that the containers of a pod that is being deleted have ended.
pub(super) async fn release(client: &Client, pod: &Pod) -> kube::Result<()> {
    let parameters = DeleteParams {
        grace_period_seconds: Some(0),
        preconditions: Some(Preconditions {
            uid: pod.uid(),
            resource_version: None,
        }),
        ..DeleteParams::default()
    };
    let pods = pods_of(client, pod);
    pods.delete(&pod.name_any(), &parameters).await.map(drop)
}

fn pods_of(client: &Client, pod: &Pod) -> Api<Pod> {
    Api::namespaced(client.clone(), &pod.namespace().unwrap_or_default())
}
