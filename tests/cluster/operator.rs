//! The operator against a real API server.

mod access;
mod applying;
mod contract;
mod environment;
mod leadership;
mod models;
mod others;
mod ports;
mod seed;
mod stale;

use anyhow::Context as _;
use serde_json::{Value, json};
use tests::control_plane::{ControlPlane, Kubelet};
use tests::eventually;
use tests::faults::Plan;
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

/// A runtime with these models and ports, as JSON, which kubectl takes too.
pub(crate) fn runtime(name: &str, models: &[&str], ports: &[(&str, u16, u16)]) -> Value {
    let funcs = models.iter().enumerate().map(|(index, model)| {
        json!({
            "modelName": model,
            "modelAddress": format!("http://models.example/{index}.zip"),
            "modelMd5": format!("{:032x}", index + 1),
            "devices": [{ "deviceName": "device" }],
        })
    });
    let expose = ports.iter().map(|(name, target, port)| {
        json!({ "name": name, "protocolPort": format!("http://:{target}"), "outPort": port })
    });
    json!({
        "apiVersion": "edgemodel.io/v1alpha1",
        "kind": "EdgeModelRuntime",
        "metadata": { "name": name },
        "spec": {
            "mqtts": [{ "name": "plant", "broker": "tcp://10.0.0.1:1883" }],
            "rules": [{
                "sub": { "name": "plant", "topic": "telemetry/#", "clientId": "edge-sub" },
                "pub": { "name": "plant", "topic": "results", "clientId": "edge-pub" },
            }],
            "funcs": funcs.collect::<Vec<_>>(),
            "expose": expose.collect::<Vec<_>>(),
        },
    })
}

impl Site<'static> {
    pub(crate) async fn start(name: &str) -> anyhow::Result<Self> {
        Self::with(cluster().await?, name, &Plan::new()).await
    }
}

impl<'a> Site<'a> {
    /// One whose operator sees the API server through `plan`.
    pub(crate) async fn with(
        control_plane: &'a ControlPlane,
        name: &str,
        plan: &Plan,
    ) -> anyhow::Result<Self> {
        let namespace = control_plane.namespace(name).await?;
        let kubelet = Kubelet::start(control_plane.client()?, Some(&namespace));
        let client = control_plane.client_through(&plan.layer())?;
        let operator = Operator::start(client, settings(&namespace));
        Ok(Self {
            control_plane,
            namespace,
            kubelet,
            operator,
        })
    }

    pub(crate) async fn put(&self, object: &Value) -> anyhow::Result<String> {
        self.apply(&object.to_string()).await
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
