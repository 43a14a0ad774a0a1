//! The account that operators under test have.
//!
//! It is that of `deploy/install.yaml`: what it lacks shows as a test that fails. (That it has nothing too much is a test of
//! its own, `tests/cluster/operator/access.rs`.) Several replicas have the administrator's, since their Lease is beside the runtime.

use std::collections::HashMap;
use std::net::SocketAddr;

use kube::{Client, Config};
use tokio::sync::Mutex;

use crate::control_plane::{ControlPlane, client_through};
use crate::faults::Plan;

use super::ha_operators;

const MANIFEST: &str = include_str!("../../../deploy/install.yaml");
const NAMESPACE: &str = "edgemodel-system";
const NAME: &str = "edgemodel-operator";

/// A client for an operator, with the faults of `plan`.
///
/// # Errors
/// It cannot be made.
pub async fn client(control_plane: &ControlPlane, plan: &Plan) -> anyhow::Result<Client> {
    let config = match ha_operators() {
        Some(_) => control_plane.config()?,
        None => account(control_plane).await?,
    };
    client_through(config, &plan.layer())
}

/// The account's, made once for each control plane.
async fn account(control_plane: &ControlPlane) -> anyhow::Result<Config> {
    static MADE: Mutex<Option<HashMap<SocketAddr, Config>>> = Mutex::const_new(None);
    let mut made = MADE.lock().await;
    let made = made.get_or_insert_default();
    if let Some(config) = made.get(&control_plane.address()) {
        return Ok(config.clone());
    }
    let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    control_plane.kubectl_with_input(&apply, MANIFEST).await?;
    // Nothing here is to run it.
    let delete = ["delete", "deployment", NAME, "-n", NAMESPACE];
    control_plane.kubectl(&delete).await?;
    let account = format!("--as=system:serviceaccount:{NAMESPACE}:{NAME}");
    let watch = "edgemodelruntimes.edgemodel.io";
    let ask = [
        "auth",
        "can-i",
        "watch",
        watch,
        "--all-namespaces",
        &account,
    ];
    // The authorizer hears of it by a watch; kubectl ends with 1 when the answer is no.
    crate::eventually(async || control_plane.kubectl(&ask).await.map(Some)).await?;
    let config = control_plane
        .config_as_service_account(NAMESPACE, NAME)
        .await?;
    made.insert(control_plane.address(), config.clone());
    Ok(config)
}
