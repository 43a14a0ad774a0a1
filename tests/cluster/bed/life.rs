//! Start, restart and end.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Api;
use tests::control_plane::{ControlPlane, Options};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

fn service(port: u16) -> String {
    format!(
        r#"{{"apiVersion": "v1", "kind": "Service", "metadata": {{"name": "exposed"}},
            "spec": {{"type": "NodePort", "ports": [{{"port": 80, "nodePort": {port}}}]}}}}"#
    )
}

#[tokio::test]
async fn the_range_of_node_ports_is_the_default_or_as_told() -> anyhow::Result<()> {
    let default = ControlPlane::start(Options {
        controllers: false,
        ..Options::default()
    })
    .await?;
    let apply = ["apply", "-f", "-"];
    let error = default.kubectl_with_input(&apply, &service(38080)).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("The range of valid ports is 30000-32767"),
        "{error}"
    );
    default.kubectl_with_input(&apply, &service(30080)).await?;

    drop(default);

    // Not the shared one: a port is one for a whole control plane, and other tests want it.
    let wide = ControlPlane::start(Options {
        node_port_range: Some("30000-60000".to_owned()),
        controllers: false,
        ..Options::default()
    })
    .await?;
    wide.kubectl_with_input(&apply, &service(38080)).await?;
    Ok(())
}

#[tokio::test]
async fn an_api_server_that_is_killed_comes_back_with_what_it_had() -> anyhow::Result<()> {
    let control_plane = ControlPlane::start(Options::default()).await?;
    control_plane
        .kubectl(&["create", "configmap", "kept", "--from-literal=a=b"])
        .await?;
    let maps = Api::<ConfigMap>::default_namespaced(control_plane.client()?);
    maps.get("kept").await?;
    control_plane.kill_apiserver()?;
    assert!(maps.get("kept").await.is_err());

    control_plane.restart_apiserver().await?;
    let kept = maps.get("kept").await?;
    assert_eq!(kept.data.context("no data")?["a"], "b");
    // The controllers have found it again.
    control_plane.namespace("after").await?;
    Ok(())
}

#[tokio::test]
async fn nothing_is_left_of_one_that_is_dropped() -> anyhow::Result<()> {
    let control_plane = ControlPlane::start(Options::default()).await?;
    let pids = control_plane.pids();
    let directory = control_plane.directory().to_owned();
    assert!(pids.len() == 3 && pids.iter().all(|pid| runs(*pid)));
    assert!(directory.join("kube-apiserver.log").exists());
    drop(control_plane);
    assert!(!pids.iter().any(|pid| runs(*pid)));
    assert!(!directory.exists());
    Ok(())
}

/// A test run that is killed, as by a time limit of CI, would else leave half a gigabyte of programs.
#[tokio::test]
async fn nothing_is_left_when_the_test_process_is_killed() -> anyhow::Result<()> {
    let mut process = Command::new(std::env::current_exe()?)
        .args([
            "--exact",
            "--ignored",
            "--nocapture",
            "bed::life::waits_to_be_killed",
        ])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(process.stdout.take().context("stdout is piped")?).lines();
    let (pids, directory) = loop {
        let line = lines.next_line().await?.context("it ended too early")?;
        if let Some(told) = line.strip_prefix("told: ") {
            break serde_json::from_str::<(Vec<u32>, PathBuf)>(told)?;
        }
    };
    assert!(pids.len() == 3 && pids.iter().all(|pid| runs(*pid)));
    process.kill().await?;
    tests::eventually(async || {
        let gone = !pids.iter().any(|pid| runs(*pid)) && !directory.exists();
        Ok(gone.then_some(()))
    })
    .await
}

#[tokio::test]
#[ignore = "only for the test above"]
async fn waits_to_be_killed() -> anyhow::Result<()> {
    let control_plane = ControlPlane::start(Options::default()).await?;
    let told = serde_json::to_string(&(control_plane.pids(), control_plane.directory()))?;
    #[expect(clippy::print_stdout, reason = "the other process reads it")]
    {
        println!("\ntold: {told}");
    }
    std::future::pending().await
}

/// What has ended and is not waited for does not count.
fn runs(pid: u32) -> bool {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    status.is_ok_and(|status| !status.contains("\nState:\tZ"))
}
