//! Rules of one model: one that cannot publish stops only itself.

use crds::validated::Qos;
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;
use tests::site::{IN, OUT, Site, message};

const MODEL: &str = "
def handler(event, context):
    return event['telemetry']['RC_cylinder1_1P_d_dispPeak']
";

const COUNT: u64 = 3000;

/// A broker that took no results of one rule stopped all rules of the model.
#[tokio::test]
async fn row_13_a_rule_that_cannot_publish_stops_only_itself() -> anyhow::Result<()> {
    let mut away = Mosquitto::start().await?;
    let url = away.url();
    let mut site = Site::with(MODEL, |config| {
        let own = "mosquitto-20336454-5413-4e2f-b52e-b945291359c7";
        let rule = format!(
            "rules:\n- sub: {{name: {own}, topic: held/in}}\n  pub: {{name: away, topic: held/out}}\n"
        );
        config
            .replace("rules:\n", &rule)
            .replace("mqtts:\n", &format!("mqtts:\n- {{name: away, broker: '{url}'}}\n"))
            .replace(
                "modelName: industry\n",
                "modelName: industry\n  postQueueSize: 1\n  preQueueSize: 10\n",
            )
    })
    .await?;
    // Its session keeps what comes while the test is elsewhere.
    let subscription = [("held/out", Qos::AtLeastOnce)];
    let reader = || options(away.address(), "held-reader", &subscription);
    drop(TestClient::connected(reader()).await?);
    let reader = reader();
    away.stop().await?;
    // More than its queues and the model's process have room for.
    for value in 0..COUNT {
        site.device
            .push("held/in", message(value), Qos::AtLeastOnce)
            .await?;
    }
    let stuck = |status: &serde_json::Value| status["models"][0]["queues"]["pre"]["depth"] == 10;
    site.worker.until(stuck).await?;
    for value in 0..100 {
        site.device
            .send(IN, message(value), Qos::AtLeastOnce)
            .await?;
        let result = site.reader.take().await?;
        assert_eq!(&*result.topic, OUT);
        assert_eq!(result.payload, value.to_string());
    }
    // Nothing of it is lost, and it comes in order.
    away.start_again().await?;
    let mut reader = TestClient::new(reader);
    for value in 0..COUNT {
        assert_eq!(reader.take().await?.payload, value.to_string());
    }
    site.worker.stop().await?;
    Ok(())
}
