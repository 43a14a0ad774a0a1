//! Brokers that die, fall silent and are slow.

use std::collections::BTreeSet;

use crds::validated::Qos;
use rustix::process::Signal;
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::site::{IN, Models, OUT, Site, file_url, message, seed};

const ECHO: &str =
    "def handler(event, context):\n    return event['telemetry']['RC_cylinder1_1P_d_dispPeak']\n";

/// mosquitto may lose what it acknowledged and had not saved when it is killed; as a careful device
/// would, the test sends again what has no result. The worker's part is to come back and to balance.
#[tokio::test]
async fn wk_02_a_broker_that_is_killed_under_load_costs_no_result() -> anyhow::Result<()> {
    let mut site = Site::start(ECHO).await?;
    for value in 0..100 {
        site.device.publish(IN, message(value), Qos::AtLeastOnce);
    }
    site.device.done(10).await?;
    site.broker.kill().await?;
    site.broker.start_again().await?;
    let mut results = BTreeSet::new();
    let all: BTreeSet<u64> = (0..100).collect();
    for attempt in 0..10 {
        let collect = async {
            while results != all {
                tokio::select! {
                    message = site.reader.take() => {
                        results.insert(serde_json::from_slice::<u64>(&message?.payload)?);
                    }
                    event = site.device.until(Some) => {
                        event?;
                    }
                }
            }
            anyhow::Ok(())
        };
        if tokio::time::timeout(std::time::Duration::from_secs(3), collect)
            .await
            .is_ok()
        {
            break;
        }
        assert!(attempt < 9, "no result of {:?}", all.difference(&results));
        for value in all.difference(&results) {
            site.device.publish(IN, message(*value), Qos::AtLeastOnce);
        }
    }
    site.worker
        .until(|status| status["models"][0]["ledger"]["in_flight"] == 0 && status["ready"] == true)
        .await?;
    site.worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn wk_03_a_broker_that_falls_silent_is_left_and_found_again() -> anyhow::Result<()> {
    let mut site = Site::with(ECHO, |config| {
        config.replace("retain: false", "keepAlive: 5")
    })
    .await?;
    site.measure(1).await?;
    assert_eq!(site.result().await?, 1);
    site.broker.signal(Signal::STOP)?;
    let down = |status: &serde_json::Value| {
        let sessions = status["models"][0]["sessions"].as_array();
        sessions.is_some_and(|sessions| sessions.iter().all(|session| session["ready"] == false))
    };
    let status = site.worker.until(down).await?;
    let error = status["models"][0]["sessions"][0]["error"]
        .as_str()
        .unwrap_or_default();
    assert!(error.contains("does not answer pings"), "{error}");
    assert_eq!(status["ready"], false);
    site.broker.signal(Signal::CONT)?;
    site.worker.ready().await?;
    site.measure(2).await?;
    // The first comes again if its acknowledgement did not reach the broker.
    while site.result().await? != 2 {}
    site.worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn wk_07_a_broker_that_takes_no_results_withholds_the_acknowledgements() -> anyhow::Result<()>
{
    let (input, output) = (Mosquitto::start().await?, Mosquitto::start().await?);
    let models = Models::new()?;
    let packed = models.pack("industry", ECHO)?;
    let config = seed(&input.url(), &file_url(&packed.path)?, &packed)?
        .replace("rules:\n- pub:\n", "rules:\n- pub:\n    OTHER\n")
        .replace(
            "mqtts:\n",
            &format!("mqtts:\n- {{name: other, broker: '{}'}}\n", output.url()),
        )
        .replace(
            "  modelName: industry",
            "  modelName: industry\n  preQueueSize: 10\n  postQueueSize: 10",
        );
    let name = "    name: mosquitto-20336454-5413-4e2f-b52e-b945291359c7\n    timeout";
    let config = config
        .replace("    OTHER\n", "")
        .replace(name, "    name: other\n    timeout");
    let worker = Running::start(&config, &models.installed()).await?;
    worker.ready().await?;
    let results = [(OUT, Qos::AtLeastOnce)];
    let mut reader = TestClient::connected(options(output.address(), "r", &results)).await?;
    let mut device = TestClient::connected(options(input.address(), "d", &[])).await?;
    output.signal(Signal::STOP)?;
    // More than the publisher's window, both queues and the host hold together.
    for value in 0..4000 {
        device.push(IN, message(value), Qos::AtLeastOnce).await?;
    }
    device.done(3999).await?;
    let full = |status: &serde_json::Value| {
        let queues = &status["models"][0]["queues"];
        queues["pre"]["depth"] == 10 && queues["post"]["depth"] == 10
    };
    let status = worker.until(full).await?;
    assert_eq!(status["models"][0]["ledger"]["published"], 0, "{status:#}");
    output.signal(Signal::CONT)?;
    let mut came = BTreeSet::new();
    while came.len() < 4000 {
        came.insert(serde_json::from_slice::<u64>(
            &reader.take().await?.payload,
        )?);
    }
    worker
        .until(|status| status["models"][0]["ledger"]["in_flight"] == 0)
        .await?;
    worker.stop().await?;
    Ok(())
}
