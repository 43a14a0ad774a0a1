//! What a worker does for the pod that it runs in: it says why it ends, leaves nothing at the broker, and
//! answers for its peers.

use std::path::Path;

use anyhow::Context as _;
use crds::client_id::{self, Role, SessionKey};
use crds::termination::{MAX_BYTES, Termination};
use packages::Packed;
use tests::client::TestClient;
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::site::{Models, file_url};

const ECHO: &str = "def handler(event, context): return event\n";

/// A configuration of one model, as a pod has it.
pub(crate) fn config(broker: &str, address: &str, digest: &str) -> String {
    format!(
        "mqtts: [{{name: m, broker: '{broker}'}}]\n\
         rules: [{{sub: {{name: m, topic: in}}, pub: {{name: m, topic: out}}}}]\n\
         funcs: [{{modelName: industry, modelAddress: '{address}', modelMd5: '{digest}', \
         devices: [{{deviceName: d}}]}}]\n"
    )
}

/// The client id of a replica's subscription; `/status` does not show it.
fn subscriber_id(config: &str, replica: &str) -> anyhow::Result<String> {
    let runtime = crds::load(config, "test").map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let key = SessionKey {
        rule: 0,
        func: 0,
        role: Role::Sub,
    };
    let mut ids = client_id::assign(&runtime, &host, Some(replica));
    ids.remove(&key).context("the rule has a subscription")
}

fn of_model(broker: &str, model: &Packed) -> anyhow::Result<String> {
    Ok(config(
        broker,
        &file_url(&model.path)?,
        &model.md5.to_string(),
    ))
}

pub(crate) fn termination(file: &Path) -> anyhow::Result<Termination> {
    let text = std::fs::read_to_string(file)?;
    assert!(text.len() <= MAX_BYTES, "{} bytes", text.len());
    Ok(serde_json::from_str(&text)?)
}

