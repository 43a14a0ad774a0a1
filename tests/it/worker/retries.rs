//! `funcs[].retry` and the end of a worker.

use crds::validated::Qos;
use tests::eventually;
use tests::running::Running;
use tests::site::{IN, Site, message};

const MODEL: &str = "
import os
def handler(event, context):
    if not os.path.exists('MARKER'):
        raise ConnectionError('the database is away')
    return event['telemetry']['RC_cylinder1_1P_d_dispPeak']
";

/// What waits for its next attempt is neither acknowledged nor a dead letter.
#[tokio::test]
async fn a_worker_that_stops_leaves_what_it_would_try_again_to_the_broker() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let marker = folder.path().join("marker");
    let model = MODEL.replace("MARKER", &marker.display().to_string());
    let site = Site::with(&model, |config| {
        config
            .replacen(
                "- devices:",
                "- retry: {attempts: 100, backoff: 3600}\n  devices:",
                1,
            )
            .replacen("- pub:\n", "- pub:\n    deadLetterTopic: dead\n", 1)
    })
    .await?;
    let Site {
        broker: _broker,
        worker,
        config,
        models,
        mut device,
        mut reader,
    } = site;
    worker.stop().await?;
    let installed = models.installed();
    let arguments = ["--drain-timeout", "1"];
    let worker = Running::with_arguments(&config, &installed, &arguments).await?;
    worker.ready().await?;
    for value in [7, 8] {
        device.send(IN, message(value), Qos::AtLeastOnce).await?;
    }
    eventually(async || {
        let metrics = worker.get("/metrics").await?.1;
        let retried = metrics.contains("edgemodel_model_retries_total{model=\"industry\"} 1");
        Ok(retried.then_some(()))
    })
    .await?;
    let (status, log) = worker.stop().await?;
    assert!(status.success(), "{log:?}");
    std::fs::write(&marker, "")?;
    let worker = Running::start(&config, &installed).await?;
    for value in [7, 8] {
        assert_eq!(reader.take().await?.payload, value.to_string());
    }
    worker.stop().await?;
    Ok(())
}
