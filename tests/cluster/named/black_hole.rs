//! UN-06: a network that swallows packets. Nothing tells a client that its connections are dead.

use tests::black_hole::BlackHole;
use tests::control_plane::Kubelet;
use tests::eventually;
use tests::operator::cluster;

use super::plant;
use crate::process::{Process, Start};

/// The program itself, with three seconds in place of two minutes.
#[tokio::test]
async fn watches_that_went_silent_are_noticed_and_made_again() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let network = BlackHole::before(control_plane.address()).await?;
    let namespace = control_plane.namespace("un06").await?;
    let _kubelet = Kubelet::start(control_plane.client()?, Some(&namespace));
    let direct = std::fs::read_to_string(control_plane.kubeconfig())?;
    let (from, to) = (control_plane.address(), network.address());
    anyhow::ensure!(direct.contains(&from.to_string()), "{direct}");
    let kubeconfig = tempfile::NamedTempFile::new()?;
    let through = direct.replace(&from.to_string(), &to.to_string());
    std::fs::write(kubeconfig.path(), through)?;
    let mut start = Start::alone(kubeconfig.path());
    start.arguments = [
        "--no-leader-election",
        // Only the watches are to tell of what happens.
        "--resync=1800",
        "--silence-limit=3",
        &format!("--namespace={namespace}"),
    ]
    .map(str::to_owned)
    .to_vec();
    let mut operator = Process::start(start).await?;
    let scope = ["-n", namespace.as_str()];
    let apply = [&["apply", "-f", "-"][..], &scope].concat();
    let wait = ["wait", "emr/plant", "--timeout=60s"];
    let until = async |what: &str| {
        let wait = [&wait[..], &[what], &scope].concat();
        control_plane.kubectl(&wait).await
    };
    let ready = "--for=condition=Ready";
    let put = async |digest| {
        let plant = plant(digest).to_string();
        control_plane.kubectl_with_input(&apply, &plant).await
    };
    put(1).await?;
    until(ready).await?;

    network.swallow();
    // In a gap of which no watch will ever tell by itself.
    put(9).await?;
    until("--for=jsonpath={.status.observedGeneration}=2").await?;
    until(ready).await?;
    eventually(async || {
        let errors = operator.metric("edgemodel_operator_watch_errors_total ");
        Ok((errors.await? >= 1.0).then_some(()))
    })
    .await?;
    assert_eq!(operator.ended()?, None, "{}", operator.log());
    Ok(())
}
