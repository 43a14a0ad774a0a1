//! KEDA's ScaledObjects: their kind comes with KEDA and goes with it.

use serde_json::{Value, json};
use tests::control_plane::{ControlPlane, Kubelet};
use tests::eventually;
use tests::faults::{Plan, Verb};
use tests::operator::{Operator, settings};
use tokio::net::TcpListener;

use super::{Site, ready, runtime};

/// A kind as KEDA's, of which nothing but the name is needed.
pub(super) const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: scaledobjects.keda.sh
spec:
  group: keda.sh
  names: { kind: ScaledObject, plural: scaledobjects, singular: scaledobject, listKind: ScaledObjectList }
  scope: Namespaced
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema:
      openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true }
";

const SCALED_OBJECTS: &str = "scaledobjects.keda.sh";

/// EN-15: the kind may be installed and removed while the operator runs; where it is not there, nothing is asked for
/// that only fails. Nothing watches it: what is deleted by hand comes back after the resync.
#[tokio::test]
async fn scaled_objects_need_no_restart_when_their_kind_comes_and_goes() -> anyhow::Result<()> {
    let control_plane = ControlPlane::start(tests::operator::options()).await?;
    let namespace = control_plane.namespace("keda").await?;
    let plan = Plan::new();
    let client = tests::operator::client(&control_plane, &plan).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let http = listener.local_addr()?;
    let site = Site {
        control_plane: &control_plane,
        kubelet: Kubelet::start(control_plane.client()?, Some(&namespace)),
        operator: Operator::serving(client, settings(&namespace), listener),
        namespace,
    };
    let mut plant = runtime("plant", &["alpha"], &[]);
    site.put(&plant).await?;
    site.until("plant", ready).await?;
    // Nobody wants one.
    assert_eq!(plan.count(Verb::List, SCALED_OBJECTS), 0);
    plant["spec"]["funcs"][0]["autoscaling"] =
        json!({ "class": "keda", "prometheusAddress": "http://prometheus:9090" });
    site.put(&plant).await?;
    for _installation in 0..2 {
        site.until("plant", absent).await?;
        control_plane.define(DEFINITION).await?;
        site.until("plant", ready).await?;
        site.comes_back().await?;
        control_plane
            .kubectl(&["delete", "crd", SCALED_OBJECTS])
            .await?;
    }
    site.until("plant", absent).await?;
    let metrics = tests::running::get(http, "/metrics").await?.1;
    assert!(
        metrics.contains("edgemodel_operator_watch_errors_total 0"),
        "{metrics}"
    );
    Ok(())
}

fn absent(status: &Value) -> bool {
    status["models"][0]["reason"] == "ApiAbsent"
}

impl Site<'_> {
    /// Deletes the ScaledObject and waits for another.
    async fn comes_back(&self) -> anyhow::Result<()> {
        let before = self.get(&[SCALED_OBJECTS]).await?["items"][0]["metadata"].clone();
        let name = before["name"].as_str().unwrap_or_default();
        self.kubectl(&["delete", SCALED_OBJECTS, name]).await?;
        eventually(async || {
            let found = self.get(&[SCALED_OBJECTS]).await?;
            let mut found = found["items"].as_array().into_iter().flatten();
            let again = found.any(|one| one["metadata"]["uid"] != before["uid"]);
            Ok(again.then_some(()))
        })
        .await
    }
}
