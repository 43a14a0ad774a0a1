//! The CustomResourceDefinition on a control plane.

use std::time::Duration;

use anyhow::Context as _;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{Patch, PatchParams};
use kube::runtime::wait::{await_condition, conditions};

use crate::control_plane::ControlPlane;

/// Applies the definition and waits until it serves.
///
/// # Errors
/// The API server refuses it, or does not serve it within a minute.
pub async fn install(control_plane: &ControlPlane) -> anyhow::Result<()> {
    let definition = crds::custom_resource::crd();
    let name = definition["metadata"]["name"].as_str();
    let name = name.context("the definition has no name")?.to_owned();
    let api = Api::<CustomResourceDefinition>::all(control_plane.client()?);
    let parameters = PatchParams::apply("tests").force();
    api.patch(&name, &parameters, &Patch::Apply(&definition))
        .await
        .context("failed to apply the definition")?;
    let established = await_condition(api, &name, conditions::is_crd_established());
    tokio::time::timeout(Duration::from_mins(1), established).await??;
    Ok(())
}
