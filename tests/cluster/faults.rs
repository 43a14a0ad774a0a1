//! That each planned fault is what it says, against the real API server.

mod calls;
mod reads;
mod writes;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::json;
use tests::control_plane::ControlPlane;
use tests::faults::Plan;

/// ConfigMaps of a namespace, for a client with faults and for one without.
struct Maps {
    namespace: String,
    faulty_client: Client,
    faulty: Api<ConfigMap>,
    real: Api<ConfigMap>,
}

impl Maps {
    async fn through(plan: &Plan) -> anyhow::Result<Self> {
        let control_plane = ControlPlane::shared().await?;
        let namespace = control_plane.namespace("faults").await?;
        let faulty_client = control_plane.client_through(&plan.layer())?;
        Ok(Self {
            faulty: Api::namespaced(faulty_client.clone(), &namespace),
            real: Api::namespaced(control_plane.client()?, &namespace),
            faulty_client,
            namespace,
        })
    }

    /// Makes one through the real client.
    async fn make(&self, name: &str) -> anyhow::Result<ConfigMap> {
        Ok(self.real.create(&PostParams::default(), &map(name)).await?)
    }
}

fn map(name: &str) -> ConfigMap {
    let mut map = ConfigMap::default();
    map.metadata.name = Some(name.to_owned());
    map
}

fn apply(name: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"a": "b"},
    })
}
