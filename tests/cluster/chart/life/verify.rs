//! `helm test`: the real Helm starts its pod, and the program runs with the arguments, variables and rights of that pod.

use std::process::Stdio;

use anyhow::Context as _;
use serde_json::{Value, json};
use tests::eventually;
use tokio::process::Command;

use super::super::{OPERATOR, RELEASE, SYSTEM};
use super::monitoring::rendered;
use super::{CHART, DEFINITION, Life};

const TEST: [&str; 5] = ["test", RELEASE, "--timeout=60s", "--namespace", SYSTEM];

const HOOKS: [&str; 5] = ["get", "hooks", RELEASE, "--namespace", SYSTEM];

/// A test that passes while nothing works is worse than none, and one that fails has to say what to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helm_test_passes_while_an_operator_leads_and_says_what_is_wrong() -> anyhow::Result<()> {
    let life = Life::start().await?;
    let install = ["install", RELEASE, CHART, "--create-namespace"];
    life.helm(&install, &json!({})).await?;
    let hooks = life.control_plane.helm(&HOOKS).await?;
    let pod = rendered(&life, &hooks, "Pod").await?;
    let labels = &pod["metadata"]["labels"];
    assert_eq!(
        labels["app.kubernetes.io/component"], "test",
        "not the Deployment's"
    );

    let lease = "Lease edgemodel-system/edgemodel-operator: ";
    fails(
        &life,
        &pod,
        &[
            lease,
            "no operator took it within 1 s",
            "kubectl -n edgemodel-system get pods",
        ],
    )
    .await?;
    let operator = life.run(&life.operator().await?).await?;
    let (passed, said) = verify(&life, &pod, 60).await?;
    assert!(passed, "{said}");
    assert!(said.contains("The installation works"), "{said}");
    helm_test(&life, true).await?;
    helm_test(&life, false).await?;

    drop(operator);
    fails(
        &life,
        &pod,
        &[
            lease,
            "its holder \"edgemodel-operator\" did not renew it within 1 s",
        ],
    )
    .await?;
    let delete = ["delete", "clusterrolebinding", OPERATOR];
    life.control_plane.kubectl(&delete).await?;
    let remedy = ["runtimes of all namespaces: ", "set rbac.create to true"];
    fails(&life, &pod, &remedy).await?;
    let values = json!({ "watchNamespaces": [life.namespace] });
    life.helm(&["upgrade", RELEASE, CHART], &values).await?;
    life.control_plane.kubectl(&["delete", DEFINITION]).await?;
    let hooks = life.control_plane.helm(&HOOKS).await?;
    let pod = rendered(&life, &hooks, "Pod").await?;
    let remedy = [
        "CRD edgemodelruntimes.edgemodel.io: not installed",
        "set crds.enabled to true",
    ];
    fails(&life, &pod, &remedy).await
}

/// Waits until the program fails with these words: rights and kinds take effect a little later.
async fn fails(life: &Life, pod: &Value, words: &[&str]) -> anyhow::Result<()> {
    eventually(async || {
        let (passed, said) = verify(life, pod, 1).await?;
        let missing = words.iter().find(|word| !said.contains(**word));
        match missing {
            None if !passed => Ok(Some(())),
            _ => Err(anyhow::anyhow!("{words:?} is not in what is said: {said}")),
        }
    })
    .await
}

/// Runs the program as the pod would, for at most so many seconds; gives whether it passes, and what it writes.
async fn verify(life: &Life, pod: &Value, seconds: u64) -> anyhow::Result<(bool, String)> {
    let account = pod["spec"]["serviceAccountName"]
        .as_str()
        .context("no account")?;
    let control_plane = &life.control_plane;
    let token = control_plane.service_account_token(SYSTEM, account).await?;
    let kubeconfig = control_plane.kubeconfig_with_token("verify", &token)?;
    let arguments = pod["spec"]["containers"][0]["args"].as_array();
    let arguments = arguments.context("no arguments")?;
    let arguments = arguments.iter().filter_map(Value::as_str);
    let output = Command::new(tests::edgemodel_operator()?)
        .args(arguments)
        .arg(format!("--timeout={seconds}"))
        .env("KUBECONFIG", kubeconfig)
        .env("POD_NAMESPACE", SYSTEM)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8(said)?))
}

/// Runs Helm's own command, whose pod ends as it would with the program's result.
async fn helm_test(life: &Life, passes: bool) -> anyhow::Result<()> {
    let command = life.control_plane.helm(&TEST);
    let pod = format!("pod/{OPERATOR}-test");
    let in_system = ["-n", SYSTEM];
    let phase = if passes { "Succeeded" } else { "Failed" };
    let end = async {
        let patch = format!("--patch={{\"status\":{{\"phase\":\"{phase}\"}}}}");
        let patch = ["patch", &pod, "--subresource=status", &patch];
        eventually(async || {
            let found = life
                .get(&[&[pod.as_str()], &in_system[..]].concat())
                .await?;
            // Bound and running, as the stand-in for kubelets says once.
            Ok((found["status"]["phase"] == "Running").then_some(()))
        })
        .await?;
        life.control_plane
            .kubectl(&[&patch[..], &in_system].concat())
            .await
    };
    let (answer, ended) = tokio::join!(command, end);
    ended?;
    assert_eq!(answer.is_ok(), passes, "{answer:?}");
    Ok(())
}
