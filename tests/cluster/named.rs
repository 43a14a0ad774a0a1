//! Faults that have names, one test each: stale views (ST), what happens in a gap (UN), rivals (CC), and what happens
//! around the operator (EN). Others of these are in [`crate::operator`].

mod black_hole;
mod clock;
mod gaps;
mod hands;
mod history;
mod latency;
mod limits;
mod many;
mod policies;
mod rights;
mod rivals;
mod stale;
mod storage;
mod tokens;

use serde_json::Value;
use tests::faults::Plan;
use tests::operator::cluster;

use crate::operator::{Site, condition, runtime};

const RUNTIMES: &str = "edgemodelruntimes.edgemodel.io";
const DEPLOYMENTS: &str = "deployments.apps";

/// A runtime `plant` of two models that serve, under an operator with a plan.
async fn start(name: &str) -> anyhow::Result<(Site<'static>, Plan)> {
    let plan = Plan::new();
    let site = Site::with(cluster().await?, name, &plan).await?;
    site.put(&runtime("plant", &["alpha", "beta"], &[])).await?;
    site.until("plant", ready).await?;
    Ok((site, plan))
}

fn ready(status: &Value) -> bool {
    condition(status, "Ready")["status"] == "True"
        && condition(status, "Reconciling")["status"] == "False"
}

/// A runtime `plant` whose first model has this number in its digest.
fn plant(digest: u8) -> Value {
    let mut plant = runtime("plant", &["alpha", "beta"], &[]);
    plant["spec"]["funcs"][0]["modelMd5"] = format!("{digest:032x}").into();
    plant
}
