//! A namespace with a kubelet in which a runtime is changed and looked at.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use kube::Client;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use tests::control_plane::{ControlPlane, Kubelet};
use tokio::time::Instant;

use super::state::{self, State};
use super::workload::Action;

/// Longest that a run may take to come to its end.
const CONVERGENCE: Duration = Duration::from_secs(90);

/// How often a state is looked at.
const LOOK: Duration = Duration::from_millis(150);

/// A state that stays for longer than the operator's resync is an end.
const STABLE: Duration = Duration::from_millis(2500);

/// Each run has this many ports of its own.
const PORTS: u16 = 4;

pub(crate) struct Runner {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    ports: u16,
    /// Makes pods ready for as long as this lives.
    #[expect(dead_code, reason = "held, not read")]
    kubelet: Kubelet,
}

impl Runner {
    /// Takes a namespace of its own.
    pub(crate) async fn start(control_plane: &ControlPlane, name: &str) -> anyhow::Result<Self> {
        static NEXT_PORT: AtomicU16 = AtomicU16::new(40_000);
        let namespace = control_plane.namespace(name).await?;
        let client = control_plane.client()?;
        Ok(Self {
            kubelet: Kubelet::start(client.clone(), Some(&namespace)),
            client,
            namespace,
            ports: NEXT_PORT.fetch_add(PORTS, Ordering::Relaxed),
        })
    }

    /// Deletes the namespace; that need not be waited for.
    pub(crate) async fn leave(&self) -> anyhow::Result<()> {
        let namespaces =
            kube::Api::<k8s_openapi::api::core::v1::Namespace>::all(self.client.clone());
        namespaces
            .delete(&self.namespace, &DeleteParams::default())
            .await?;
        Ok(())
    }

    /// Waits until the namespace is settled, and as `wanted` if that is given. `secrets` is the digest of
    /// the Secrets before.
    pub(crate) async fn settled(
        &self,
        wanted: Option<&State>,
        secrets: &str,
    ) -> anyhow::Result<State> {
        let deadline = Instant::now() + CONVERGENCE;
        let mut stable = None;
        loop {
            let state = self.look(secrets).await?;
            let done = state.settled
                && match wanted {
                    Some(wanted) => wanted.objects == state.objects,
                    // Twice the same, so that a state on the way is not taken for the end.
                    None => stable.as_ref() == Some(&state),
                };
            if done {
                return Ok(state);
            }
            if Instant::now() > deadline {
                let differences = wanted
                    .map(|wanted| state::differences(wanted, &state))
                    .unwrap_or_default();
                anyhow::bail!(
                    "O4: not at its end in time (settled: {}): {}",
                    state.settled,
                    differences.join("\n  ")
                );
            }
            let pause = if wanted.is_none() && state.settled {
                STABLE
            } else {
                LOOK
            };
            stable = Some(state);
            tokio::time::sleep(pause).await;
        }
    }

    /// The state of the namespace now.
    pub(crate) async fn look(&self, secrets: &str) -> anyhow::Result<State> {
        let mut words = vec![(self.namespace.clone(), "NAMESPACE".to_owned())];
        words.extend((1..=PORTS).map(|n| ((self.ports + n).to_string(), format!("9000{n}"))));
        state::read(&self.client, &self.namespace, &words, secrets).await
    }

    pub(crate) async fn act(&self, action: &Action) -> anyhow::Result<()> {
        let runtimes = state::api(&self.client, &self.namespace, "edgemodelruntimes");
        match action {
            Action::Apply(spec) => {
                let body = json!({
                    "apiVersion": "edgemodel.io/v1alpha1",
                    "kind": "EdgeModelRuntime",
                    "metadata": { "name": "plant" },
                    "spec": self.with_ports(spec)?,
                });
                runtimes
                    .patch(
                        "plant",
                        &PatchParams::apply("user").force(),
                        &Patch::Apply(&body),
                    )
                    .await?;
            }
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
                let secrets = kube::Api::<k8s_openapi::api::core::v1::Secret>::namespaced(
                    self.client.clone(),
                    &self.namespace,
                );
                let body = json!({
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": { "name": "broker" },
                    "stringData": { "username": "edge", "password": text },
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
                tests::eventually(async || {
                    let runtime = runtimes.get("plant").await?;
                    let status = &runtime.data["status"];
                    let fresh = *reason == "Paused"
                        || status["observedGeneration"].as_i64() == runtime.metadata.generation;
                    let conditions = status["conditions"].as_array();
                    let mut conditions = conditions.into_iter().flatten();
                    let found =
                        conditions.any(|one| one["type"] == *kind && one["reason"] == *reason);
                    Ok((fresh && found).then_some(()))
                })
                .await?;
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
