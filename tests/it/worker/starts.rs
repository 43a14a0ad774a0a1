//! What a worker does each time that it starts.

use tests::eventually;
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::site::{Models, file_url, seed};

/// How many interpreters a worker asks what they are until it serves a model.
async fn asked(config: &str, models: &Models) -> anyhow::Result<usize> {
    let level = std::ffi::OsStr::new("debug");
    let environment = [("EDGEMODEL_LOG", level)];
    let worker = Running::with_environment(config, &models.installed(), &environment).await?;
    worker
        .until(|status| status["models"][0]["state"]["state"] == "serving")
        .await?;
    let (_, log) = worker.stop().await?;
    let asked = |line: &&serde_json::Value| line["message"] == "Interpreter inspected";
    Ok(log.iter().filter(asked).count())
}

/// Asking takes as long as starting a host does.
#[tokio::test]
async fn an_interpreter_is_asked_once_not_at_each_start() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let models = Models::new()?;
    let packed = models.pack("m", "def handler(event, context):\n    return 1\n")?;
    let config = seed(&broker.url(), &file_url(&packed.path)?, &packed)?;
    assert_eq!(asked(&config, &models).await?, 1);
    assert_eq!(asked(&config, &models).await?, 0);
    let remembered = models.installed().join("interpreters");
    std::fs::write(&remembered, "[{")?;
    assert_eq!(asked(&config, &models).await?, 1);
    // A host that ends at its start may be another interpreter than it was.
    let ends = models.pack("ends", "import os\nos._exit(3)\n")?;
    let config = seed(&broker.url(), &file_url(&ends.path)?, &ends)?;
    assert!(remembered.exists());
    let worker = Running::start(&config, &models.installed()).await?;
    eventually(async || Ok((!remembered.exists()).then_some(()))).await?;
    worker.stop().await?;
    Ok(())
}
