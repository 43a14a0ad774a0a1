//! Ports on the nodes that cannot be had: said of the port alone, with what to do.

use tests::control_plane::{ControlPlane, Options};
use tests::faults::Plan;

use super::{Site, condition, runtime};

/// The API server's own range ends at 32767, below the ports that pyboot's configurations use.
#[tokio::test]
async fn a_port_outside_the_range_is_told_with_the_flag_and_harms_nothing_else()
-> anyhow::Result<()> {
    let options = Options {
        node_port_range: None,
        ..tests::operator::options()
    };
    // It lives as long as the test process, like the shared one.
    let control_plane = Box::leak(Box::new(ControlPlane::start(options).await?));
    let site = Site::with(control_plane, "range", &Plan::new()).await?;
    site.put(&runtime(
        "plant",
        &["alpha"],
        &[("monitor", 8080, 38080), ("near", 8081, 30123)],
    ))
    .await?;
    let found = site
        .until("plant", |status| {
            status["modelsSummary"] == "1/1" && status["exposedSummary"] == "30123"
        })
        .await?;
    let port = &found["status"]["expose"][0];
    assert_eq!(port["reason"], "PortOutOfRange");
    assert_eq!(
        port["message"],
        "outPort 38080 is outside the API server's range 30000-32767; choose one in it, or start \
         kube-apiserver with --service-node-port-range=30000-60000"
    );
    assert_eq!(condition(&found["status"], "ModelsReady")["status"], "True");
    assert_eq!(condition(&found["status"], "Stalled")["status"], "True");
    control_plane.kill_apiserver()
}

#[tokio::test]
async fn a_taken_port_names_its_holder_and_is_had_when_that_lets_go() -> anyhow::Result<()> {
    let first = Site::start("holder").await?;
    let second = Site::start("loser").await?;
    first
        .put(&runtime("one", &["alpha"], &[("monitor", 8080, 31081)]))
        .await?;
    first
        .until("one", |status| status["exposedSummary"] == "31081")
        .await?;
    second
        .put(&runtime("two", &["alpha"], &[("monitor", 8080, 31081)]))
        .await?;
    let found = second
        .until("two", |status| status["expose"][0]["reason"] == "PortTaken")
        .await?;
    let message = found["status"]["expose"][0]["message"]
        .as_str()
        .unwrap_or_default();
    assert!(
        message.contains("taken by Service \"one-monitor-"),
        "{message}"
    );
    assert!(
        message.contains(&format!("in namespace {:?}", first.namespace)),
        "{message}"
    );
    first.kubectl(&["delete", "emr", "one"]).await?;
    second
        .until("two", |status| {
            condition(status, "Ready")["status"] == "True"
        })
        .await?;
    Ok(())
}
