//! The operator against a real API server.

mod access;
mod applying;
mod contract;
mod economy;
mod environment;
mod forbidden;
mod keda;
mod leadership;
mod models;
mod others;
mod ports;
mod scaling;
mod seed;
mod stale;
mod terminating;

use std::time::Duration;

use anyhow::Context as _;
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::DynamicObject;
use kube::{Api, Client};
use operator::desired::labels;
use operator::run::Settings;
use serde_json::{Value, json};
use tests::control_plane::{ControlPlane, Kubelet};
use tests::eventually;
use tests::faults::{Plan, Verb};
use tests::operator::{Operator, cluster, settings};

use crate::plans::state;

pub(crate) const RUNTIMES: &str = "edgemodelruntimes.edgemodel.io";
pub(crate) const DEPLOYMENTS: &str = "deployments.apps";

/// A runtime `plant` of two models that serve, under an operator with a plan.
pub(crate) async fn start(name: &str) -> anyhow::Result<(Site<'static>, Plan)> {
    let plan = Plan::new();
    let site = Site::with(cluster().await?, name, &plan).await?;
    site.put(&runtime("plant", &["alpha", "beta"], &[])).await?;
    site.until("plant", ready).await?;
    Ok((site, plan))
}

/// Whether all serves and nothing is on its way.
pub(crate) fn ready(status: &Value) -> bool {
    condition(status, "Ready")["status"] == "True"
        && condition(status, "Reconciling")["status"] == "False"
}

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
        let resync = settings(name).resync;
        Self::of(
            cluster().await?,
            name,
            &Plan::new(),
            resync,
            Operator::start,
        )
        .await
    }
}

impl<'a> Site<'a> {
    /// One whose operator is alone and sees the API server through `plan`.
    pub(crate) async fn with(
        control_plane: &'a ControlPlane,
        name: &str,
        plan: &Plan,
    ) -> anyhow::Result<Self> {
        let resync = settings(name).resync;
        Self::of(control_plane, name, plan, resync, Operator::alone).await
    }

    /// The same; and the operator looks again only when a watch tells it to.
    pub(crate) async fn quiet(
        control_plane: &'a ControlPlane,
        name: &str,
        plan: &Plan,
    ) -> anyhow::Result<Self> {
        let resync = Duration::from_mins(30);
        Self::of(control_plane, name, plan, resync, Operator::alone).await
    }

    async fn of(
        control_plane: &'a ControlPlane,
        name: &str,
        plan: &Plan,
        resync: Duration,
        operator: fn(Client, Settings) -> Operator,
    ) -> anyhow::Result<Self> {
        let namespace = control_plane.namespace(name).await?;
        let kubelet = Kubelet::start(control_plane.client()?, Some(&namespace));
        let client = tests::operator::client(control_plane, plan).await?;
        let settings = Settings {
            resync,
            ..settings(&namespace)
        };
        Ok(Self {
            control_plane,
            namespace,
            kubelet,
            operator: operator(client, settings),
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
        self.until_runtime(name, |runtime| {
            let generation = &runtime["metadata"]["generation"];
            runtime["status"]["observedGeneration"] == *generation && wanted(&runtime["status"])
        })
        .await
    }

    /// Waits until `wanted` holds of the runtime; for another minute as long as its status has changed in the last one, since
    /// a busy machine is slow, but not silent.
    pub(crate) async fn until_runtime(
        &self,
        name: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let runtimes = self.objects("edgemodelruntimes")?;
        let mut last = Value::Null;
        let mut minute = 1;
        loop {
            let before = last["status"].clone();
            let result = eventually(async || {
                let runtime = serde_json::to_value(runtimes.get(name).await?)?;
                let holds = wanted(&runtime);
                last = runtime;
                Ok(holds.then(|| last.clone()))
            })
            .await;
            if result.is_ok() || minute == MOST_MINUTES || last["status"] == before {
                return result.with_context(|| format!("{:#}", last["status"]));
            }
            minute += 1;
        }
    }

    /// The objects of a kind in the namespace, read without kubectl, which takes much longer: for what is asked again and
    /// again.
    pub(crate) fn objects(&self, plural: &str) -> anyhow::Result<Api<DynamicObject>> {
        let client = self.control_plane.client()?;
        Ok(state::api(&client, &self.namespace, plural))
    }

    /// Waits until the operator has looked at the runtime `plant` so many times more, from beginning to end.
    pub(crate) async fn looked(&self, plan: &Plan, times: usize) -> anyhow::Result<()> {
        let runtimes = self.objects("edgemodelruntimes")?;
        let looks = || plan.count(Verb::Get, RUNTIMES);
        // One may be under way; the second to begin does so when the first of them has ended.
        for _ in 0..=times {
            let before = looks();
            let patch = json!({ "metadata": { "annotations": { "look": before.to_string() } } });
            let parameters = PatchParams::default();
            runtimes
                .patch("plant", &parameters, &Patch::Merge(&patch))
                .await?;
            eventually(async || Ok((looks() > before).then_some(()))).await?;
        }
        Ok(())
    }

    /// Waits until nothing is left that an operator made.
    pub(crate) async fn until_nothing_is_left(&self) -> anyhow::Result<()> {
        let ours = ListParams::default().labels(labels::RUNTIME);
        for plural in [
            "deployments",
            "services",
            "configmaps",
            "pods",
            "horizontalpodautoscalers",
        ] {
            let objects = self.objects(plural)?;
            eventually(async || {
                let left = objects.list(&ours).await?;
                let names = left.iter().map(kube::ResourceExt::name_any);
                let names: Vec<_> = names.collect();
                anyhow::ensure!(names.is_empty(), "{plural} are left: {names:?}");
                Ok(Some(()))
            })
            .await?;
        }
        Ok(())
    }
}

/// Longest wait for a runtime whose status keeps changing.
const MOST_MINUTES: u32 = 5;

/// A condition of a status.
pub(crate) fn condition<'a>(status: &'a Value, kind: &str) -> &'a Value {
    let conditions = status["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions
        .find(|one| one["type"] == kind)
        .unwrap_or(&Value::Null)
}
