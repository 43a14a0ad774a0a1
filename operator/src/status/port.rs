//! The status of an exposed port.

use crds::Reason;
use crds::cluster::ExposeMode;
use crds::status::ExposeStatus;

use super::{Accepted, OfPort, Progress};
use crate::desired::service::node_port;
use crate::kind::Kind;

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
