//! The main job on the seed's own configuration and message.

use std::ffi::OsStr;

use crds::validated::Qos;
use serde_json::json;
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::site::{IN, MESSAGE, Models, OUT, Site, seed};
use worker::tools::{Broker, ModelServer};

const ECHO: &str = "
def handler(event, context):
    return {'device': context.device, 'value': event['telemetry']['RC_cylinder1_1P_d_dispPeak']}
";

async fn main_job(broker: std::net::SocketAddr) -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("industry", ECHO)?;
    let server = ModelServer::start(packed.path.clone()).await?;
    let config = seed(&format!("tcp://{broker}"), server.url().as_str(), &packed)?;
    let worker = Running::start(&config, &models.installed()).await?;
    worker.ready().await?;

    let results = [(OUT, Qos::AtLeastOnce)];
    let mut reader = TestClient::connected(options(broker, "reader", &results)).await?;
    let mut device = TestClient::connected(options(broker, "device", &[])).await?;
    device.send(IN, MESSAGE, Qos::AtLeastOnce).await?;
    device
        .send(IN, MESSAGE.replace("设备2", "设备3"), Qos::AtLeastOnce)
        .await?;
    device.send(IN, MESSAGE, Qos::AtLeastOnce).await?;
    for _ in 0..2 {
        let result = reader.take().await?;
        assert_eq!(&*result.topic, OUT);
        assert_eq!(result.payload, "{\"device\":\"设备2\",\"value\":86}");
    }

    let status = worker
        .until(|status| status["models"][0]["ledger"]["published"] == 2)
        .await?;
    let ledger = &status["models"][0]["ledger"];
    assert_eq!(ledger["received"], 3, "{status:#}");
    assert_eq!(ledger["unmatched"], 1);
    assert_eq!(ledger["in_flight"], 0);
    assert_eq!(status["models"][0]["state"]["state"], "serving");
    assert_eq!(status["models"][0]["md5"], packed.md5.to_string());
    let refused = &status["models"][1]["state"];
    assert_eq!(refused["state"], "refused", "{status:#}");
    assert_eq!(refused["reason"], "InvalidDigest");
    let message = refused["message"].as_str().unwrap_or_default();
    assert!(message.contains("pZ4DJ+YhYM9ppHD+VhLi+A=1"), "{message}");

    let sizes: serde_json::Value =
        serde_json::from_str(&worker.get("/queue_size_metrics").await?.1)?;
    assert_eq!(
        sizes,
        json!({ "queue_size_metrics": [
            { "sub_process_name": "industry", "pre_queue": 0, "post_queue": 0 },
            { "sub_process_name": "test", "pre_queue": 0, "post_queue": 0 },
        ]})
    );
    let metrics = worker.get("/metrics").await?.1;
    for line in [
        "edgemodel_messages_received_total{model=\"industry\"} 3",
        "edgemodel_messages_total{model=\"industry\",outcome=\"published\"} 2",
        "edgemodel_messages_total{model=\"industry\",outcome=\"unmatched\"} 1",
        "edgemodel_model_refused{model=\"test\",reason=\"InvalidDigest\"} 1",
        "edgemodel_queue_depth{model=\"industry\",queue=\"pre\"} 0",
        "edgemodel_queue_capacity{model=\"industry\",queue=\"post\"} 1000",
        "edgemodel_hosts{model=\"industry\"} 1",
        "edgemodel_mqtt_connected{model=\"industry\",role=\"sub\",rule=\"0\"} 1",
    ] {
        assert!(
            metrics.lines().any(|other| other == line),
            "no {line} in\n{metrics}"
        );
    }
    let refusal = worker
        .log()
        .into_iter()
        .find(|line| line["reason"] == "InvalidDigest");
    assert_eq!(
        refusal.map(|line| line["level"].clone()),
        Some(json!("ERROR"))
    );

    let (status, log) = worker.stop().await?;
    assert!(status.success(), "{status}: {log:#?}");
    Ok(())
}

#[tokio::test]
async fn the_seed_runs_on_mosquitto() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    main_job(broker.address()).await
}

#[tokio::test]
async fn the_seed_runs_on_the_demo_s_broker() -> anyhow::Result<()> {
    let broker = Broker::start(([127, 0, 0, 1], 0).into()).await?;
    main_job(broker.addr()).await
}

/// At an edge, the model server is often away when a worker starts again.
#[tokio::test]
async fn a_verified_copy_serves_without_a_model_server() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let models = Models::new()?;
    let packed = models.pack("industry", ECHO)?;
    let server = ModelServer::start(packed.path.clone()).await?;
    let config = seed(&broker.url(), server.url().as_str(), &packed)?;
    let worker = Running::start(&config, &models.installed()).await?;
    worker.ready().await?;
    worker.stop().await?;
    drop(server);
    let worker = Running::start(&config, &models.installed()).await?;
    worker.ready().await?;
    worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_broker_that_comes_late_is_served_and_the_worker_is_unready_until_then()
-> anyhow::Result<()> {
    let mut broker = Mosquitto::start().await?;
    broker.kill().await?;
    let models = Models::new()?;
    let packed = models.pack("industry", ECHO)?;
    let config = seed(
        &broker.url(),
        &tests::site::file_url(&packed.path)?,
        &packed,
    )?;
    let worker = Running::start(&config, &models.installed()).await?;
    let status = worker
        .until(|status| !status["models"][0]["sessions"][0]["error"].is_null())
        .await?;
    assert_eq!(status["ready"], false);
    assert_eq!(worker.get("/readyz").await?.0, 503);
    assert_eq!(worker.get("/healthz").await?.0, 200);
    broker.start_again().await?;
    worker.ready().await?;
    worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn what_a_model_prints_is_in_the_log_with_its_name() -> anyhow::Result<()> {
    let mut site =
        Site::start("def handler(event, context):\n    print('hello from', context.device)\n")
            .await?;
    site.measure(1).await?;
    let said = |line: &serde_json::Value| {
        line["message"] == "hello from 设备2" && line["model"] == "industry"
    };
    tests::eventually(async || Ok(site.worker.log().iter().any(said).then_some(()))).await?;
    let status = site
        .worker
        .until(|status| status["models"][0]["ledger"]["empty"] == 1)
        .await?;
    assert_eq!(status["models"][0]["ledger"]["published"], 0);
    site.worker.stop().await?;
    Ok(())
}

/// As in pyboot: unset or false means that the model is already there.
#[tokio::test]
async fn download_model_says_whether_models_are_downloaded() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let models = Models::new()?;
    let packed = models.pack("industry", ECHO)?;
    let server = ModelServer::start(packed.path.clone()).await?;
    let config = seed(&broker.url(), server.url().as_str(), &packed)?;
    for value in ["", "False", "0"] {
        let worker = download_model(&config, &models, value).await?;
        let status = worker
            .until(|status| status["models"][0]["state"]["state"] == "refused")
            .await?;
        assert_eq!(status["models"][0]["state"]["reason"], "DownloadDisabled");
        worker.stop().await?;
    }
    let worker = download_model(&config, &models, "True").await?;
    worker.ready().await?;
    worker.stop().await?;
    Ok(())
}

/// Starts a worker with a value of `DOWNLOAD_MODEL`.
async fn download_model(config: &str, models: &Models, value: &str) -> anyhow::Result<Running> {
    let variables = [("DOWNLOAD_MODEL", OsStr::new(value))];
    Running::with_environment(config, &models.installed(), &variables).await
}
