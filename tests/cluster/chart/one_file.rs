//! `deploy/install.yaml` is the chart.

use std::path::Path;
use std::process::Stdio;

use tests::control_plane::helm_program;
use tokio::process::Command;

/// People without Helm would get another operator than people with it.
#[tokio::test]
async fn the_one_file_is_what_the_chart_renders() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let home = tempfile::tempdir()?;
    let output = Command::new(root.join("deploy/render"))
        .arg(helm_program().await?)
        .env("HOME", home.path())
        .env("HELM_CACHE_HOME", home.path())
        .env("HELM_CONFIG_HOME", home.path())
        .env("HELM_DATA_HOME", home.path())
        .env("KUBECONFIG", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{said}");
    let rendered = String::from_utf8(output.stdout)?;
    let file = std::fs::read_to_string(root.join("deploy/install.yaml"))?;
    assert!(
        rendered == file,
        "deploy/install.yaml differs from the chart; run `make install-yaml` and commit it"
    );
    Ok(())
}
