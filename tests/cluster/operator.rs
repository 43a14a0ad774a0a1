//! The operator against a real API server.

mod access;
mod applying;
mod contract;
mod seed;

use anyhow::Context as _;
use serde_json::Value;
use tests::control_plane::{ControlPlane, Kubelet};
use tests::eventually;
use tests::operator::{Operator, cluster, settings};

/// pyboot's sample configuration as the spec of a runtime.
pub(crate) fn seed(name: &str) -> String {
    let config = include_str!("../fixtures/seed/config.yaml");
    let spec: String = config.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "apiVersion: edgemodel.io/v1alpha1\nkind: EdgeModelRuntime\nmetadata:\n  name: {name}\nspec:\n{spec}"
    )
}

/// A namespace with an operator and a kubelet.
pub(crate) struct Site<'a> {
    pub(crate) control_plane: &'a ControlPlane,
    pub(crate) namespace: String,
    pub(crate) kubelet: Kubelet,
    pub(crate) operator: Operator,
}

impl Site<'_> {
    pub(crate) async fn start(name: &str) -> anyhow::Result<Self> {
        let control_plane = cluster().await?;
        let namespace = control_plane.namespace(name).await?;
        let kubelet = Kubelet::start(control_plane.client()?, Some(&namespace));
        let operator = Operator::start(control_plane.client()?, settings(&namespace));
        Ok(Self {
            control_plane,
            namespace,
            kubelet,
            operator,
        })
    }

    pub(crate) async fn apply(&self, text: &str) -> anyhow::Result<String> {
        self.kubectl_with(&["apply", "-f", "-"], text).await
    }

    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.kubectl_with(arguments, "").await
    }

    pub(crate) async fn kubectl_with(
        &self,
        arguments: &[&str],
        input: &str,
    ) -> anyhow::Result<String> {
        let namespace = ["-n", self.namespace.as_str()];
        self.control_plane
            .kubectl_with_input(&[arguments, &namespace].concat(), input)
            .await
    }

    pub(crate) async fn get(&self, what: &[&str]) -> anyhow::Result<Value> {
        let text = self
            .kubectl(&[&["get", "-o", "json"], what].concat())
            .await?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Waits until the runtime's status is about its present spec and `wanted` holds of it.
    pub(crate) async fn until(
        &self,
        name: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let mut last = Value::Null;
        let result = eventually(async || {
            let runtime = self.get(&["emr", name]).await?;
            let fresh =
                runtime["status"]["observedGeneration"] == runtime["metadata"]["generation"];
            let holds = fresh && wanted(&runtime["status"]);
            last = runtime;
            Ok(holds.then(|| last.clone()))
        })
        .await;
        result.with_context(|| format!("{:#}", last["status"]))
    }
}

/// A condition of a status.
pub(crate) fn condition<'a>(status: &'a Value, kind: &str) -> &'a Value {
    let conditions = status["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions
        .find(|one| one["type"] == kind)
        .unwrap_or(&Value::Null)
}
