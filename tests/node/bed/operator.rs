//! The operator as people install it.

use std::path::Path;

use anyhow::Context as _;

use super::Bed;
use super::workers::Sample;
use crate::scenarios::patiently;

const NAMESPACE: &str = "edgemodel-system";
const NAME: &str = "deployment/edgemodel-operator";

impl Bed {
    /// Installs the chart with a tag of the operator's image, or upgrades what is there, and waits until it is
    /// available.
    ///
    /// # Errors
    /// It never is.
    pub(crate) async fn install_operator(&self, tag: &str) -> anyhow::Result<()> {
        let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/edgemodel");
        let chart = chart.display().to_string();
        let tag = format!("image.tag={tag}");
        let install = ["upgrade", "--install", "edgemodel", &chart];
        let place = [
            "--namespace",
            NAMESPACE,
            "--create-namespace",
            "--set",
            &tag,
        ];
        self.control_plane
            .helm(&[&install[..], &place].concat())
            .await?;
        let status = ["rollout", "status", NAME, "-n", NAMESPACE, "--timeout=240s"];
        self.kubectl(&status).await.map(drop)
    }

    /// The UID of its pod.
    ///
    /// # Errors
    /// It has none, or several.
    pub(crate) async fn operator_uid(&self) -> anyhow::Result<String> {
        let labels = "app.kubernetes.io/name=edgemodel,app.kubernetes.io/component=operator";
        let pods = self.get(&["pods", "-n", NAMESPACE, "-l", labels]).await?;
        let uid = pods["items"][0]["metadata"]["uid"].as_str();
        uid.map(str::to_owned).context("the operator has no pod")
    }

    /// Makes a change that concerns no worker, and waits until the status is of it.
    ///
    /// # Errors
    /// Nobody looks at it.
    pub(crate) async fn until_operator_looked(&self, sample: &Sample) -> anyhow::Result<()> {
        let text = sample.text(&self.broker_url());
        let number = std::time::UNIX_EPOCH.elapsed()?.as_millis();
        let changed = text.replace(
            "desc: monitor the container",
            &format!("desc: 'look {number}'"),
        );
        anyhow::ensure!(changed != text, "the sample has no desc any more");
        self.apply(&changed).await?;
        patiently(async || Ok(self.model_status(&sample.name).await?.map(drop))).await
    }
}
