//! The models in `examples/`, by the commands that their pages name.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use crds::validated::Qos;
use serde_json::Value;
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::site::{Models, file_url};

use crate::cli::edgemodel;

struct Example {
    name: String,
    folder: PathBuf,
}

impl Example {
    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn text(&self, name: &str) -> anyhow::Result<String> {
        let path = self.folder.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))
    }

    fn json(&self, name: &str) -> anyhow::Result<Value> {
        serde_json::from_str(&self.text(name)?)
            .with_context(|| format!("{}/{name} is not JSON", self.name))
    }
}

fn examples() -> anyhow::Result<Vec<Example>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut examples = Vec::new();
    for entry in root.read_dir().context("failed to read examples/")? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            examples.push(Example {
                name: entry.file_name().to_string_lossy().into_owned(),
                folder: entry.path(),
            });
        }
    }
    assert!(examples.len() >= 5, "only {} examples", examples.len());
    Ok(examples)
}

/// Runs a command that must succeed.
fn output(arguments: &[&str]) -> anyhow::Result<String> {
    let output = edgemodel(arguments, "")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{arguments:?}: {errors}");
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn every_example_passes_its_samples_and_has_a_valid_configuration() -> anyhow::Result<()> {
    for example in examples()? {
        let tested = output(&["test", &example.path("model")])?;
        assert!(tested.ends_with(" passed, 0 failed\n"), "{tested}");
        let checked = output(&["check", "--config", &example.path("config.yaml")])?;
        let end = "valid; 1 of 1 models would be served, over 1 rules and 1 brokers\n";
        assert!(checked.ends_with(end), "{checked}");
    }
    Ok(())
}

#[test]
fn every_example_names_the_digest_of_its_model() -> anyhow::Result<()> {
    let models = Models::new()?;
    for Example { name, folder } in examples()? {
        let packed = models.path().join(&name).with_extension("zip");
        let packed = packed.display().to_string();
        let model = folder.join("model").display().to_string();
        let printed = output(&["pack", &model, "--output", &packed, "--json"])?;
        let printed: Value = serde_json::from_str(&printed)?;
        let digest = printed["modelMd5"].as_str().context("a digest")?;
        let config = std::fs::read_to_string(folder.join("config.yaml"))?;
        let line = format!("modelMd5: {digest}\n");
        assert!(config.contains(&line), "{name}/config.yaml lacks {line}");
    }
    Ok(())
}

#[test]
fn every_example_gets_its_message() -> anyhow::Result<()> {
    for example in examples()? {
        let (config, message) = (example.path("config.yaml"), example.path("message.json"));
        let explained = output(&["explain", "--config", &config, "--message", &message])?;
        let line = format!("model {:?}: gets the message for device ", example.name);
        assert!(explained.contains(&line), "{explained}");
    }
    Ok(())
}

#[test]
fn every_example_has_a_page_that_the_overview_links() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let overview = std::fs::read_to_string(root.join("README.md"))?;
    for example in examples()? {
        let link = format!("({}/README.md)", example.name);
        assert!(overview.contains(&link), "no {link} in examples/README.md");
        assert!(example.text("README.md")?.starts_with("# "));
    }
    Ok(())
}

#[tokio::test]
async fn every_example_publishes_its_result_over_a_real_broker() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let models = Models::new()?;
    for example in examples()? {
        let zip = models.path().join(&example.name).with_extension("zip");
        let packed = zip.display().to_string();
        output(&["pack", &example.path("model"), "--output", &packed])?;
        let served = format!("http://127.0.0.1:8000/{}.zip", example.name);
        let config = example.text("config.yaml")?;
        assert!(config.contains(&served), "{config}");
        let config = config
            .replace(&served, &file_url(&zip)?)
            .replace("tcp://127.0.0.1:1883", &broker.url());

        let worker = Running::start(&config, &models.installed()).await?;
        worker.ready().await?;
        let results = format!("{}/results", example.name);
        let filter = [(results.as_str(), Qos::AtLeastOnce)];
        let mut reader =
            TestClient::connected(options(broker.address(), "reader", &filter)).await?;
        let mut device = TestClient::connected(options(broker.address(), "device", &[])).await?;
        let message = example.text("message.json")?;
        device
            .send("plant/1/telemetry", message, Qos::AtLeastOnce)
            .await?;
        let result = reader
            .take()
            .await
            .with_context(|| format!("{} published nothing", example.name))?;
        let result: Value = serde_json::from_slice(&result.payload)?;
        assert_eq!(result, example.json("result.json")?, "{}", example.name);
        let (status, _) = worker.stop().await?;
        assert!(status.success(), "{}: {status}", example.name);
    }
    Ok(())
}
