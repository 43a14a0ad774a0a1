//! A namespace that is deleted and stays: nothing can be made in it.

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::Value;
use tests::eventually;
use tests::faults::Plan;
use tests::operator::cluster;

use super::{Site, condition, ready, runtime};

/// The pods of an edge node that is away hold their namespace for days. What is refused there is refused forever: to try
/// it at every look would be load without end, and is told as what it is.
#[tokio::test]
async fn nothing_is_tried_again_in_a_namespace_that_goes() -> anyhow::Result<()> {
    let plan = Plan::new();
    let site = Site::with(cluster().await?, "kept", &plan).await?;
    for name in ["plant", "incomplete"] {
        site.put(&runtime(name, &["alpha"], &[])).await?;
        site.until(name, ready).await?;
    }
    let alpha = [("edgemodel.io/model", "alpha")];
    site.kubelet.let_last(&alpha);
    let namespaces = Api::<Namespace>::all(site.control_plane.client()?);
    let parameters = DeleteParams::default();
    namespaces.delete(&site.namespace, &parameters).await?;
    let children = "deployments,services,configmaps";
    let of = "edgemodel.io/runtime=incomplete";
    site.kubectl(&["delete", children, "-l", of]).await?;
    let told = |runtime: &Value| {
        let told = condition(&runtime["status"], "Ready");
        told["status"] == "False" && told["reason"] == "NamespaceTerminating"
    };
    site.until_runtime("incomplete", told).await?;
    // Each of these would be a look, and each look a write.
    for number in 0..4 {
        let look = format!("look={number}");
        site.kubectl(&["annotate", "emr", "incomplete", &look, "--overwrite"])
            .await?;
        site.looked(&plan, 1).await?;
    }
    let refused: Vec<_> = plan.forbidden().iter().map(ToString::to_string).collect();
    let writes = refused.iter().filter(|call| !call.contains("events"));
    assert_eq!(writes.count(), 1, "{refused:#?}");
    site.until_runtime("incomplete", told).await?;
    assert!(!site.operator.has_ended());

    site.kubelet.forget(&alpha);
    eventually(async || {
        let left = namespaces.get_opt(&site.namespace).await?;
        Ok(left.is_none().then_some(()))
    })
    .await
}
