//! A whole worker whose model comes from an S3 store.

use std::ffi::OsStr;
use std::path::Path;

use crds::validated::Qos;
use serde_json::Value;
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::s3_server::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use tests::site::{IN, Models, OUT, message, seed};

const FIRST: &str = "def handler(event, context):\n    return 'first'\n";
const SECOND: &str = "def handler(event, context):\n    return 'second'\n";

/// The keys after the rotation.
const NEXT_KEY: &str = "canary-71ce-rotated";

struct Plant {
    broker: Mosquitto,
    server: S3Server,
    models: Models,
}

impl Plant {
    async fn open(server: S3Server) -> anyhow::Result<Self> {
        let plant = Self {
            broker: Mosquitto::start().await?,
            server,
            models: Models::new()?,
        };
        plant.server.create_bucket("models").await?;
        plant.write("access", ACCESS_KEY)?;
        Ok(plant)
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        Ok(std::fs::write(
            self.models.path().join(name),
            format!("{text}\n"),
        )?)
    }

    /// Uploads a model, and gives a configuration with it.
    async fn upload(&self, name: &str, index: &str) -> anyhow::Result<String> {
        let packed = self.models.pack(name, index)?;
        let key = format!("{name}.zip");
        let zip = std::fs::read(&packed.path)?;
        self.server.put("models", &key, zip).await?;
        let config = seed(&self.broker.url(), &format!("s3://models/{key}"), &packed)?;
        let folder: &Path = self.models.path();
        let fields = format!(
            "- modelS3: {{endpoint: '{}', region: {REGION}}}\n  \
             modelCredentials: {{accessKeyFile: {folder}/access, secretKeyFile: {folder}/secret}}\n  devices:",
            self.server.url(),
            folder = folder.display()
        );
        Ok(config.replacen("- devices:", &fields, 1))
    }

    /// What the model makes of a message.
    async fn result(&self) -> anyhow::Result<Value> {
        let results = [(OUT, Qos::AtLeastOnce)];
        let address = self.broker.address();
        let mut reader = TestClient::connected(options(address, "reader", &results)).await?;
        let mut device = TestClient::connected(options(address, "device", &[])).await?;
        device.send(IN, message(7), Qos::AtLeastOnce).await?;
        Ok(serde_json::from_slice(&reader.take().await?.payload)?)
    }
}

/// Everything that a worker shows: pages, its command line and environment, and at last its log.
async fn shown(worker: Running) -> anyhow::Result<String> {
    let mut shown = String::new();
    for path in ["/status", "/metrics", "/"] {
        shown += &worker.get(path).await?.1;
    }
    let pid = worker.pid().unwrap_or_default();
    for file in ["cmdline", "environ"] {
        shown += &String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/{file}"))?);
    }
    let (status, log) = worker.stop().await?;
    anyhow::ensure!(status.success(), "{status}: {log:#?}");
    Ok(shown + &format!("{log:?}"))
}

fn state(status: &Value) -> &Value {
    &status["models"][0]["state"]
}

#[tokio::test]
async fn e1_keys_of_s3_are_corrected_and_rotated_while_a_worker_runs_and_nothing_shows_them()
-> anyhow::Result<()> {
    let mut plant = Plant::open(S3Server::start().await?).await?;
    plant.write("secret", &format!("{SECRET_KEY}-of-before"))?;
    let config = plant.upload("first", FIRST).await?;
    let all: [(&str, &OsStr); 1] = [("EDGEMODEL_LOG", OsStr::new("trace"))];
    let installed = plant.models.installed();
    let worker = Running::with_environment(&config, &installed, &all).await?;
    let status = worker
        .until(|status| state(status)["state"] == "refused")
        .await?;
    let message = state(&status)["message"].as_str().unwrap_or_default();
    assert!(message.contains("(SignatureDoesNotMatch)"), "{status:#}");
    assert_eq!(state(&status)["reason"], "AccessDenied", "{status:#}");
    let mut seen = status.to_string();

    plant.write("secret", SECRET_KEY)?;
    worker.ready().await?;
    assert_eq!(plant.result().await?, "first");

    // A worker that has its model needs no keys.
    plant.server.rotate(NEXT_KEY).await?;
    assert_eq!(plant.result().await?, "first");
    let second = plant.upload("second", SECOND).await?;
    seen += &shown(worker).await?;
    assert!(seen.contains("Credentials changed, retrying"), "{seen}");

    // The next model does, and finds the old ones refused.
    let worker = Running::with_environment(&second, &installed, &all).await?;
    worker
        .until(|status| state(status)["reason"] == "AccessDenied")
        .await?;
    plant.write("secret", NEXT_KEY)?;
    worker.ready().await?;
    assert_eq!(plant.result().await?, "second");
    seen += &shown(worker).await?;

    assert!(seen.contains("TRACE"), "not everything was logged");
    for secret in ["canary", ACCESS_KEY, "X-Amz", "AWS4"] {
        let at = seen.find(secret);
        let around = at.map(|at| seen[at.saturating_sub(200)..].chars().take(400));
        assert_eq!(at, None, "{secret}: {:?}", around.map(String::from_iter));
    }
    Ok(())
}

/// A device without a battery clock starts in the past, and learns the time a moment later.
#[tokio::test]
async fn e1_a_wrong_clock_is_named_and_the_model_serves_when_it_is_set() -> anyhow::Result<()> {
    let plant = Plant::open(S3Server::start().await?).await?;
    plant.write("secret", SECRET_KEY)?;
    let config = plant.upload("first", FIRST).await?;
    let clock = plant.models.path().join("clock");
    std::fs::write(&clock, "-2h")?;
    let variables: [(&str, &OsStr); 4] = [
        ("LD_PRELOAD", tests::faketime()?.as_os_str()),
        ("FAKETIME_TIMESTAMP_FILE", clock.as_os_str()),
        ("FAKETIME_NO_CACHE", OsStr::new("1")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", OsStr::new("1")),
    ];
    let worker = Running::with_environment(&config, &plant.models.installed(), &variables).await?;
    let status = worker
        .until(|status| state(status)["state"] == "refused")
        .await?;
    let message = state(&status)["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("403 Forbidden (AccessDenied); set this machine's clock"),
        "{status:#}"
    );
    assert_eq!(state(&status)["reason"], "DownloadFailed", "{status:#}");
    assert_eq!(state(&status)["retrying"], true, "{status:#}");
    std::fs::write(&clock, "+0")?;
    worker.ready().await?;
    worker.stop().await?;
    Ok(())
}

/// Clouds want the bucket in the host. The server stands in for the proxy, so that the name needs no DNS.
#[tokio::test]
async fn e1_a_bucket_in_the_host_is_reached_through_a_proxy() -> anyhow::Result<()> {
    let plant = Plant::open(S3Server::with_domain("plant.test").await?).await?;
    plant.write("secret", SECRET_KEY)?;
    let config = plant.upload("first", FIRST).await?;
    let proxy = plant.server.url();
    let config = config.replace(
        &format!("endpoint: '{proxy}'"),
        "endpoint: 'http://plant.test', pathStyle: false",
    );
    let variables: [(&str, &OsStr); 1] = [("HTTP_PROXY", proxy.as_ref())];
    let worker = Running::with_environment(&config, &plant.models.installed(), &variables).await?;
    worker.ready().await?;
    let requests = plant.server.requests();
    assert!(
        requests
            .iter()
            .any(|line| line.contains("http://models.plant.test/first.zip?")),
        "{requests:#?}"
    );
    worker.stop().await?;
    Ok(())
}
