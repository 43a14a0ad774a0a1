//! UN-06: a network that swallows packets. Nothing tells a client that its connections are dead.

use std::time::Duration;

use operator::api;
use tests::black_hole::BlackHole;
use tests::control_plane::{Kubelet, client_through};
use tests::eventually;
use tests::faults::Plan;
use tests::operator::{Operator, cluster, settings};
use tokio::net::TcpListener;

use super::{plant, ready};
use crate::operator::Site;

/// In place of two minutes.
const LIMIT: Duration = Duration::from_secs(3);

#[tokio::test]
async fn watches_that_went_silent_are_noticed_and_made_again() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let network = BlackHole::before(control_plane.address()).await?;
    let mut config = control_plane.config()?;
    config.cluster_url = format!("https://{}", network.address()).parse()?;
    api::limit_silence(&mut config, LIMIT);
    let namespace = control_plane.namespace("un06").await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let http = listener.local_addr()?;
    let mut settings = settings(&namespace);
    // Only the watches are to tell of what happens.
    settings.resync = Duration::from_mins(30);
    let client = client_through(config, &Plan::new().layer())?;
    let site = Site {
        control_plane,
        kubelet: Kubelet::start(control_plane.client()?, Some(&namespace)),
        operator: Operator::serving(client, settings, listener),
        namespace,
    };
    site.put(&plant(1)).await?;
    site.until("plant", ready).await?;

    network.swallow();
    // In a gap of which no watch will ever tell by itself.
    site.put(&plant(9)).await?;
    let found = site.until("plant", ready).await?;
    assert_eq!(found["status"]["observedGeneration"], 2);
    eventually(async || {
        let metrics = tests::running::get(http, "/metrics").await?.1;
        let mut lines = metrics.lines();
        let errors =
            lines.find_map(|line| line.strip_prefix("edgemodel_operator_watch_errors_total "));
        let errors: f64 = errors.unwrap_or_default().parse()?;
        Ok((errors >= 1.0).then_some(()))
    })
    .await
}
