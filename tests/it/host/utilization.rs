//! How busy a model's hosts are said to be.

use tests::eventually;

/// A call takes until a file is there.
const MODEL: &str = "
import os, time
def handler(event, context):
    while not os.path.exists(DONE):
        time.sleep(0.01)
";

/// Over a window of a second in place of half a minute.
#[tokio::test]
async fn utilization_rises_to_one_during_a_call_and_falls_to_zero_after_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let done = folder.path().join("done");
    let index = MODEL.replace("DONE", &format!("{:?}", done.display().to_string()));
    let mut pool = super::start(&index).await?;
    let monitor = pool.monitor();
    let until = async |wanted: fn(f64) -> bool| {
        eventually(async || Ok(wanted(monitor.utilization()).then_some(()))).await
    };
    until(|utilization| utilization < 0.1).await?;
    pool.send("d", "{}")?;
    until(|utilization| utilization >= 0.9).await?;
    std::fs::write(&done, "")?;
    pool.next().await?;
    until(|utilization| utilization <= 0.0).await?;
    pool.drain().await;
    Ok(())
}
