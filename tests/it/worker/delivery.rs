//! Nothing is lost, and what cannot be processed is told.

use std::collections::{BTreeMap, BTreeSet};

use crds::validated::Qos;
use mqtt::Client as _;
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::site::{IN, Site, message};

const ECHO: &str =
    "def handler(event, context):\n    return event['telemetry']['RC_cylinder1_1P_d_dispPeak']\n";

fn with_dead_letters(config: &str) -> String {
    config.replace("- pub:\n", "- pub:\n    deadLetterTopic: dead\n")
}

#[tokio::test]
async fn what_a_model_cannot_process_is_a_dead_letter_with_its_message() -> anyhow::Result<()> {
    let model = "
def handler(event, context):
    raise ValueError('no such sensor')
";
    let mut site = Site::with(model, |config| with_dead_letters(&config)).await?;
    site.measure(5).await?;
    let letter = site.result().await?;
    assert_eq!(letter["reason"], "exception");
    assert_eq!(letter["message"], "ValueError: no such sensor");
    assert_eq!(letter["model"], "industry");
    assert_eq!(letter["device"], "设备2");
    assert_eq!(letter["topic"], IN);
    assert_eq!(letter["payload"], message(5));
    assert!(
        letter["traceback"]
            .as_str()
            .is_some_and(|text| text.contains("index.py"))
    );
    let status = site
        .worker
        .until(|status| status["models"][0]["ledger"]["dead_lettered"] == 1)
        .await?;
    assert_eq!(
        status["models"][0]["lastErrors"][0]["message"], "ValueError",
        "the text may quote the message"
    );
    site.worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn without_a_dead_letter_topic_failures_are_counted_and_the_next_message_is_served()
-> anyhow::Result<()> {
    let model = "
def handler(event, context):
    return 1 / event['telemetry']['RC_cylinder1_1P_d_dispPeak']
";
    let mut site = Site::start(model).await?;
    site.measure(0).await?;
    site.measure(2).await?;
    assert_eq!(site.result().await?, 0.5);
    let metrics = site.worker.get("/metrics").await?.1;
    let failures = "edgemodel_failures_total{model=\"industry\",reason=\"exception\"} 1";
    assert!(metrics.contains(failures), "{metrics}");
    site.worker.stop().await?;
    Ok(())
}

/// A broker that closes the connection over a large result must not hold back all results behind it.
#[tokio::test]
async fn a_result_over_the_broker_s_limit_is_a_dead_letter_and_the_next_is_published()
-> anyhow::Result<()> {
    let model = "
def handler(event, context):
    return 'x' * event['telemetry']['RC_cylinder1_1P_d_dispPeak']
";
    let limited = Mosquitto::with(|_, port| {
        format!("listener {port} 127.0.0.1\nallow_anonymous true\nmax_packet_size 5000\n")
    })
    .await?;
    let mut site = Site::on(limited, model, |config| with_dead_letters(&config)).await?;
    for value in [1, 10_000, 2] {
        site.measure(value).await?;
    }
    let mut came = Vec::new();
    while came.len() < 3 {
        let result = site.result().await?;
        came.push(result["reason"].as_str().unwrap_or("published").to_owned());
    }
    came.sort();
    assert_eq!(came, ["publish_refused", "published", "published"]);
    let status = site
        .worker
        .until(|status| status["models"][0]["ledger"]["in_flight"] == 0)
        .await?;
    assert_eq!(status["models"][0]["ledger"]["dead_lettered"], 1);
    let error = status["models"][0]["lastErrors"][0]["message"].as_str();
    assert!(
        error.is_some_and(|text| text.contains("closed the connection over the message of 10")),
        "{error:?}"
    );
    let metrics = site.worker.get("/metrics").await?.1;
    let failures = "edgemodel_failures_total{model=\"industry\",reason=\"publish_refused\"} 1";
    assert!(metrics.contains(failures), "{metrics}");
    site.worker.stop().await?;
    Ok(())
}

/// With these it drops what a slow model leaves there.
#[tokio::test]
async fn mosquitto_s_default_limits_are_warned_of_in_mqtt_5() -> anyhow::Result<()> {
    for (limits, warned) in [("", true), ("max_inflight_messages 0\n", false)] {
        let broker = Mosquitto::with(|_, port| {
            format!("listener {port} 127.0.0.1\nallow_anonymous true\n{limits}")
        })
        .await?;
        let site = Site::on(broker, ECHO, |config| {
            config.replace("retain: false", "version: '5'")
        })
        .await?;
        let (_, log) = site.worker.stop().await?;
        let warning = log.iter().any(|line| {
            let text = line["warning"].as_str().unwrap_or_default();
            text.contains("mosquitto's default limits") && text.contains("max_queued_messages 0")
        });
        assert_eq!(warning, warned, "{log:#?}");
    }
    Ok(())
}

/// A full queue stops the reading; the broker holds the rest, and nothing is lost.
#[tokio::test]
async fn a_slow_model_s_queue_fills_and_nothing_is_lost() -> anyhow::Result<()> {
    let model = "
import os, time
def handler(event, context):
    while not os.path.exists(GATE):
        time.sleep(0.01)
    return event['telemetry']['RC_cylinder1_1P_d_dispPeak']
";
    let folder = tempfile::tempdir()?;
    let gate = folder.path().join("open");
    let model = model.replace("GATE", &format!("{:?}", gate.display().to_string()));
    let mut site = Site::with(&model, |config| {
        config.replace(
            "  modelName: industry",
            "  modelName: industry\n  preQueueSize: 10\n  timeout: 60",
        )
    })
    .await?;
    for value in 0..1000 {
        site.device.publish(IN, message(value), Qos::AtLeastOnce);
        if site.device.session.publish_capacity() == 0 || value == 999 {
            site.device.done(value).await?;
        }
    }
    site.worker
        .until(|status| status["models"][0]["queues"]["pre"]["depth"] == 10)
        .await?;
    std::fs::write(&gate, "")?;
    for value in 0..1000 {
        assert_eq!(site.result().await?, value);
    }
    let status = site
        .worker
        .until(|status| status["models"][0]["ledger"]["published"] == 1000)
        .await?;
    assert_eq!(status["models"][0]["ledger"]["dropped"], 0);
    site.worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_full_queue_drops_and_counts_when_the_configuration_says_so() -> anyhow::Result<()> {
    let model = "
import time
def handler(event, context):
    time.sleep(0.05)
    return event['telemetry']['RC_cylinder1_1P_d_dispPeak']
";
    for (policy, metric) in [("dropNewest", "drop_newest"), ("dropOldest", "drop_oldest")] {
        let mut site = Site::with(model, |config| {
            let settings = format!("  modelName: industry\n  preQueueSize: 1\n  onFull: {policy}");
            config.replace("  modelName: industry", &settings)
        })
        .await?;
        for value in 0..100 {
            site.device.publish(IN, message(value), Qos::AtLeastOnce);
        }
        site.device.done(99).await?;
        let status = site
            .worker
            .until(|status| {
                let ledger = &status["models"][0]["ledger"];
                ledger["received"] == 100 && ledger["in_flight"] == 0
            })
            .await?;
        let dropped = status["models"][0]["ledger"]["dropped"]
            .as_u64()
            .unwrap_or(0);
        assert!(dropped > 0, "{status:#}");
        let metrics = site.worker.get("/metrics").await?.1;
        let line = format!(
            "edgemodel_queue_dropped_total{{model=\"industry\",reason=\"{metric}\"}} {dropped}"
        );
        assert!(metrics.contains(&line), "{metrics}");
        site.worker.stop().await?;
    }
    Ok(())
}

/// SIGTERM while messages flow: all that were taken are finished, the rest waits at the broker, and
/// the next worker gets exactly that.
#[tokio::test]
async fn a_worker_that_is_asked_to_end_under_load_loses_and_repeats_nothing() -> anyhow::Result<()>
{
    let model = "
import time
def handler(event, context):
    time.sleep(0.001)
    return event['telemetry']['RC_cylinder1_1P_d_dispPeak']
";
    let mut site = Site::start(model).await?;
    for value in 0..2000 {
        site.device
            .push(IN, message(value), Qos::AtLeastOnce)
            .await?;
    }
    let (status, log) = site.worker.stop().await?;
    assert!(status.success(), "{log:#?}");
    site.device.done(1999).await?;
    let worker = Running::start(&site.config, &site.models.installed()).await?;
    let mut results = BTreeMap::new();
    while results.len() < 2000 {
        let message = site.reader.take().await?;
        let value: u64 = serde_json::from_slice(&message.payload)?;
        *results.entry(value).or_insert(0) += 1;
    }
    worker
        .until(|status| status["models"][0]["ledger"]["in_flight"] == 0)
        .await?;
    worker.stop().await?;
    let repeated: Vec<_> = results.iter().filter(|(_, count)| **count > 1).collect();
    assert!(repeated.is_empty(), "{repeated:?}");
    Ok(())
}

/// A power cut: what was taken and not finished comes again.
#[tokio::test]
async fn a_worker_that_is_killed_under_load_loses_nothing() -> anyhow::Result<()> {
    let mut site = Site::start(ECHO).await?;
    for value in 0..1000 {
        site.device
            .push(IN, message(value), Qos::AtLeastOnce)
            .await?;
        if value == 500 {
            site.worker.kill().await?;
            site.worker = Running::start(&site.config, &site.models.installed()).await?;
        }
    }
    site.device.done(999).await?;
    let mut results = BTreeSet::new();
    while results.len() < 1000 {
        let message = site.reader.take().await?;
        results.insert(serde_json::from_slice::<u64>(&message.payload)?);
    }
    site.worker.stop().await?;
    Ok(())
}
