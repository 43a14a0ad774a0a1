//! A whole worker whose model comes from a server that asks for a password.

use crds::validated::Qos;
use serde_json::Value;
use tests::client::{TestClient, options};
use tests::eventually;
use tests::mosquitto::{Mosquitto, free_port};
use tests::nginx::Nginx;
use tests::running::Running;
use tests::site::{IN, Models, OUT, message, seed};

/// In the password: it must be seen nowhere.
const CANARY: &str = "canary-3b90";

/// Shows all that a model could find of the worker's settings.
const INQUISITIVE: &str = "
import os, sys

def handler(event, context):
    with open('/proc/self/cmdline', 'rb') as file:
        command = file.read().decode()
    attributes = {name: str(getattr(context, name)) for name in dir(context) if not name.startswith('__')}
    return {'environment': dict(os.environ), 'command': command, 'arguments': sys.argv, 'context': attributes}
";

#[tokio::test]
async fn e1_a_model_serves_when_its_credentials_are_corrected_and_nothing_shows_them()
-> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("industry", INQUISITIVE)?;
    let port = free_port()?;
    let server = format!(
        "server {{ listen 127.0.0.1:{port}; root ROOT;
           location / {{ auth_basic shop; auth_basic_user_file ROOT/users; }} }}"
    );
    let nginx = Nginx::start(&server, &[port]).await?;
    std::fs::copy(&packed.path, nginx.root().join("m.zip"))?;
    std::fs::write(
        nginx.root().join("users"),
        format!("edge:{{PLAIN}}{CANARY}\n"),
    )?;
    let folder = models.path().display();
    std::fs::write(models.path().join("user"), "edge\n")?;
    std::fs::write(
        models.path().join("password"),
        format!("{CANARY}-of-before"),
    )?;
    let broker = Mosquitto::start().await?;
    let credentials = format!(
        "- modelCredentials: {{usernameFile: {folder}/user, passwordFile: {folder}/password}}\n  devices:"
    );
    let config = seed(
        &broker.url(),
        &format!("http://127.0.0.1:{port}/m.zip"),
        &packed,
    )?
    .replacen("- devices:", &credentials, 1);
    let worker = Running::start(&config, &models.installed()).await?;
    let status = worker
        .until(|status| status["models"][0]["state"]["state"] == "refused")
        .await?;
    let state = &status["models"][0]["state"];
    assert_eq!(state["reason"], "AccessDenied", "{state:#}");
    let mut shown = status.to_string();
    // Not the few seconds of an outage.
    eventually(async || {
        let log = worker.log();
        let mut refusals = log.iter().filter(|line| line["message"] == "Model refused");
        Ok(refusals
            .any(|line| line["retry_in"] == "3600s")
            .then_some(()))
    })
    .await?;

    std::fs::write(models.path().join("password"), CANARY)?;
    worker
        .until(|status| status["models"][0]["state"]["state"] == "serving")
        .await?;
    worker.ready().await?;

    for path in ["/status", "/metrics", "/"] {
        shown += &worker.get(path).await?.1;
    }
    let results = [(OUT, Qos::AtLeastOnce)];
    let mut reader = TestClient::connected(options(broker.address(), "reader", &results)).await?;
    let mut device = TestClient::connected(options(broker.address(), "device", &[])).await?;
    device.send(IN, message(7), Qos::AtLeastOnce).await?;
    let seen: Value = serde_json::from_slice(&reader.take().await?.payload)?;
    assert!(seen["environment"]["PATH"].is_string(), "{seen}");
    shown += &seen.to_string();
    let pid = worker.pid().unwrap_or_default();
    for file in ["cmdline", "environ"] {
        shown += &String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/{file}"))?);
    }
    let (status, log) = worker.stop().await?;
    assert!(status.success());
    shown += &format!("{log:?}");
    assert!(shown.contains("Credentials changed, retrying"), "{shown}");
    assert!(!shown.contains(CANARY), "{shown}");
    // `edge:` and the password, as basic authentication writes them.
    assert!(!shown.contains("ZWRnZT"), "{shown}");
    Ok(())
}
