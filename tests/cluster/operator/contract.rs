//! What the operator writes is what the worker reads: the real program on the real ConfigMap.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;

use anyhow::Context as _;
use crds::validated::Qos;
use serde_json::{Value, json};
use tests::client::{TestClient, options};
use tests::mosquitto::{Mosquitto, free_port};
use tests::site::{IN, MESSAGE, Models, OUT, seed};
use tests::{eventually, running};
use tokio::process::{Child, Command};
use worker::demo::model_server::ModelServer;

use super::Site;

const ECHO: &str = "
def handler(event, context):
    return {'device': context.device, 'value': event['telemetry']['RC_cylinder1_1P_d_dispPeak']}
";

/// A field that one of the two writes and the other does not know would stop all workers at once.
#[tokio::test]
async fn a_worker_serves_by_the_configuration_and_the_arguments_that_the_operator_gives_it()
-> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let models = Models::new()?;
    let packed = models.pack("industry", ECHO)?;
    let server = ModelServer::start(packed.path.clone()).await?;
    let spec = seed(&broker.url(), server.url().as_str(), &packed)?;
    let site = Site::start("contract").await?;
    site.apply(&runtime(&spec)).await?;
    site.until("sample", |status| status["models"][0]["ready"] == true)
        .await?;

    let of = ["-l", "edgemodel.io/model=industry"];
    let config_map = site.get(&[&["cm"][..], &of].concat()).await?;
    let text = config_map["items"][0]["data"]["config.yaml"].as_str();
    let text = text.context("the ConfigMap holds no configuration")?;
    let file = models.path().join("config.yaml");
    std::fs::write(&file, text)?;
    let check = Command::new(tests::edgemodel()?)
        .args(["check", "--config"])
        .arg(&file)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success(), "{}: {said}", check.status);

    let deployment = site.get(&[&["deployments"][..], &of].concat()).await?;
    let container = &deployment["items"][0]["spec"]["template"]["spec"]["containers"][0];
    let http = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let mut worker = start(container, &file, models.path(), http)?;
    eventually(async || {
        if let Some(status) = worker.try_wait()? {
            let log = std::fs::read_to_string(models.path().join("log"))?;
            return Ok(Some(Err(anyhow::anyhow!("{status}: {log}"))));
        }
        let (code, _) = running::get(http, "/readyz").await?;
        Ok((code == 200).then_some(Ok(())))
    })
    .await??;

    let results = [(OUT, Qos::AtLeastOnce)];
    let address = broker.address();
    let mut reader = TestClient::connected(options(address, "reader", &results)).await?;
    let mut device = TestClient::connected(options(address, "device", &[])).await?;
    device.send(IN, MESSAGE, Qos::AtLeastOnce).await?;
    let result = reader.take().await?;
    assert_eq!(&*result.topic, OUT);
    let result: Value = serde_json::from_slice(&result.payload)?;
    assert_eq!(result, json!({ "device": "设备2", "value": 86 }));
    Ok(())
}

/// The seed's configuration as a runtime, on a port that no other test has.
fn runtime(spec: &str) -> String {
    let spec = spec.replace("outPort: 38080", "outPort: 38081");
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "apiVersion: edgemodel.io/v1alpha1\nkind: EdgeModelRuntime\nmetadata: {{ name: sample }}\nspec:\n{spec}"
    )
}

/// Starts what the container would, with its folders elsewhere.
fn start(
    container: &Value,
    config: &Path,
    folder: &Path,
    http: SocketAddr,
) -> anyhow::Result<Child> {
    let arguments = container["args"].as_array().into_iter().flatten();
    let arguments = arguments.filter_map(Value::as_str).map(|argument| {
        let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
        match name {
            "--config" => format!("{name}={}", config.display()),
            "--models-dir" => format!("{name}={}", folder.join("installed").display()),
            "--termination-log" => format!("{name}={}", folder.join("termination").display()),
            "--http" => {
                assert_eq!(value, "0.0.0.0:5888");
                format!("{name}={http}")
            }
            _ => argument.to_owned(),
        }
    });
    let log = std::fs::File::create(folder.join("log"))?;
    let worker = Command::new(tests::edgemodel()?)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?;
    Ok(worker)
}
