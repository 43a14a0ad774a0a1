//! EN-02: each right that the operator needs is taken from it and given back.

use serde_json::Value;
use tests::faults::{Answer, Plan, Verb};
use tests::operator::cluster;

use super::{DEPLOYMENTS, RUNTIMES, ready};
use crate::campaign;
use crate::operator::{Site, condition, runtime};

/// More looks than back-off lets through in the time that a right is away.
const LOOKS: usize = 30;

/// What is forbidden, and whether the runtime can say so: without the right to read it or to write its status it cannot.
const RIGHTS: [(Verb, &str, bool); 14] = [
    (Verb::Get, RUNTIMES, false),
    (Verb::Patch, RUNTIMES, false),
    (Verb::List, DEPLOYMENTS, true),
    (Verb::List, "configmaps", true),
    (Verb::List, "services", true),
    (Verb::List, "pods", true),
    (Verb::Get, "secrets", true),
    (Verb::Get, DEPLOYMENTS, true),
    (Verb::Get, "services", true),
    (Verb::Patch, DEPLOYMENTS, true),
    (Verb::Patch, "configmaps", true),
    (Verb::Patch, "services", true),
    (Verb::Delete, "configmaps", true),
    (Verb::Delete, DEPLOYMENTS, true),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_right_that_is_missing_is_told_where_that_can_be_and_heals() -> anyhow::Result<()> {
    let name = |(verb, resource, _): &(Verb, &str, bool)| format!("{} {resource}", verb.as_str());
    let run =
        async |(verb, resource, told): &(Verb, &str, bool)| without(*verb, resource, *told).await;
    campaign::all(&RIGHTS, name, run).await?;
    Ok(())
}

async fn without(verb: Verb, resource: &str, told: bool) -> anyhow::Result<()> {
    let plan = Plan::new();
    let site = Site::with(cluster().await?, "en02", &plan).await?;
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: broker}, stringData: {username: a, password: b}}";
    site.apply(secret).await?;
    let of = |models: &[&str], ports: &[(&str, u16, u16)]| {
        let mut plant = runtime("plant", models, ports);
        plant["spec"]["exposeMode"] = "ClusterIP".into();
        let reference = serde_json::json!({ "name": "broker" });
        plant["spec"]["mqtts"][0]["credentialsSecretRef"] = reference;
        plant
    };
    site.put(&of(&["alpha", "beta"], &[])).await?;
    site.until("plant", ready).await?;
    plan.refuse(verb, resource, Answer::FORBIDDEN);
    // A model and a port come, and a model goes.
    site.put(&of(&["beta", "gamma"], &[("monitor", 8080, 31_213)]))
        .await?;
    let looks = || plan.count(Verb::Get, RUNTIMES);
    let before = looks();
    if told {
        let ready = |runtime: &Value| condition(&runtime["status"], "Ready").clone();
        let told = site.until_runtime("plant", |runtime| ready(runtime)["reason"] == "Forbidden");
        let message = ready(&told.await?)["message"].to_string();
        let right = format!("cannot {} resource", verb.as_str());
        anyhow::ensure!(message.contains(&right), "{message}");
    } else {
        let tried = async || Ok((looks() >= before + 3).then_some(()));
        tests::eventually(tried).await?;
    }
    anyhow::ensure!(
        looks() < before + LOOKS,
        "a hot loop: {} looks",
        looks() - before
    );
    plan.accept(verb, resource);
    let found = site.until("plant", ready).await?;
    anyhow::ensure!(found["status"]["modelsSummary"] == "2/2");
    Ok(())
}
