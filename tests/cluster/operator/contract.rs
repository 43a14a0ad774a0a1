//! What the operator writes is what the worker reads: the real program on the real ConfigMap.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use crds::validated::Qos;
use serde_json::{Value, json};
use tests::client::{TestClient, options};
use tests::control_plane::PodState;
use tests::mosquitto::{Mosquitto, free_port};
use tests::site::{IN, MESSAGE, Models, OUT, seed};
use tests::{eventually, running};
use tokio::process::{Child, Command};
use worker::tools::ModelServer;

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
    site.apply(&runtime("sample", &spec, 38_081)).await?;
    site.until("sample", |status| status["models"][0]["ready"] == true)
        .await?;

    let mut worker = Worker::start(&site, "sample", models.path()).await?;
    let check = Command::new(tests::edgemodel()?)
        .args(["check", "--config"])
        .arg(models.path().join("config.yaml"))
        .output()
        .await?;
    let said = String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success(), "{}: {said}", check.status);
    worker.serves().await?;

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

/// OP-66: two runtimes with one client id. Whoever asked last has the session, and the other stays away and says so, where
/// they would throw each other out forever.
#[tokio::test]
async fn of_two_runtimes_with_one_client_id_one_serves_and_the_other_says_why_not()
-> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let models = Models::new()?;
    let packed = models.pack("industry", ECHO)?;
    let server = ModelServer::start(packed.path.clone()).await?;
    let site = Site::start("op66").await?;
    let mut workers = Vec::new();
    for (name, port) in [("elder", 38_082), ("younger", 38_083)] {
        let spec = seed(&broker.url(), server.url().as_str(), &packed)?;
        site.apply(&runtime(name, &spec, port)).await?;
        site.until(name, |status| status["models"][0]["ready"] == true)
            .await?;
        let folder = models.path().join(name);
        std::fs::create_dir(&folder)?;
        let mut worker = Worker::start(&site, name, &folder).await?;
        worker.serves().await?;
        workers.push(worker);
    }
    let [elder, younger] = &workers[..] else {
        anyhow::bail!("there are two");
    };
    let away = "another client";
    eventually(async || {
        let ready = running::get(elder.http, "/readyz").await?;
        let log = elder.log()?;
        // Each of its two sessions.
        let all_away = log.matches(away).count() >= 2;
        anyhow::ensure!(ready.0 == 503 && all_away, "{ready:?}: {log}");
        Ok(Some(()))
    })
    .await?;

    // As long as this takes, nobody throws anybody out.
    let before = younger.disconnects().await?;
    let results = [(OUT, Qos::AtLeastOnce)];
    let mut reader = TestClient::connected(options(broker.address(), "reader", &results)).await?;
    let mut device = TestClient::connected(options(broker.address(), "device", &[])).await?;
    for _ in 0..100 {
        device.send(IN, MESSAGE, Qos::AtLeastOnce).await?;
        reader.take().await?;
    }
    assert!((younger.disconnects().await? - before).abs() < 0.5);
    assert_eq!(running::get(younger.http, "/readyz").await?.0, 200);

    // What a kubelet makes of that.
    let of = [("edgemodel.io/runtime", "elder")];
    site.kubelet.report(&of, PodState::LongRunning);
    let found = site
        .until("elder", |status| {
            status["models"][0]["reason"] == "NotReady"
        })
        .await?;
    let message = found["status"]["models"][0]["message"].to_string();
    assert!(message.contains("see its log or /status"), "{message}");
    site.until("younger", |status| status["models"][0]["ready"] == true)
        .await?;
    Ok(())
}

/// The seed's configuration as a runtime, on a port that no other test has.
fn runtime(name: &str, spec: &str, port: u16) -> String {
    let spec = spec.replace("outPort: 38080", &format!("outPort: {port}"));
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "apiVersion: edgemodel.io/v1alpha1\nkind: EdgeModelRuntime\nmetadata: {{ name: {name} }}\nspec:\n{spec}"
    )
}

/// The worker of the seed's model, by what the operator wrote for it.
struct Worker {
    child: Child,
    http: SocketAddr,
    folder: PathBuf,
}

impl Worker {
    /// Starts what the container would, with its folders elsewhere.
    async fn start(site: &Site<'_>, runtime: &str, folder: &Path) -> anyhow::Result<Self> {
        let labels = format!("edgemodel.io/model=industry,edgemodel.io/runtime={runtime}");
        let of = ["-l", labels.as_str()];
        let config_map = site.get(&[&["cm"][..], &of].concat()).await?;
        let text = config_map["items"][0]["data"]["config.yaml"].as_str();
        let text = text.context("the ConfigMap holds no configuration")?;
        let file = folder.join("config.yaml");
        std::fs::write(&file, text)?;
        let deployment = site.get(&[&["deployments"][..], &of].concat()).await?;
        let container = &deployment["items"][0]["spec"]["template"]["spec"]["containers"][0];
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        Ok(Self {
            child: start(container, &file, folder, http)?,
            http,
            folder: folder.to_owned(),
        })
    }

    /// Waits until it is ready.
    async fn serves(&mut self) -> anyhow::Result<()> {
        eventually(async || {
            if let Some(status) = self.child.try_wait()? {
                let log = self.log()?;
                return Ok(Some(Err(anyhow::anyhow!("{status}: {log}"))));
            }
            let (code, _) = running::get(self.http, "/readyz").await?;
            Ok((code == 200).then_some(Ok(())))
        })
        .await?
    }

    /// What it has written.
    fn log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.folder.join("log"))?)
    }

    /// How often it has lost a connection.
    async fn disconnects(&self) -> anyhow::Result<f64> {
        let metrics = running::get(self.http, "/metrics").await?.1;
        let lines = metrics.lines();
        let lines = lines.filter(|line| line.starts_with("edgemodel_mqtt_disconnects_total{"));
        let numbers = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        Ok(numbers.sum())
    }
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
