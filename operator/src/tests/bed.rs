//! A runtime in a cluster in memory, reconciled by hand, and what came of it as text.

use std::path::Path;
use std::time::Duration;

use kube::runtime::events::{Recorder, Reporter};
use serde_json::{Map, Value, json};

use super::fake_api::FakeApi;
use crate::desired::Defaults;
use crate::lease::Leadership;
use crate::metrics::Metrics;
use crate::reconcile::{Context, Next, reconcile};

const SAMPLE: &str = include_str!("../../../deploy/samples/edgemodel.yaml");

/// A runtime named `edgemodel` in the namespace `plant`.
pub(super) struct Bed {
    pub(super) api: FakeApi,
    context: Context,
}

impl Bed {
    /// A cluster with a runtime of this spec and nothing else.
    pub(super) fn new(spec: &Value) -> Self {
        let api = FakeApi::default();
        let client = api.client();
        let reporter = Reporter {
            controller: "test".to_owned(),
            instance: None,
        };
        let context = Context {
            recorder: Recorder::new(client.clone(), reporter),
            client,
            defaults: Defaults {
                worker_image: "worker:1".to_owned(),
            },
            resync: Duration::from_mins(3),
            leadership: Leadership::alone(),
            metrics: Metrics::default(),
        };
        api.put(
            "edgemodelruntimes",
            json!({
                "apiVersion": "edgemodel.io/v1alpha1",
                "kind": "EdgeModelRuntime",
                "metadata": {
                    "name": "edgemodel", "namespace": "plant", "uid": "0b8f1c1e", "generation": 1,
                    "resourceVersion": "5",
                },
                "spec": spec,
            }),
        );
        Self { api, context }
    }

    /// Gives the runtime another spec.
    pub(super) fn respec(&self, change: impl FnOnce(&mut Value)) {
        self.api
            .change("edgemodelruntimes", "edgemodel", |runtime| {
                change(&mut runtime["spec"]);
                let generation = runtime["metadata"]["generation"].as_u64().unwrap();
                runtime["metadata"]["generation"] = (generation + 1).into();
            });
    }

    /// Reconciles once after this many failures, and describes what comes next.
    pub(super) async fn reconcile_after(&self, failures: u32) -> String {
        match reconcile(&self.context, "plant", "edgemodel", failures).await {
            Ok(Next::Requeue(after)) => format!("again after {} s", after.as_secs()),
            Ok(Next::Gone) => "gone".to_owned(),
            Ok(Next::NamespaceTerminating) => "namespace terminating".to_owned(),
            Err(error) => format!("failed ({}): {error}", error.category()),
        }
    }

    /// Reconciles once, writes what was done and reported into a golden file or compares it.
    pub(super) async fn report(&self, name: &str) {
        self.report_after(name, 1).await;
    }

    /// See [`Self::report`]; after this many failures.
    pub(super) async fn report_after(&self, name: &str, failures: u32) {
        let next = self.reconcile_after(failures).await;
        let status = self.api.all("edgemodelruntimes")[0]["status"].clone();
        let status = without_times(status);
        let writes = self.api.writes();
        golden(
            &format!("statuses/{name}.yaml"),
            &json!({ "next": next, "writes": writes, "status": status }),
        );
    }

    /// Every Deployment says that it has what it should have.
    pub(super) fn roll_out(&self) {
        for deployment in self.api.all("deployments") {
            let name = deployment["metadata"]["name"].as_str().unwrap();
            self.api.change("deployments", name, |live| {
                let wanted = live["spec"]["replicas"].as_u64().unwrap_or(1);
                live["status"] = json!({
                    "observedGeneration": live["metadata"]["generation"],
                    "replicas": wanted, "updatedReplicas": wanted, "availableReplicas": wanted,
                });
            });
        }
    }

    /// Puts a pod there of the Deployment's present template, with this status.
    pub(super) fn put_pod(&self, name: &str, deployment: &Value, status: Value) {
        let mut pod = deployment["spec"]["template"].clone();
        pod["apiVersion"] = "v1".into();
        pod["kind"] = "Pod".into();
        pod["metadata"]["name"] = name.into();
        pod["status"] = status;
        self.api.put("pods", pod);
    }

    /// The Deployment whose name begins like this.
    pub(super) fn deployment(&self, start: &str) -> Value {
        let mut all = self.api.all("deployments").into_iter();
        all.find(|one| one["metadata"]["name"].as_str().unwrap().starts_with(start))
            .unwrap()
    }
}

/// pyboot's sample, changed.
pub(super) fn sample(change: impl FnOnce(&mut Value)) -> Value {
    let mut object = serde_saphyr::from_str::<Value>(SAMPLE).unwrap();
    change(&mut object["spec"]);
    object["spec"].take()
}

/// pyboot's sample with two models that can serve.
pub(super) fn two_models(change: impl FnOnce(&mut Value)) -> Value {
    sample(|spec| {
        spec["funcs"][1]["modelMd5"] = "0123456789abcdef0123456789abcdef".into();
        change(spec);
    })
}

/// Compares with the file of that name in `operator/golden`; with UPDATE set, writes it.
#[track_caller]
pub(super) fn golden(name: &str, value: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(name);
    let text = serde_saphyr::to_string(&sorted(value)).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == expected,
        "{name} differs; set UPDATE=1 and review the difference. It is now\n{text}"
    );
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| key.as_str());
            let fields = fields.into_iter();
            fields
                .map(|(key, value)| (key.clone(), sorted(value)))
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn without_times(mut status: Value) -> Value {
    for condition in status["conditions"].as_array_mut().into_iter().flatten() {
        condition["lastTransitionTime"] = "T".into();
    }
    status
}
