//! Many runtimes at once: how long until all are ready, and what the operator takes for it.
//!
//! Measured only when it is asked for: `EDGEMODEL_SCALE=1 cargo test --package tests --test cluster scale --
//! --nocapture`. `EDGEMODEL_SCALE_RUNTIMES=100` makes other than 500 runtimes; `EDGEMODEL_OPERATOR=FILE` measures
//! another program than the one beside the test, as one that was built for release.

mod audit;

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kube::Api;
use kube::api::{ListParams, PostParams};
use kube::core::{ApiResource, DynamicObject};
use serde_json::{Value, json};
use tests::control_plane::{ControlPlane, Kubelet, Options};
use tokio::time::Instant;

use crate::operator::condition;
use crate::process::{Process, Start, Usage};
use audit::Audit;

const MODELS: usize = 3;
const FIRST_PORT: usize = 30_001;

/// As many calls at once as a few people and pipelines would make.
const CREATIONS: usize = 16;

/// Longer than any machine should need.
const LIMIT: Duration = Duration::from_mins(20);

/// The operator looks at each runtime at least this often when nothing happens.
const IDLE: Duration = Duration::from_mins(3);

const DEPLOY: &str = include_str!("../../deploy/install.yaml");
const ACCOUNT: [&str; 2] = ["edgemodel-system", "edgemodel-operator"];

#[expect(clippy::print_stdout, reason = "what is measured is for people")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_runtimes_become_ready() -> anyhow::Result<()> {
    if std::env::var("EDGEMODEL_SCALE").as_deref() != Ok("1") {
        println!("not run: set EDGEMODEL_SCALE=1 to measure the operator on 500 runtimes");
        return Ok(());
    }
    let count = std::env::var("EDGEMODEL_SCALE_RUNTIMES").map_or(Ok(500), |text| text.parse())?;
    let audit = Audit::new(ACCOUNT)?;
    let control_plane = ControlPlane::start(Options {
        apiserver_flags: audit.flags(),
        ..tests::operator::options()
    })
    .await?;
    let apply = ["apply", "-f", "-"];
    control_plane.kubectl_with_input(&apply, DEPLOY).await?;
    let _kubelet = Kubelet::start(control_plane.client()?, None);
    let [namespace, name] = ACCOUNT;
    let token = control_plane.service_account_token(namespace, name).await?;
    let kubeconfig = control_plane.kubeconfig_with_token(name, &token)?;
    let operator = Process::start(Start {
        // As it is installed.
        arguments: vec![format!("--lease-namespace={namespace}")],
        ..Start::alone(&kubeconfig)
    })
    .await?;
    operator.until_leading().await?;
    println!("idle, nothing to do: {}", operator.memory()?);

    let namespace = control_plane.namespace("scale").await?;
    let resource = ApiResource::erase::<crds::EdgeModelRuntime>(&());
    let client = control_plane.client()?;
    let runtimes = Api::<DynamicObject>::namespaced_with(client, &namespace, &resource);
    let usage = Usage::of(&control_plane, &operator)?;
    let begun = Instant::now();
    stream::iter((0..count).map(runtime))
        .map(async |runtime| {
            let runtime: DynamicObject = serde_json::from_value(runtime)?;
            runtimes.create(&PostParams::default(), &runtime).await?;
            anyhow::Ok(())
        })
        .buffer_unordered(CREATIONS)
        .try_collect::<()>()
        .await?;
    println!("{count} runtimes created in {:.1?}", begun.elapsed());
    let mut told = 0;
    loop {
        let ready = ready(&runtimes).await?;
        if ready == count {
            break;
        }
        if ready >= told + count / 10 {
            println!(
                "{ready} ready after {:.0?}, {}",
                begun.elapsed(),
                operator.memory()?
            );
            told = ready;
        }
        anyhow::ensure!(begun.elapsed() < LIMIT, "{ready} of {count} are ready");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let took = begun.elapsed();
    println!("all {count} runtimes with {MODELS} models each ready after {took:.1?}");
    println!(
        "CPU seconds since: {}",
        Usage::of(&control_plane, &operator)?.since(&usage)
    );
    println!("operator: {}", operator.memory()?);
    println!("its calls until then:\n{}", audit.calls(0)?);
    println!("{}", operator.metrics().await?);

    // What is still on its way, as events, ends.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let usage = Usage::of(&control_plane, &operator)?;
    let before = audit.len()?;
    tokio::time::sleep(IDLE).await;
    let minutes = IDLE.as_secs() / 60;
    println!(
        "its calls in {minutes} min when all is done:\n{}",
        audit.calls(before)?
    );
    println!(
        "CPU seconds in that time: {}",
        Usage::of(&control_plane, &operator)?.since(&usage)
    );
    println!("operator: {}", operator.memory()?);
    assert_eq!(ready(&runtimes).await?, count);
    Ok(())
}

async fn ready(runtimes: &Api<DynamicObject>) -> anyhow::Result<usize> {
    let all = runtimes.list(&ListParams::default()).await?;
    let ready = all
        .items
        .iter()
        .filter(|runtime| condition(&runtime.data["status"], "Ready")["status"] == "True");
    Ok(ready.count())
}

fn runtime(number: usize) -> Value {
    let funcs = (1..=MODELS).map(|model| {
        json!({
            "modelName": format!("model-{model}"),
            "modelAddress": format!("http://models.example/{model}.zip"),
            "modelMd5": format!("{model:032x}"),
            "devices": [{ "deviceName": format!("device-{model}"), "deviceAttr": [] }],
        })
    });
    json!({
        "apiVersion": "edgemodel.io/v1alpha1",
        "kind": "EdgeModelRuntime",
        "metadata": { "name": format!("plant-{number}") },
        "spec": {
            "mqtts": [{ "name": "plant", "broker": "tcp://10.0.0.1:1883" }],
            "rules": [{
                "sub": { "name": "plant", "topic": format!("telemetry/{number}/#"), "clientId": format!("sub-{number}") },
                "pub": { "name": "plant", "topic": "results", "clientId": format!("pub-{number}") },
            }],
            "funcs": funcs.collect::<Vec<_>>(),
            "expose": [{ "name": "monitor", "protocolPort": "http://:8080", "outPort": FIRST_PORT + number }],
        },
    })
}
