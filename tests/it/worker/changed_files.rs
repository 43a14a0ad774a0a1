//! Files of an installed model that someone changes: what was verified is what runs.

use std::path::PathBuf;

use anyhow::Context as _;
use tests::running::Running;
use tests::site::Site;

const MODEL: &str = "def handler(event, context): return 'verified'\n";
const OTHER: &str = "def handler(event, context): return 'changed'\n";
const RESTORED: &str =
    "Files of an installed model were changed, restored them from its verified zip";

/// The folder of the only installed copy.
fn copy(site: &Site) -> anyhow::Result<PathBuf> {
    for entry in std::fs::read_dir(site.models.installed())? {
        let path = entry?.path();
        if path.join("manifest.json").is_file() {
            return Ok(path);
        }
    }
    anyhow::bail!("no model is installed")
}

/// A model rewrote another one's verified copy in a shared directory: it ran, and `/status` showed the configured digest.
#[tokio::test]
async fn row_3_what_was_verified_is_what_runs_at_each_start_of_a_host() -> anyhow::Result<()> {
    let mut site = Site::start(MODEL).await?;
    let copy = copy(&site)?;
    let index = copy.join("model/index.py");

    // While the worker runs: the next host would import it.
    std::fs::write(&index, OTHER)?;
    std::fs::write(copy.join("model/json.py"), OTHER)?;
    site.kill_host().await?;
    site.measure(1).await?;
    assert_eq!(site.result().await?, "verified");
    let (_, log) = site.worker.stop().await?;
    let restored = log.iter().find(|line| line["message"] == RESTORED);
    assert_eq!(restored.context("it is told")?["count"], 2);

    // While no worker runs, and its origin is gone.
    std::fs::write(&index, OTHER)?;
    std::fs::remove_file(site.models.path().join("industry.zip"))?;
    site.worker = Running::start(&site.config, &site.models.installed()).await?;
    site.worker.ready().await?;
    site.measure(2).await?;
    assert_eq!(site.result().await?, "verified");
    site.worker.stop().await?;

    // The zip, too: then there is nothing to run.
    let other = site.models.pack("other", OTHER)?;
    std::fs::copy(&other.path, copy.join("model.zip"))?;
    std::fs::write(&index, OTHER)?;
    site.worker = Running::start(&site.config, &site.models.installed()).await?;
    let refused =
        |status: &serde_json::Value| status["models"][0]["state"]["reason"] == "FileUnreadable";
    site.worker.until(refused).await?;
    site.worker.stop().await?;
    Ok(())
}
