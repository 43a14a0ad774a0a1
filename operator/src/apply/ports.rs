//! Ports on the cluster's nodes: swapped without losing a Service, and explained when they cannot be had.

use crds::Reason;
use k8s_openapi::api::core::v1::Service;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};
use serde_json::Value;

use super::{ApplyError, Context, child};
use crate::api::{self, Failure};
use crate::desired::{Port, service};
use crate::kind::Kind;

/// Objects of others that are read at a time.
const PAGE: u32 = 250;

/// Takes ports from Services of ours that are to have another, where a third of ours is to have theirs: each would
/// wait for the other's port for ever.
pub(super) async fn release(ctx: &Context<'_>, ports: &[Port]) -> Vec<ApplyError> {
    let mut errors = Vec::new();
    for port in ports {
        let Some(service) = &port.service else {
            continue;
        };
        let Some(live) = ctx.observed.child(Kind::Service, &service.name) else {
            continue;
        };
        let (held, wanted) = (node_port(&live.body), node_port(&service.body));
        let awaited = ports.iter().any(|other| Some(other.out_port) == held);
        if held.is_some() && held != wanted && awaited && !live.is_terminating() {
            let released = service::released(service);
            errors.extend(child::put(ctx, &released, Some(live)).await.err());
        }
    }
    errors
}

/// The port of a Service on the nodes.
pub(crate) fn node_port(service: &Value) -> Option<u16> {
    let port = service["spec"]["ports"][0]["nodePort"].as_u64()?;
    u16::try_from(port).ok()
}

/// Why the API server refused a Service, as far as its port is the cause.
pub(super) async fn explain(
    ctx: &Context<'_>,
    port: u16,
    failure: Failure,
    object: String,
) -> ApplyError {
    let text = failure.to_string();
    if let Some((_, range)) = text.split_once("The range of valid ports is ") {
        let range: String = range
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == '-')
            .collect();
        return ApplyError::Port {
            reason: Reason::PortOutOfRange,
            message: format!(
                "outPort {port} is outside the API server's range {range}; choose one in it, or start \
                 kube-apiserver with --service-node-port-range=30000-60000"
            ),
        };
    }
    if text.contains("provided port is already allocated") {
        let holder = holder(ctx, port).await;
        let holder = holder.unwrap_or_else(|| "another Service".to_owned());
        return ApplyError::Port {
            reason: Reason::PortTaken,
            message: format!(
                "outPort {port} is taken by {holder}; choose another, or free it there"
            ),
        };
    }
    ApplyError::Failure { object, failure }
}

/// Which Service has `port`, as far as the operator may look: everywhere, or where the runtime is.
async fn holder(ctx: &Context<'_>, port: u16) -> Option<String> {
    let everywhere: Api<Service> = Api::all(ctx.client.clone());
    let here = || Api::<Service>::namespaced(ctx.client.clone(), &ctx.identity.namespace);
    let service = match holder_in(&everywhere, port).await {
        Ok(found) => found,
        Err(_) => holder_in(&here(), port).await.ok()?,
    }?;
    Some(format!(
        "Service {:?} in namespace {:?}",
        service.name_any(),
        service.namespace().unwrap_or_default()
    ))
}

/// A cluster may have thousands of Services: they come in pages.
async fn holder_in(services: &Api<Service>, port: u16) -> Result<Option<Service>, api::Failure> {
    let mut query = ListParams::default().limit(PAGE);
    loop {
        let page = api::call(services.list(&query)).await?;
        let next = page.metadata.continue_.filter(|token| !token.is_empty());
        if let Some(service) = page.items.into_iter().find(|service| holds(service, port)) {
            return Ok(Some(service));
        }
        let Some(next) = next else {
            return Ok(None);
        };
        query.continue_token = Some(next);
    }
}

fn holds(service: &Service, port: u16) -> bool {
    let spec = service.spec.iter();
    let ports = spec.filter_map(|spec| spec.ports.as_ref()).flatten();
    let mut ports = ports.filter_map(|one| one.node_port);
    ports.any(|one| one == i32::from(port))
}
