//! How each action of a workload is done.

use anyhow::Context as _;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::{PORTS, Runner};
use crate::plans::neighbour::Neighbour;
use crate::plans::state;
use crate::plans::workload::Action;

impl Runner<'_> {
    /// The runtime as its user wants it.
    async fn apply(&self, spec: &Value) -> anyhow::Result<()> {
        let runtimes = state::api(&self.client, &self.namespace, "edgemodelruntimes");
        let body = json!({
            "apiVersion": "edgemodel.io/v1alpha1",
            "kind": "EdgeModelRuntime",
            "metadata": { "name": "plant" },
            "spec": self.with_ports(spec)?,
        });
        let force = PatchParams::apply("user").force();
        runtimes
            .patch("plant", &force, &Patch::Apply(&body))
            .await?;
        Ok(())
    }

    /// Does it.
    pub(crate) async fn act(&self, action: &Action) -> anyhow::Result<()> {
        let runtimes = state::api(&self.client, &self.namespace, "edgemodelruntimes");
        match action {
            Action::Apply(spec) => self.apply(spec).await?,
            Action::Delete => {
                runtimes
                    .delete("plant", &DeleteParams::background())
                    .await?;
            }
            Action::Annotate(name, value) => {
                let patch = json!({ "metadata": { "annotations": { *name: value } } });
                runtimes
                    .patch("plant", &PatchParams::default(), &Patch::Merge(&patch))
                    .await?;
            }
            Action::Secret(text) => {
                let password = format!("{text}-hunter2-{}", self.namespace);
                self.invariants.keep_secret(&password);
                let secrets = kube::Api::<k8s_openapi::api::core::v1::Secret>::namespaced(
                    self.client.clone(),
                    &self.namespace,
                );
                let body = json!({
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": { "name": "broker" },
                    "stringData": { "username": "edge", "password": password },
                });
                secrets
                    .patch(
                        "broker",
                        &PatchParams::apply("user").force(),
                        &Patch::Apply(&body),
                    )
                    .await?;
            }
            Action::DeleteChild(plural, part) => {
                let name = self.child(plural, part).await?;
                state::api(&self.client, &self.namespace, plural)
                    .delete(&name, &DeleteParams::background())
                    .await?;
            }
            Action::EditChild(plural, part, patch) => {
                let name = self.child(plural, part).await?;
                state::api(&self.client, &self.namespace, plural)
                    .patch(&name, &PatchParams::default(), &Patch::Merge(patch))
                    .await?;
            }
            Action::Until(kind, reason) => {
                self.until(async || {
                    let runtime = runtimes.get("plant").await?;
                    let status = &runtime.data["status"];
                    let fresh =
                        status["observedGeneration"].as_i64() == runtime.metadata.generation;
                    let conditions = status["conditions"].as_array();
                    let mut conditions = conditions.into_iter().flatten();
                    let found =
                        conditions.any(|one| one["type"] == *kind && one["reason"] == *reason);
                    Ok((fresh && found).then_some(()))
                })
                .await
                .with_context(|| format!("{kind} does not say {reason}"))?;
            }
            Action::Neighbour(number) => {
                let port = self.ports + number;
                let neighbour = Neighbour::start(self.control_plane, port).await?;
                *self.neighbour.lock().await = Some(neighbour);
            }
            Action::NeighbourLeaves => {
                let neighbour = self.neighbour.lock().await.take();
                neighbour.context("there is no neighbour")?.leave().await?;
            }
            Action::UntilGone => {
                let gone = async || {
                    let left = self.look("").await?.objects;
                    anyhow::ensure!(left.is_empty(), "left: {:?}", left.keys());
                    Ok(Some(()))
                };
                self.until(gone).await?;
            }
            Action::DeleteNamespace => {
                self.invariants.let_go();
                self.delete_namespace().await?;
                let namespaces = self.namespaces();
                let gone = async || {
                    let found = namespaces.get_opt(&self.namespace).await?;
                    Ok(found.is_none().then_some(()))
                };
                self.until(gone).await?;
            }
        }
        Ok(())
    }

    async fn child(&self, plural: &str, part: &str) -> anyhow::Result<String> {
        let children = state::api(&self.client, &self.namespace, plural)
            .list(&ListParams::default())
            .await?;
        let names: Vec<_> = children
            .items
            .iter()
            .map(kube::ResourceExt::name_any)
            .collect();
        let found = names.iter().find(|name| name.contains(part));
        found
            .cloned()
            .with_context(|| format!("none of {names:?} is of {part:?}"))
    }

    fn with_ports(&self, spec: &Value) -> anyhow::Result<Value> {
        let mut text = spec.to_string();
        for number in 1..=PORTS {
            text = text.replace(
                &format!("\"PORT{number}\""),
                &(self.ports + number).to_string(),
            );
        }
        Ok(serde_json::from_str(&text)?)
    }
}
