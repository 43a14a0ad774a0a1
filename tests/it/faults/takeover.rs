//! A new worker with another model takes the sessions of the old one over, while messages flow.

use std::collections::BTreeMap;

use crds::validated::Qos;
use tests::running::Running;
use tests::site::{IN, Site, file_url, message};
use worker::mqtt::{Client as _, Event};

fn model(version: &str) -> String {
    format!(
        "def handler(event, context):\n    return ['{version}', event['telemetry']['RC_cylinder1_1P_d_dispPeak']]\n"
    )
}

#[tokio::test]
async fn wk_11_every_message_is_handled_by_the_old_model_or_the_new_one() -> anyhow::Result<()> {
    for version in ["'3.1.1'", "'5'"] {
        let mut site = Site::with(&model("old"), |config| {
            config.replace("retain: false", &format!("version: {version}"))
        })
        .await?;
        let packed = site.models.pack("newer", &model("new"))?;
        let old = site.config.lines().find(|line| line.contains("modelMd5"));
        let address = site
            .config
            .lines()
            .find(|line| line.contains("modelAddress: file"));
        let config = site
            .config
            .replacen(
                old.unwrap_or_default(),
                &format!("  modelMd5: {}", packed.md5),
                1,
            )
            .replacen(
                address.unwrap_or_default(),
                &format!("  modelAddress: {}", file_url(&packed.path)?),
                1,
            );
        // Another HTTP port: both run on one machine for a while.
        let (before, port) = config.split_once("http://:").unwrap_or_default();
        let rest = port.trim_start_matches(|c: char| c.is_ascii_digit());
        let config = format!("{before}http://:{}{rest}", tests::mosquitto::free_port()?);
        let mut newer = None;
        for value in 0..3000 {
            if site.device.session.publish_capacity() == 0 {
                site.device
                    .until(|event| matches!(event, Event::Published { .. }).then_some(()))
                    .await?;
            }
            site.device.publish(IN, message(value), Qos::AtLeastOnce);
            if value == 1000 {
                newer = Some(Running::start(&config, &site.models.installed()).await?);
            }
        }
        let Some(newer) = newer else {
            anyhow::bail!("it was not started");
        };
        newer
            .until(|status| status["models"][0]["state"]["state"] == "serving")
            .await?;
        let (status, log) = site.worker.stop().await?;
        assert!(status.success(), "{log:#?}");
        site.device.done(2999).await?;
        let mut results: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        while results.len() < 3000 {
            let result = site.reader.take().await?;
            let (model, value): (String, u64) = serde_json::from_slice(&result.payload)?;
            results.entry(value).or_default().push(model);
        }
        let all: Vec<_> = results.values().flatten().map(String::as_str).collect();
        assert!(all.contains(&"old"), "{version}");
        newer
            .until(|status| status["models"][0]["ledger"]["in_flight"] == 0)
            .await?;
        newer.stop().await?;
    }
    Ok(())
}