/// Without this, a pod whose model cannot be served would run forever, and nobody who looks at the
/// runtime would learn why it is not ready.
#[tokio::test]
async fn a_refused_model_ends_the_worker_and_its_reason_is_left_behind() -> anyhow::Result<()> {
    let models = Models::new()?;
    let good = models.pack("good", ECHO)?;
    let other = models.pack("other", "def handler(event, context): pass\n")?;
    let broken = models.pack("broken", "import no_such_module\n")?;
    let broker = "tcp://127.0.0.1:1";
    let cases = [
        (
            config(broker, &file_url(&good.path)?, &other.md5.to_string()),
            "ChecksumMismatch",
        ),
        (
            config(broker, &file_url(&good.path)?, "no digest"),
            "InvalidDigest",
        ),
        (of_model(broker, &broken)?, "ImportFailed"),
        // A passing cause too: Kubernetes tries again.
        (
            config(broker, "http://127.0.0.1:1/m.zip", &good.md5.to_string()),
            "DownloadFailed",
        ),
    ];
    for (config, reason) in cases {
        let file = models.path().join("termination-log");
        let log = file.display().to_string();
        let arguments = ["--termination-log", &log];
        let worker = Running::with_arguments(&config, &models.installed(), &arguments).await?;
        let (status, log) = worker.ended().await?;
        assert_eq!(status.code(), Some(1), "{reason}: {log:#?}");
        assert!(
            log.iter()
                .any(|line| line["message"] == "Shutdown complete"),
            "{log:#?}"
        );
        let left = termination(&file)?;
        assert_eq!(left.reason, reason, "{left:?}");
        assert!(!left.message.is_empty(), "{reason}");
        std::fs::remove_file(file)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_configuration_is_left_behind_as_well() -> anyhow::Result<()> {
    let models = Models::new()?;
    let many: String = (0..300)
        .map(|index| format!("unknown{index}: 1\n"))
        .collect();
    let good = config("tcp://127.0.0.1:1", "http://127.0.0.1:1/m.zip", "");
    let unreadable = good.replace("broker:", "auth: {usernameFile: no/such}, broker:");
    for (text, part) in [
        (format!("{good}{many}"), "unknown0"),
        (unreadable, "no/such"),
    ] {
        let (config, file) = (models.path().join("c.yaml"), models.path().join("log"));
        std::fs::write(&config, text)?;
        let output = tokio::process::Command::new(tests::edgemodel()?)
            .args(["run", "--http", "127.0.0.1:0", "--config"])
            .arg(config)
            .arg("--termination-log")
            .arg(&file)
            .output()
            .await?;
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let left = termination(&file)?;
        assert_eq!(left.reason, "InvalidConfiguration");
        assert!(left.message.contains(part), "{left:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_worker_that_is_asked_to_end_leaves_no_reason() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let models = Models::new()?;
    let model = models.pack("good", ECHO)?;
    let file = models.path().join("termination-log");
    let log = file.display().to_string();
    let config = of_model(&broker.url(), &model)?;
    let arguments = ["--termination-log", &log];
    let worker = Running::with_arguments(&config, &models.installed(), &arguments).await?;
    worker.ready().await?;
    let (status, log) = worker.stop().await?;
    assert!(status.success(), "{log:#?}");
    assert!(!file.exists());
    Ok(())
}

/// A pod's name does not come again, so a session under it would fill the broker forever, and take its
/// share of a shared subscription with it.
#[tokio::test]
async fn a_named_replica_leaves_no_session_at_the_broker() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let models = Models::new()?;
    let model = models.pack("good", ECHO)?;
    for version in ["3.1.1", "5"] {
        let config = of_model(&broker.url(), &model)?
            .replace(
                "{name: m, broker",
                &format!("{{name: m, version: '{version}', broker"),
            )
            .replace("topic: in", "topic: '$share/g/in'");
        for (option, name, kept) in [("--replica", "pod-7d9f-x", false), ("--ordinal", "3", true)] {
            let arguments = [option, name];
            let mut worker =
                Running::with_arguments(&config, &models.installed(), &arguments).await?;
            worker.ready().await?;
            let id = &subscriber_id(&config, name)?;
            assert!(id.ends_with(&format!("-{name}")), "{id}");
            worker.kill().await?;
            let present = TestClient::has_session(broker.address(), id).await?;
            assert_eq!(present, kept, "{version} {option}");
        }
    }
    Ok(())
}

/// An expose port leads to any one of the workers, and pyboot's users expect the queues of all behind it.
#[tokio::test]
async fn a_worker_tells_the_queues_of_its_peers() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let models = Models::new()?;
    let model = models.pack("good", ECHO)?;
    let config = of_model(&broker.url(), &model)?;
    let named = |name: &str| config.replace("modelName: industry", &format!("modelName: {name}"));
    let mut other = Running::start(&named("other"), &models.installed()).await?;
    let peers = format!("localhost:{}", other.http().port());
    let arguments = ["--peers", &peers];
    let worker = Running::with_arguments(&named("one"), &models.installed(), &arguments).await?;
    let answer = async |worker: &Running, path: &str| -> anyhow::Result<serde_json::Value> {
        Ok(serde_json::from_str(&worker.get(path).await?.1)?)
    };
    let entry = |name: &str| serde_json::json!({ "sub_process_name": name, "pre_queue": 0, "post_queue": 0 });
    let path = "/queue_size_metrics";
    assert_eq!(
        answer(&worker, path).await?,
        serde_json::json!({ "queue_size_metrics": [entry("one"), entry("other")], "unreachable": [] })
    );
    let alone = serde_json::json!({ "queue_size_metrics": [entry("one")] });
    assert_eq!(
        answer(&worker, "/queue_size_metrics?local=true").await?,
        alone
    );
    let alone = serde_json::json!({ "queue_size_metrics": [entry("other")] });
    assert_eq!(answer(&other, path).await?, alone);
    other.kill().await?;
    let gone = format!("127.0.0.1:{}", other.http().port());
    assert_eq!(
        answer(&worker, path).await?,
        serde_json::json!({ "queue_size_metrics": [entry("one")], "unreachable": [gone] })
    );
    worker.stop().await?;
    let arguments = ["--peers", "no.invalid:80"];
    let worker = Running::with_arguments(&named("one"), &models.installed(), &arguments).await?;
    assert_eq!(
        answer(&worker, path).await?,
        serde_json::json!({ "queue_size_metrics": [entry("one")], "unreachable": ["no.invalid:80"] })
    );
    worker.stop().await?;
    Ok(())
}

/// As a pod has them: a Secret is mounted as files.
#[tokio::test]
async fn user_and_password_come_from_files() -> anyhow::Result<()> {
    let broker = Mosquitto::with_user("edge", "geheim").await?;
    let models = Models::new()?;
    let model = models.pack("good", ECHO)?;
    let write = |name: &str, text: &str| {
        let path = models.path().join(name);
        std::fs::write(&path, text).map(|()| path.display().to_string())
    };
    let (username, password) = (write("username", "edge\n")?, write("password", "geheim\n")?);
    let auth = format!("auth: {{usernameFile: '{username}', passwordFile: '{password}'}}, broker:");
    let config = of_model(&broker.url(), &model)?.replace("broker:", &auth);
    let worker = Running::start(&config, &models.installed()).await?;
    worker.ready().await?;
    worker.stop().await?;
    write("username", "somebody\n")?;
    let worker = Running::start(&config, &models.installed()).await?;
    let refused = |status: &serde_json::Value| {
        let sessions = status["models"][0]["sessions"].as_array();
        sessions.is_some_and(|list| {
            list.iter()
                .any(|session| session["error"].as_str().is_some())
        })
    };
    worker.until(refused).await?;
    assert_eq!(worker.get("/readyz").await?.0, 503);
    worker.stop().await?;
    Ok(())
}
