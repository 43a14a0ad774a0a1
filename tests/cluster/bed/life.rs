//! Start and end.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use tests::control_plane::{ControlPlane, Options};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

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
