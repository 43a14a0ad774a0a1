//! The wall clock jumps, as when a device without a battery clock learns the time.

use std::ffi::OsStr;

use crds::validated::Qos;
use tests::client::{TestClient, closed_for_silence, options};
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::site::{IN, Models, OUT, file_url, message, seed};

/// Shows the clock that the worker and the host see; 0 hangs.
const MODEL: &str = "
import threading, time
def handler(event, context):
    value = event['telemetry']['RC_cylinder1_1P_d_dispPeak']
    if value == 0:
        threading.Event().wait()
    return [value, context.received_at.timestamp(), time.time()]
";

/// Keep-alives, timeouts, back-off and the statistics of quarantine must go by a clock that does not jump.
#[tokio::test]
async fn wk_17_timers_survive_a_clock_that_jumps_by_years() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let models = Models::new()?;
    let clock = models.path().join("clock");
    std::fs::write(&clock, "+0")?;
    let packed = models.pack("industry", MODEL)?;
    let config = seed(&broker.url(), &file_url(&packed.path)?, &packed)?
        .replace("- pub:\n", "- pub:\n    deadLetterTopic: dead\n")
        .replace("retain: false", "keepAlive: 5")
        .replace(
            "  modelName: industry",
            "  modelName: industry\n  timeout: 500ms",
        );
    // The model goes by the same clock.
    let config = config.replace(
        "  modelName: industry",
        &format!(
            "  modelName: industry\n  sandbox: {{read: [{}]}}",
            clock.display()
        ),
    );
    let variables: [(&str, &OsStr); 5] = [
        ("EDGEMODEL_PASS_ENV", OsStr::new("FAKETIME_*")),
        ("LD_PRELOAD", tests::faketime()?.as_os_str()),
        ("FAKETIME_TIMESTAMP_FILE", clock.as_os_str()),
        ("FAKETIME_NO_CACHE", OsStr::new("1")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", OsStr::new("1")),
    ];
    let worker = Running::with_environment(&config, &models.installed(), &variables).await?;
    worker.ready().await?;
    let results = [(OUT, Qos::AtLeastOnce), ("dead", Qos::AtLeastOnce)];
    let mut reader = TestClient::connected(options(broker.address(), "r", &results)).await?;
    let mut device = TestClient::connected(options(broker.address(), "d", &[])).await?;
    let (mut seen, mut reasons) = (Vec::new(), Vec::new());
    for (turn, offset) in ["+0", "+3650d", "-3650d"].into_iter().enumerate() {
        std::fs::write(&clock, offset)?;
        let turn = u64::try_from(turn)? + 1;
        device.send(IN, message(turn), Qos::AtLeastOnce).await?;
        let result: serde_json::Value = serde_json::from_slice(&reader.take().await?.payload)?;
        assert_eq!(result[0], turn);
        let [received, called] = [1, 2].map(|index| result[index].as_f64().unwrap_or(0.0));
        assert!((called - received).abs() < 86_400.0, "{result}");
        seen.push(received);
        if offset != "+0" {
            // It takes too long, twice, in two hosts.
            device.send(IN, message(0), Qos::AtLeastOnce).await?;
            let letter: serde_json::Value = serde_json::from_slice(&reader.take().await?.payload)?;
            reasons.push(letter["reason"].as_str().unwrap_or("none").to_owned());
        }
        // The broker ends a client that does not ping after one and a half keep-alives.
        reader
            .while_driving(closed_for_silence(broker.address(), "silent", 5))
            .await?;
    }
    let year = 365.0 * 86_400.0;
    assert!(
        seen[1] - seen[0] > 9.0 * year && seen[0] - seen[2] > 9.0 * year,
        "the clock did not jump: {seen:?}"
    );
    assert_eq!(reasons, ["timeout", "timeout"]);
    let metrics = worker.get("/metrics").await?.1;
    for role in ["pub", "sub"] {
        let line = format!(
            "edgemodel_mqtt_disconnects_total{{model=\"industry\",role=\"{role}\",rule=\"0\"}} 0"
        );
        assert!(metrics.contains(&line), "{metrics}");
    }
    let (status, log) = worker.stop().await?;
    assert!(status.success(), "{log:#?}");
    Ok(())
}
