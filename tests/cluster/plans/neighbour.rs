//! A runtime in another namespace that has a port which the workload's runtime wants too. It has an operator of
//! its own, to which nothing happens.

use anyhow::Context as _;
use kube::Client;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use tests::control_plane::{ControlPlane, Kubelet};
use tests::operator::{Operator, settings};

use super::state;

const NAME: &str = "neighbour";

pub(super) struct Neighbour {
    client: Client,
    namespace: String,
    port: u64,
    /// The UID of the Service that has the port.
    service: String,
    _kubelet: Kubelet,
    operator: Operator,
}

impl Neighbour {
    /// Moves in, and waits until the port is theirs.
    pub(super) async fn start(control_plane: &ControlPlane, spec: &Value) -> anyhow::Result<Self> {
        let namespace = control_plane.namespace(NAME).await?;
        let client = control_plane.client()?;
        let mut neighbour = Self {
            _kubelet: Kubelet::start(client.clone(), Some(&namespace)),
            operator: Operator::start(client.clone(), settings(&namespace)),
            port: spec["expose"][0]["outPort"].as_u64().context("no port")?,
            service: String::new(),
            client,
            namespace,
        };
        let body = json!({
            "apiVersion": "edgemodel.io/v1alpha1",
            "kind": "EdgeModelRuntime",
            "metadata": { "name": NAME },
            "spec": spec,
        });
        let runtimes = state::api(&neighbour.client, &neighbour.namespace, "edgemodelruntimes");
        let parameters = PatchParams::apply("user").force();
        runtimes
            .patch(NAME, &parameters, &Patch::Apply(&body))
            .await?;
        neighbour.service = tests::eventually(async || neighbour.holder().await).await?;
        Ok(neighbour)
    }

    /// Moves out, if the port was theirs all the time.
    pub(super) async fn leave(self) -> anyhow::Result<()> {
        let holder = self.holder().await?;
        anyhow::ensure!(
            holder.as_ref() == Some(&self.service),
            "O6: the port of {} is not theirs any more: {holder:?}",
            self.namespace
        );
        let runtimes = state::api(&self.client, &self.namespace, "edgemodelruntimes");
        runtimes.delete(NAME, &DeleteParams::background()).await?;
        let gone = async || Ok(self.holder().await?.is_none().then_some(()));
        tests::eventually(gone).await?;
        self.operator.stop().await?;
        Ok(())
    }

    /// The UID of their Service that has the port.
    async fn holder(&self) -> anyhow::Result<Option<String>> {
        let services = state::api(&self.client, &self.namespace, "services");
        let services = services.list(&ListParams::default()).await?;
        let mut services = services.items.into_iter();
        let found = services.find(|one| one.data["spec"]["ports"][0]["nodePort"] == self.port);
        Ok(found.and_then(|service| service.metadata.uid))
    }
}
