//! A runtime on the bed, made of `deploy/samples/edgemodel.yaml`, and its workers.

use anyhow::Context as _;
use packages::Packed;
use serde_json::Value;
use tests::site::{IN, OUT};

use super::Bed;

const SAMPLE: &str = include_str!("../../../deploy/samples/edgemodel.yaml");

/// What stands in the sample for what a site has of its own.
const ADDRESS: &str =
    "http://10.200.60.18:9000/group1/M00/49/04/Csg8EmGdnIyAVJdVAAHaY0adxNc829.zip";
const MD5: &str = "pZ4DJ+YhYM9ppHD+VhLi+A==";
const BROKER: &str = "tcp://192.168.241.1:1883";

/// A model that says which version it is, and takes its time over large numbers.
pub(crate) const MODEL: &str = "
import time

def handler(event, context):
    number = event['telemetry']['RC_cylinder1_1P_d_dispPeak']
    if number >= 1_000_000_000:
        time.sleep(0.05)
    return {'n': number, 'model': 'VERSION'}
";

/// What the spec of a runtime says.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Its name; that of the sample is `edgemodel`.
    pub(crate) name: String,
    /// Where its model is.
    pub(crate) address: String,
    /// Its model.
    pub(crate) md5: String,
    /// The version of MQTT, if the spec says one.
    pub(crate) version: Option<&'static str>,
    /// The port of the node.
    pub(crate) port: u16,
    /// Further fields of the model, each a line.
    pub(crate) model: Vec<String>,
    /// Further fields of the spec, each a line.
    pub(crate) spec: Vec<String>,
}

impl Sample {
    /// The sample with a model.
    pub(crate) fn new(address: String, packed: &Packed) -> Self {
        Self {
            name: "edgemodel".to_owned(),
            address,
            md5: packed.md5.to_string(),
            version: None,
            port: 38080,
            model: Vec::new(),
            spec: Vec::new(),
        }
    }

    /// The topics of telemetry and results.
    pub(crate) fn topics(&self) -> (String, String) {
        let end = self.name.trim_start_matches("edgemodel");
        (format!("{IN}{end}"), format!("{OUT}{end}"))
    }

    /// As kubectl takes it.
    pub(crate) fn text(&self, broker: &str) -> String {
        let (input, output) = self.topics();
        let end = self.name.trim_start_matches("edgemodel");
        let owner = end.trim_start_matches('-');
        let lines = |lines: &[String], indent: &str| {
            let each = lines.iter().map(|line| format!("\n{indent}{line}"));
            each.collect::<String>()
        };
        let version = self.version.map(|version| format!("version: '{version}'"));
        let version: Vec<_> = version.into_iter().collect();
        SAMPLE
            .replace("  name: edgemodel\n", &format!("  name: {}\n", self.name))
            .replace(ADDRESS, &self.address)
            .replace(MD5, &self.md5)
            .replace(BROKER, broker)
            .replace("outPort: 38080", &format!("outPort: {}", self.port))
            .replace(IN, &input)
            .replace(OUT, &output)
            .replace("clientId: ", &format!("clientId: {owner}"))
            .replace(
                "    modelName: industry",
                &format!("    modelName: industry{}", lines(&self.model, "    ")),
            )
            .replace(
                "    retain: false",
                &format!("    retain: false{}", lines(&version, "    ")),
            )
            .replace("spec:\n", &format!("spec:{}\n", lines(&self.spec, "  ")))
    }
}

/// A pod of the model `industry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Worker {
    /// Its name.
    pub(crate) name: String,
    /// Its UID.
    pub(crate) uid: String,
    /// Its address.
    pub(crate) address: String,
    /// Whether it is ready.
    pub(crate) ready: bool,
    /// Whether it is on its way out.
    pub(crate) going: bool,
    /// How often its container was started again.
    pub(crate) restarts: i64,
}

impl Bed {
    /// Applies a runtime.
    ///
    /// # Errors
    /// It is refused.
    pub(crate) async fn apply_sample(&self, sample: &Sample) -> anyhow::Result<()> {
        self.apply(&sample.text(&self.broker_url())).await
    }

    /// The workers of a runtime's first model.
    ///
    /// # Errors
    /// The API server does not answer.
    pub(crate) async fn workers(&self, runtime: &str) -> anyhow::Result<Vec<Worker>> {
        let labels = format!("edgemodel.io/runtime={runtime},edgemodel.io/model=industry");
        let pods = self.get(&["pods", "-l", &labels]).await?;
        let pods = pods["items"].as_array().cloned().unwrap_or_default();
        Ok(pods.iter().map(worker).collect())
    }

    /// The Deployment of a runtime's first model.
    ///
    /// # Errors
    /// There is none.
    pub(crate) async fn deployment(&self, runtime: &str) -> anyhow::Result<Value> {
        let labels = format!("edgemodel.io/runtime={runtime},edgemodel.io/model=industry");
        let found = self.get(&["deployments", "-l", &labels]).await?;
        let first = found["items"].get(0).cloned();
        first.context("the model has no Deployment")
    }

    /// Waits until a runtime's first model serves as its spec says, by so many workers, and no others are left.
    ///
    /// # Errors
    /// It does not within some minutes.
    pub(crate) async fn until_serving(
        &self,
        runtime: &str,
        count: usize,
    ) -> anyhow::Result<Vec<Worker>> {
        let served = crate::scenarios::patiently(async || {
            let status = self.model_status(runtime).await?;
            let workers = self.workers(runtime).await?;
            let all = workers.len() == count && workers.iter().all(|one| one.ready && !one.going);
            Ok((status.is_some_and(|model| model["ready"] == true) && all).then_some(workers))
        })
        .await;
        match served {
            Ok(workers) => Ok(workers),
            Err(error) => {
                let pods = self.kubectl(&["describe", "pods"]).await?;
                let runtime = self.kubectl(&["get", "emr", runtime, "-o", "yaml"]).await?;
                anyhow::bail!("{error}\n{runtime}\n{pods}")
            }
        }
    }

    /// What a runtime's status says of its first model, if it is of the present spec.
    ///
    /// # Errors
    /// There is no such runtime.
    pub(crate) async fn model_status(&self, runtime: &str) -> anyhow::Result<Option<Value>> {
        let found = self.get(&["emr", runtime]).await?;
        let current = found["status"]["observedGeneration"] == found["metadata"]["generation"];
        let model = found["status"]["models"].get(0).cloned();
        Ok(model.filter(|_| current))
    }

    /// Deletes a runtime and waits until its workers are gone.
    ///
    /// # Errors
    /// They stay.
    pub(crate) async fn delete(&self, runtime: &str) -> anyhow::Result<()> {
        self.kubectl(&["delete", "emr", runtime]).await?;
        crate::scenarios::patiently(async || {
            Ok(self.workers(runtime).await?.is_empty().then_some(()))
        })
        .await
    }
}

fn worker(pod: &Value) -> Worker {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let status = &pod["status"];
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let mut ready = conditions.filter(|one| one["type"] == "Ready" && one["status"] == "True");
    Worker {
        name: text(&pod["metadata"]["name"]),
        uid: text(&pod["metadata"]["uid"]),
        address: text(&status["podIP"]),
        ready: ready.next().is_some(),
        going: pod["metadata"]["deletionTimestamp"].is_string(),
        restarts: status["containerStatuses"][0]["restartCount"]
            .as_i64()
            .unwrap_or(0),
    }
}
