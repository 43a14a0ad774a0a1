//! Workers that take the place of others as Kubernetes has them do it: a new one must be found ready before an old one
//! is told to go.

use std::collections::BTreeSet;
use std::time::Duration;

use crds::validated::Qos;
use tests::client::{TestClient, closed_for_silence, options};
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::site::{Models, file_url};
use worker::mqtt::Event;

/// Leaves the broker with messages: slower than they come, with a short queue.
const SLOW: &str = "
import time
def handler(event, context):
    time.sleep(0.01)
    return event['n']
";

struct Bed {
    broker: Mosquitto,
    models: Models,
    config: String,
    device: TestClient,
    reader: TestClient,
    sent: u64,
}

impl Bed {
    async fn start(version: &str) -> anyhow::Result<Self> {
        let broker = Mosquitto::start().await?;
        let models = Models::new()?;
        let packed = models.pack("industry", SLOW)?;
        let config = format!(
            "mqtts: [{{name: m, broker: '{}', version: '{version}'}}]\n\
             rules: [{{sub: {{name: m, topic: in, clientId: s}}, pub: {{name: m, topic: out, clientId: p}}}}]\n\
             funcs: [{{modelName: industry, modelAddress: '{}', modelMd5: '{}', preQueueSize: 5, \
             devices: [{{deviceName: d, deviceAttr: [{{attrName: k, attrValue: n, \
             attrExpression: 'in data_to_dict'}}]}}]}}]\n",
            broker.url(),
            file_url(&packed.path)?,
            packed.md5
        );
        let results = [("out", Qos::AtLeastOnce)];
        let reader = TestClient::connected(options(broker.address(), "r", &results)).await?;
        let device = TestClient::connected(options(broker.address(), "d", &[])).await?;
        Ok(Self {
            broker,
            models,
            config,
            device,
            reader,
            sent: 0,
        })
    }

    /// A worker; `shared` is its name among several.
    async fn worker(&self, shared: Option<&str>) -> anyhow::Result<Running> {
        let (config, arguments) = match shared {
            Some(name) => (
                self.config.replace("topic: in", "topic: $share/g/in"),
                vec!["--replica", name],
            ),
            None => (self.config.clone(), Vec::new()),
        };
        let installed = self.models.installed();
        Running::with_arguments(&config, &installed, &arguments).await
    }

    async fn send(&mut self, count: u64) -> anyhow::Result<()> {
        let mut last = 0;
        for _ in 0..count {
            let message = format!("{{\"n\": {}}}", self.sent);
            last = self.device.push("in", message, Qos::AtLeastOnce).await?;
            self.sent += 1;
        }
        self.device.done(last).await
    }

    /// Waits for the results of all that was sent.
    async fn all_came(&mut self) -> anyhow::Result<()> {
        let mut came = BTreeSet::new();
        while (came.len() as u64) < self.sent {
            let result = self.reader.take().await?;
            came.insert(serde_json::from_slice::<u64>(&result.payload)?);
        }
        Ok(())
    }
}

/// In MQTT 3.1.1 a broker does not say that another client took the session. An old worker that took it back at once
/// would leave the new one never ready for as long as the kubelet takes to look, and no update would ever end.
#[tokio::test]
async fn a_new_worker_stays_ready_until_the_old_one_is_told_to_go() -> anyhow::Result<()> {
    for version in ["3.1.1", "5"] {
        let mut bed = Bed::start(version).await?;
        let old = bed.worker(None).await?;
        old.ready().await?;
        bed.send(50).await?;
        // A connection that lasted less is of a worker that has just begun; this takes longer, by the broker's clock.
        closed_for_silence(bed.broker.address(), "silent", 1).await?;
        let new = bed.worker(None).await?;
        old.until(|status| {
            let sessions = status["models"][0]["sessions"].as_array();
            sessions.is_some_and(|all| all.iter().all(stays_away))
        })
        .await?;
        new.ready().await?;
        // A kubelet looks every 5 s.
        for _ in 0..60 {
            let (code, text) = new.get("/readyz").await?;
            assert_eq!(code, 200, "{version}: {text} {:#}", new.status().await?);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bed.send(50).await?;
        let (status, log) = old.stop().await?;
        assert!(status.success(), "{log:#?}");
        bed.send(50).await?;
        bed.all_came().await?;
        new.stop().await?;
    }
    Ok(())
}

/// Whether a session waits because another client has its id.
fn stays_away(session: &serde_json::Value) -> bool {
    let error = session["error"].as_str().unwrap_or_default();
    error.contains("another client uses the client id")
}

/// Without this, what the broker held for the worker that was alone would wait for somebody who never comes, and the
/// broker would keep everything that comes later too.
#[tokio::test]
async fn several_workers_finish_what_the_broker_holds_for_the_one_before_them() -> anyhow::Result<()>
{
    for version in ["3.1.1", "5"] {
        let mut bed = Bed::start(version).await?;
        let alone = bed.worker(None).await?;
        alone.ready().await?;
        bed.send(300).await?;
        // With the worker gone before it has worked them off, most are at the broker.
        alone.stop().await?;
        let first = bed.worker(Some("a")).await?;
        let second = bed.worker(Some("b")).await?;
        first.ready().await?;
        second.ready().await?;
        bed.send(20).await?;
        bed.all_came().await?;
        let ended = |worker: &Running| {
            let log = worker.log();
            let mut lines = log.iter().filter_map(|line| line["message"].as_str());
            lines.any(|line| line.contains("emptied and forgotten"))
        };
        tests::eventually(async || Ok((ended(&first) || ended(&second)).then_some(()))).await?;
        assert!(!kept(&bed, "s").await?, "{version}");
        first.stop().await?;
        second.stop().await?;
    }
    Ok(())
}

/// Whether the broker keeps a session of that name.
async fn kept(bed: &Bed, name: &str) -> anyhow::Result<bool> {
    let mut visitor = TestClient::new(options(bed.broker.address(), name, &[]));
    visitor
        .until(|event| match event {
            Event::Connected {
                session_present, ..
            } => Some(session_present),
            _ => None,
        })
        .await
}

/// The broker forgets the session of a worker that shares its subscription, with what it holds for it.
#[tokio::test]
async fn a_worker_of_several_goes_when_the_broker_holds_nothing_more_for_it() -> anyhow::Result<()>
{
    for version in ["3.1.1", "5"] {
        let mut bed = Bed::start(version).await?;
        let stays = bed.worker(Some("a")).await?;
        let goes = bed.worker(Some("b")).await?;
        stays.ready().await?;
        goes.ready().await?;
        bed.send(300).await?;
        let (status, log) = goes.stop().await?;
        assert!(status.success(), "{log:#?}");
        bed.send(20).await?;
        bed.all_came().await?;
        stays.stop().await?;
    }
    Ok(())
}
