//! What an API server takes for a runtime, and what it says about the rest.

mod accepted;
mod cluster;
mod connections;
mod models;

use anyhow::Context as _;
use crds::EdgeModelRuntime;
use kube::Resource as _;
use serde_json::{Value, json};
use tests::control_plane::ControlPlane;
use tests::definition;
use tokio::sync::OnceCell;

/// What creating a runtime with `spec` comes to: the API server's words if it refuses. Nothing is kept.
async fn create(name: &str, spec: &Value) -> anyhow::Result<Result<(), String>> {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let control_plane = ControlPlane::shared().await?;
    INSTALLED
        .get_or_try_init(|| definition::install(control_plane))
        .await?;
    let (group, version) = (EdgeModelRuntime::group(&()), EdgeModelRuntime::version(&()));
    let plural = EdgeModelRuntime::plural(&());
    let address = format!(
        "/apis/{group}/{version}/namespaces/default/{plural}?dryRun=All&fieldValidation=Strict"
    );
    let object = json!({
        "apiVersion": format!("{group}/{version}"),
        "kind": EdgeModelRuntime::kind(&()),
        "metadata": { "name": name },
        "spec": spec,
    });
    let request = http::Request::post(address)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(serde_json::to_vec(&object)?)?;
    match control_plane.client()?.request::<Value>(request).await {
        Ok(_) => Ok(Ok(())),
        Err(kube::Error::Api(status)) => Ok(Err(status.message.clone())),
        Err(error) => Err(error.into()),
    }
}

/// A runtime with two brokers, a rule, a model and two ports.
fn spec() -> Value {
    json!({
        "mqtts": [
            { "name": "plant", "broker": "tcp://10.0.0.1:1883" },
            { "name": "cloud", "broker": "ssl://mqtt.example.com" },
        ],
        "rules": [{
            "sub": { "name": "plant", "topic": "telemetry/+" },
            "pub": { "name": "cloud", "topic": "results" },
        }],
        "funcs": [{
            "modelName": "industry",
            "modelAddress": "http://models.example.com/industry.zip",
            "devices": [{
                "deviceName": "d1",
                "deviceAttr": [{
                    "attrName": "n", "attrValue": "d1",
                    "attrExpression": "== data_to_dict['deviceInfo']['deviceName']",
                }],
            }],
        }],
        "expose": [
            { "name": "monitor", "protocolPort": "http://:8080", "outPort": 38080 },
            { "name": "results", "protocolPort": "tcp://:2901", "outPort": 32901 },
        ],
    })
}

/// [`spec`] with `value` at `path`, a JSON pointer whose last steps may be new.
fn with(path: &str, value: Value) -> anyhow::Result<Value> {
    let mut spec = spec();
    let mut place = &mut spec;
    for step in path.split('/').skip(1) {
        place = match step.parse::<usize>() {
            Ok(index) => place.get_mut(index).context("no such entry")?,
            Err(_) => &mut place[step],
        };
    }
    *place = value;
    Ok(spec)
}

/// Each value at `path` is accepted.
async fn accepts(path: &str, values: impl IntoIterator<Item = Value>) -> anyhow::Result<()> {
    for value in values {
        let shown = value.to_string();
        let answer = create("r", &with(path, value)?).await?;
        assert_eq!(answer, Ok(()), "{path} {shown:.200}");
    }
    Ok(())
}

/// Each value at `path` is refused in words that have all of `words`, which name field and remedy.
async fn rejects(
    path: &str,
    values: impl IntoIterator<Item = Value>,
    words: &[&str],
) -> anyhow::Result<()> {
    for value in values {
        let shown = value.to_string();
        let answer = create("r", &with(path, value)?).await?;
        let Err(said) = answer else {
            anyhow::bail!("{path} {shown:.200} is accepted");
        };
        for word in words {
            let said = said.chars().take(4000).collect::<String>();
            assert!(
                said.contains(word),
                "{path} {shown:.200}: no {word:?} in {said}"
            );
        }
    }
    Ok(())
}
