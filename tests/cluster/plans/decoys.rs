//! Objects of somebody else that look like a runtime's: all its labels, but no owner. Nobody may touch them.

use kube::Client;
use kube::api::{Api, PostParams};
use kube::core::DynamicObject;
use serde_json::{Value, json};

use super::state;

/// How their names begin.
pub(super) const PREFIX: &str = "decoy-";

/// Makes them for a runtime.
pub(super) async fn make(client: &Client, namespace: &str, uid: &str) -> kube::Result<()> {
    let labels = json!({
        "app.kubernetes.io/managed-by": "edgemodel-operator",
        "app.kubernetes.io/name": "edgemodel",
        "edgemodel.io/runtime": "plant",
        "edgemodel.io/runtime-uid": uid,
        "edgemodel.io/model": "gone",
    });
    let metadata = json!({
        "name": format!("{PREFIX}{uid}"),
        "labels": labels,
        "annotations": { "edgemodel.io/name": "gone", "edgemodel.io/config": "0000" },
    });
    // Without an address: the API server gives out one after the other, under a lock.
    let spec = json!({ "clusterIP": "None", "ports": [{ "port": 80 }] });
    for (plural, body) in [
        (
            "configmaps",
            json!({ "metadata": metadata, "data": { "a": "b" } }),
        ),
        ("services", json!({ "metadata": metadata, "spec": spec })),
    ] {
        create(&state::api(client, namespace, plural), body).await?;
    }
    Ok(())
}

/// In a namespace that goes, or for a runtime that was seen twice, there is none to make.
async fn create(objects: &Api<DynamicObject>, body: Value) -> kube::Result<()> {
    let object = serde_json::from_value(body).map_err(kube::Error::SerdeError)?;
    match objects.create(&PostParams::default(), &object).await {
        Err(kube::Error::Api(status)) if status.is_already_exists() || status.is_forbidden() => {
            Ok(())
        }
        result => result.map(drop),
    }
}
