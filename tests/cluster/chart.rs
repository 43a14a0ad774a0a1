//! The Helm chart, by the real Helm on a real API server.

mod admission;
mod life;
mod matrix;
mod one_file;
mod refused;

use serde_json::Value;
use tests::control_plane::ControlPlane;

/// The chart's folder.
pub(crate) const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/edgemodel");

const RELEASE: &str = "edgemodel";
const SYSTEM: &str = "edgemodel-system";
const OPERATOR: &str = "edgemodel-operator";

/// The objects that the chart makes of `values`, as YAML, without the pod of `helm test`.
pub(crate) async fn render(
    control_plane: &ControlPlane,
    namespace: &str,
    values: &Value,
) -> anyhow::Result<String> {
    let values = Values::new(values)?;
    let template = [
        "template",
        RELEASE,
        CHART,
        "--skip-tests",
        "--namespace",
        namespace,
    ];
    control_plane
        .helm(&[&template[..], &values.arguments()].concat())
        .await
}

/// Values in a file.
struct Values {
    file: tempfile::NamedTempFile,
}

impl Values {
    fn new(values: &Value) -> anyhow::Result<Self> {
        let file = tempfile::NamedTempFile::new()?;
        // JSON is YAML too.
        std::fs::write(file.path(), values.to_string())?;
        Ok(Self { file })
    }

    fn arguments(&self) -> [&str; 2] {
        ["--values", self.file.path().to_str().unwrap_or_default()]
    }
}
