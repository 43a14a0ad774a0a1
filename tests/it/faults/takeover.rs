//! A new worker with another model takes the sessions of the old one over, while messages flow.

use std::collections::BTreeMap;

use anyhow::Context as _;
use crds::client_id::{self, Role, SessionKey};
use crds::validated::{MqttVersion, Qos};
use mqtt::{Error, Event};
use tests::client::{TestClient, closed_for_silence, options};
use tests::running::Running;
use tests::site::{IN, Site, file_url, message};

fn model(version: &str) -> String {
    format!(
        "def handler(event, context):\n    return ['{version}', event['telemetry']['RC_cylinder1_1P_d_dispPeak']]\n"
    )
}

/// The same configuration with another HTTP port: two workers run on one machine for a while.
fn on_another_port(config: &str) -> anyhow::Result<String> {
    let (before, port) = config.split_once("http://:").unwrap_or_default();
    let rest = port.trim_start_matches(|c: char| c.is_ascii_digit());
    Ok(format!(
        "{before}http://:{}{rest}",
        tests::mosquitto::free_port()?
    ))
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
        let config = on_another_port(&config)?;
        let mut newer = None;
        for value in 0..3000 {
            site.device
                .push(IN, message(value), Qos::AtLeastOnce)
                .await?;
            if value == 1000 {
                newer = Some(Running::start(&config, &site.models.installed()).await?);
            }
        }
        let Some(newer) = newer else {
            anyhow::bail!("it was not started");
        };
        // In a rolling update Kubernetes waits for this, and then ends the old one, which has nothing to wait for.
        newer.ready().await?;
        site.worker
            .until(|status| {
                let sessions = status["models"][0]["sessions"].as_array();
                sessions.is_some_and(|all| all.iter().all(|session| session["ready"] == false))
            })
            .await?;
        let (status, log) = site.worker.stop().await?;
        assert!(status.success(), "{log:#?}");
        let done = log
            .iter()
            .any(|line| line["message"] == "Shutdown complete");
        assert!(done, "{log:#?}");
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

/// Whether one of a worker's sessions stays away, since another client has its id.
async fn stays_away(worker: &Running) -> anyhow::Result<bool> {
    let status = worker.status().await?;
    let sessions = status["models"][0]["sessions"].as_array().cloned();
    Ok(sessions.into_iter().flatten().any(|session| {
        let error = session["error"].as_str().unwrap_or_default();
        error.contains("another client uses the client id")
    }))
}

/// Two workers by mistake, as after a copied configuration: they must not throw each other out forever.
#[tokio::test]
async fn of_two_workers_under_one_client_id_one_serves() -> anyhow::Result<()> {
    for version in ["'3.1.1'", "'5'"] {
        let mut site = Site::with(&model("one"), |config| {
            config.replace("retain: false", &format!("version: {version}"))
        })
        .await?;
        let other = on_another_port(&site.config)?;
        let other = Running::start(&other, &site.models.installed()).await?;
        tests::eventually(async || {
            let away = stays_away(&site.worker).await? || stays_away(&other).await?;
            Ok(away.then_some(()))
        })
        .await?;
        for value in 0..20 {
            site.measure(value).await?;
        }
        let mut came = std::collections::BTreeSet::new();
        while came.len() < 20 {
            came.insert(site.result().await?.to_string());
        }
        other.stop().await?;
        site.worker.stop().await?;
    }
    Ok(())
}

/// The client id of the first model's session in this role. They are configured, so the owner does not matter.
fn client_id(config: &str, role: Role) -> anyhow::Result<String> {
    let runtime = crds::load(config, "test").map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let key = SessionKey {
        rule: 0,
        func: 0,
        role,
    };
    let mut ids = client_id::assign(&runtime, "", None);
    ids.remove(&key).context("the rule has both sessions")
}

/// A worker that lost only its publisher's session would read messages whose results wait for a minute.
#[tokio::test]
async fn d13_the_worker_that_has_the_subscription_takes_its_publisher_s_session_back()
-> anyhow::Result<()> {
    for (text, version) in [("3.1.1", MqttVersion::V3_1_1), ("5", MqttVersion::V5)] {
        let mut site = Site::with(&model("one"), |config| {
            config.replace("retain: false", &format!("version: '{text}'"))
        })
        .await?;
        // It has served, so alone it would leave its session to whoever takes it three times.
        closed_for_silence(site.broker.address(), "silent", 1).await?;
        let id = client_id(&site.config, Role::Pub)?;
        let mut options = options(site.broker.address(), &id, &[]);
        options.version = version;
        let mut other = TestClient::new(options);
        other
            .until(|event| match event {
                Event::Disconnected { error, .. } => {
                    matches!(error, Error::TakenOver { .. }).then_some(())
                }
                _ => None,
            })
            .await?;
        drop(other);
        site.worker.ready().await?;
        site.measure(1).await?;
        site.result().await?;
        let (_, log) = site.worker.stop().await?;
        let stayed_away = log.iter().any(|line| {
            let error = line["error"].as_str().unwrap_or_default();
            error.contains("another client uses the client id")
        });
        assert!(!stayed_away, "{text}: {log:#?}");
    }
    Ok(())
}

/// Otherwise one worker would end up with the subscription and the other with the publisher: no results for a minute.
#[tokio::test]
async fn d13_a_worker_that_loses_its_subscription_leaves_its_publisher_s_session_too()
-> anyhow::Result<()> {
    for (text, version) in [("3.1.1", MqttVersion::V3_1_1), ("5", MqttVersion::V5)] {
        let site = Site::with(&model("one"), |config| {
            config.replace("retain: false", &format!("version: '{text}'"))
        })
        .await?;
        let id = client_id(&site.config, Role::Sub)?;
        // It has served, so it leaves its session to whoever takes it three times.
        closed_for_silence(site.broker.address(), "silent", 1).await?;
        let mut options = options(site.broker.address(), &id, &[]);
        options.version = version;
        let other = tokio::spawn(async move {
            let mut other = TestClient::new(options);
            other.until(|_| None::<()>).await
        });
        site.worker
            .until(|status| {
                let sessions = status["models"][0]["sessions"].as_array();
                sessions.is_some_and(|all| all.iter().all(|session| session["ready"] == false))
            })
            .await?;
        other.abort();
        site.worker.stop().await?;
    }
    Ok(())
}
