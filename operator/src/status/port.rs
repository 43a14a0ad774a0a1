//! The status of an exposed port.

use crds::Reason;
use crds::cluster::ExposeMode;
use crds::status::ExposeStatus;

use super::{Accepted, OfPort, Progress};
use crate::desired::Model;
use crate::desired::service::node_port;
use crate::kind::Kind;
use crate::rollout::Rollout;

pub(super) fn status(accepted: &Accepted<'_>, index: usize) -> OfPort {
    let entry = &accepted.runtime.ports()[index];
    let port = &accepted.desired.ports[index];
    let mut status = ExposeStatus {
        name: entry.name.clone(),
        requested_port: entry.out_port,
        service: port.service.as_ref().map(|service| service.name.clone()),
        reason: Reason::Exposed.into(),
        ..ExposeStatus::default()
    };
    let progress = match accepted.outcomes.port(index).transpose() {
        // A port of the node is the worker's own: without a worker there is none.
        Ok(_) if accepted.runtime.expose_mode == ExposeMode::HostPort && !has_worker(accepted) => {
            status.reason = Reason::Progressing.into();
            "no worker that listens on the port is running yet".clone_into(&mut status.message);
            Progress::Working
        }
        Ok(live) => {
            status.port = match accepted.runtime.expose_mode {
                ExposeMode::NodePort => live.and_then(|live| node_port(&live.body)),
                ExposeMode::HostPort => Some(entry.out_port),
                ExposeMode::ClusterIP => Some(entry.port),
            };
            Progress::Done
        }
        Err(error) => {
            status.reason = error.reason().into();
            status.message = error.to_string();
            // A Service that keeps an older port still serves it.
            let service = port.service.as_ref();
            let before = service.and_then(|one| accepted.observed.child(Kind::Service, &one.name));
            status.port = before.and_then(|live| node_port(&live.body));
            if error.reason().is_permanent() {
                Progress::Stuck
            } else {
                Progress::Working
            }
        }
    };
    (status, progress)
}

/// Whether a worker of the model whose workers listen on the node's ports is available.
fn has_worker(accepted: &Accepted<'_>) -> bool {
    let mut models = accepted.desired.models.iter();
    let first = models.position(|model| matches!(model, Model::Served(_)));
    let live = first.and_then(|index| accepted.outcomes.model(index)?.ok());
    live.is_some_and(|live| Rollout::of(live).available > 0)
}
