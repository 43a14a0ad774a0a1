//! Ports that Services of a runtime swap.

use super::{Action, child};
use crate::desired::{Port, service};
use crate::kind::Kind;
use crate::observe::Observation;

/// Takes ports from Services of ours that are to have another, where a third of ours is to have theirs: each would
/// wait for the other's port forever.
pub(super) fn release<'a>(
    ports: &'a [Port],
    observed: &'a Observation,
) -> impl Iterator<Item = Action<'a>> {
    ports.iter().filter_map(move |port| {
        let service = port.service.as_ref()?;
        let object = observed.child(Kind::Service, &service.name)?;
        let held = service::node_port(&object.body)?;
        let awaited = ports.iter().any(|other| other.out_port == held);
        let moves = service::node_port(&service.body) != Some(held);
        let released = (moves && awaited && !object.is_terminating())
            .then(|| child::write(&service::released(service), Some(object)));
        released.map(Action::ReleasePort)
    })
}
