//! Faults that have names, one test each: stale views (ST), watch gaps (UN), concurrent writers (CC), and the operator's
//! environment (EN). Others are in [`crate::operator`].

mod black_hole;
mod clock;
mod concurrent_writers;
mod history;
mod latency;
mod limits;
mod manual_edits;
mod policies;
mod rights;
mod stale;
mod storage;
mod tokens;
mod watch_gaps;

use std::time::Duration;

use operator::run::Settings;
use serde_json::Value;
use tests::control_plane::Kubelet;
use tests::faults::Plan;
use tests::operator::{Operator, candidate, cluster};

use crate::operator::{DEPLOYMENTS, RUNTIMES, Site, ready, runtime, start};

/// What an operator is started with whose lease ends soon.
fn brief(namespace: &str, identity: &str) -> Settings {
    let mut settings = candidate(namespace, identity);
    if let Some(election) = &mut settings.election {
        election.duration = Duration::from_secs(3);
    }
    settings
}

/// A site whose operator leads by such a lease, and sees the API server through `plan`.
async fn elected(name: &str, identity: &str, plan: &Plan) -> anyhow::Result<Site<'static>> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace(name).await?;
    let client = control_plane.client_through(&plan.layer())?;
    Ok(Site {
        control_plane,
        kubelet: Kubelet::start(control_plane.client()?, Some(&namespace)),
        operator: Operator::alone(client, brief(&namespace, identity)),
        namespace,
    })
}

/// A runtime `plant` whose first model has this number in its digest.
fn plant(digest: u8) -> Value {
    let mut plant = runtime("plant", &["alpha", "beta"], &[]);
    plant["spec"]["funcs"][0]["modelMd5"] = format!("{digest:032x}").into();
    plant
}
