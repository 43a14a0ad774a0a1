//! A message over which the worker itself dies, as one that is over its memory does.

use tests::running::Running;
use tests::site::{Site, message};

/// The message with 13 is still there when the worker is killed.
const MODEL: &str = "
import time
def handler(event, context):
    value = event['telemetry']['RC_cylinder1_1P_d_dispPeak']
    if value == 13:
        time.sleep(3600)
    return value
";

fn config(config: &str, dead_letters: bool) -> String {
    let topic = if dead_letters {
        "- pub:\n    deadLetterTopic: dead\n"
    } else {
        "- pub:\n"
    };
    let config = config.replace("- pub:\n", topic);
    config.replace(
        "modelName: industry\n",
        "modelName: industry\n  timeout: 600\n",
    )
}

/// Kills the worker when it has `count` messages, and starts another one.
async fn die(site: &mut Site, count: u64) -> anyhow::Result<()> {
    let has = |status: &serde_json::Value| status["models"][0]["ledger"]["in_flight"] == count;
    site.worker.until(has).await?;
    site.worker.kill().await?;
    site.worker = Running::start(&site.config, &site.models.installed()).await?;
    Ok(())
}

async fn dies_over_it(dead_letters: bool) -> anyhow::Result<Site> {
    let mut site = Site::with(MODEL, |text| config(&text, dead_letters)).await?;
    site.measure(7).await?;
    assert_eq!(site.result().await?, 7);
    site.measure(13).await?;
    site.measure(8).await?;
    // Both were read; then one is taken alone, twice.
    die(&mut site, 2).await?;
    die(&mut site, 1).await?;
    die(&mut site, 1).await?;
    Ok(site)
}

#[tokio::test]
async fn row_5_a_message_that_the_worker_dies_over_alone_twice_is_a_dead_letter()
-> anyhow::Result<()> {
    let mut site = dies_over_it(true).await?;
    let letter = site.result().await?;
    assert_eq!(letter["reason"], "worker_crash");
    assert_eq!(letter["payload"], message(13));
    assert_eq!(site.result().await?, 8);
    site.measure(9).await?;
    assert_eq!(site.result().await?, 9);
    site.worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn row_5_without_dead_letters_a_message_that_the_worker_dies_over_is_a_file()
-> anyhow::Result<()> {
    let mut site = dies_over_it(false).await?;
    assert_eq!(site.result().await?, 8);
    let folder = site.models.installed().join("set-aside");
    let files: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    assert_eq!(files.len(), 1, "{files:?}");
    let letter: serde_json::Value = serde_json::from_slice(&std::fs::read(files[0].path())?)?;
    assert_eq!(letter["payload"], message(13));
    let status = site.worker.status().await?;
    assert_eq!(status["models"][0]["ledger"]["failed"], 1);
    site.worker.stop().await?;
    Ok(())
}
