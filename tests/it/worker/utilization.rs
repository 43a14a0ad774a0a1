//! What autoscalers see of a model that is too slow.

use std::time::Duration;

use anyhow::Context as _;
use crds::validated::Qos;
use serde_json::Value;
use tests::mosquitto::Mosquitto;
use tests::site::{IN, Site, message};

/// 50 ms a call, until the test needs it no more.
const MODEL: &str = "
import os, time
def handler(event, context):
    if not os.path.exists(FAST):
        time.sleep(0.05)
";

fn model(status: &Value) -> &Value {
    &status["models"][0]
}

/// Whether all messages that the worker has wait for the model, but the one that it works on.
fn all_wait_but_one(status: &Value, waiting: u64) -> bool {
    model(status)["ledger"]["in_flight"] == waiting + 1
}

fn waiting(status: &Value) -> u64 {
    let queues = &model(status)["queues"];
    let depth = |queue: &str| queues[queue]["depth"].as_u64().unwrap_or_default();
    depth("pre") + depth("host")
}

/// Five times what the model can take. How the utilization rises to 1 and falls to 0 is tested in `host::utilization`.
#[tokio::test]
async fn a_model_that_is_too_slow_is_seen_to_be_busy_and_all_its_messages_to_wait()
-> anyhow::Result<()> {
    let broker =
        Mosquitto::with(|_, port| format!("listener {port} 127.0.0.1\nallow_anonymous true\n"))
            .await?;
    let folder = tempfile::tempdir()?;
    let fast = folder.path().join("fast");
    let index = MODEL.replace("FAST", &format!("{:?}", fast.display().to_string()));
    let Site {
        worker,
        mut device,
        broker: _broker,
        models: _models,
        ..
    } = Site::on(broker, &index, |config| config).await?;
    let load = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            device.push(IN, message(1), Qos::AtLeastOnce).await?;
        }
    };
    let saturated = worker.until(|status| {
        model(status)["utilization"].as_f64() >= Some(0.1)
            && all_wait_but_one(status, waiting(status))
    });
    tokio::select! {
        failed = load => return failed,
        status = saturated => {
            status?;
        }
    }
    tests::eventually(async || {
        let text = worker.get("/queue_size_metrics").await?.1;
        let sizes: Value = serde_json::from_str(&text)?;
        let pre = sizes["queue_size_metrics"][0]["pre_queue"].as_u64();
        let pre = pre.context("no number")?;
        Ok(all_wait_but_one(&worker.status().await?, pre).then_some(()))
    })
    .await?;
    std::fs::write(&fast, "")?;
    worker
        .until(|status| model(status)["ledger"]["in_flight"] == 0)
        .await?;
    let metrics = worker.get("/metrics").await?.1;
    for line in [
        "edgemodel_model_utilization{model=\"industry\"} 0.",
        "edgemodel_queue_depth{model=\"industry\",queue=\"host\"} 0",
    ] {
        assert!(
            metrics.lines().any(|other| other.starts_with(line)),
            "no {line} in\n{metrics}"
        );
    }
    worker.stop().await?;
    Ok(())
}
