//! A Service in another namespace that has a port which the workload's runtime wants too.

use kube::api::{Api, DeleteParams, PostParams};
use kube::core::DynamicObject;
use serde_json::json;
use tests::control_plane::ControlPlane;

use super::state;

const NAME: &str = "neighbour";

pub(super) struct Neighbour {
    services: Api<DynamicObject>,
    service: DynamicObject,
}

impl Neighbour {
    /// Takes the port.
    pub(super) async fn start(control_plane: &ControlPlane, port: u16) -> anyhow::Result<Self> {
        let namespace = control_plane.namespace(NAME).await?;
        let services = state::api(&control_plane.client()?, &namespace, "services");
        let service = serde_json::from_value(json!({
            "metadata": { "name": NAME },
            "spec": { "type": "NodePort", "ports": [{ "port": 80, "nodePort": port }] },
        }))?;
        let service = services.create(&PostParams::default(), &service).await?;
        Ok(Self { services, service })
    }

    /// Gives it back, if the Service is unchanged.
    pub(super) async fn leave(self) -> anyhow::Result<()> {
        let found = self.services.get(NAME).await?;
        anyhow::ensure!(
            found.metadata == self.service.metadata,
            "O6: a Service of another namespace was written: {found:?}"
        );
        self.services.delete(NAME, &DeleteParams::default()).await?;
        Ok(())
    }
}
