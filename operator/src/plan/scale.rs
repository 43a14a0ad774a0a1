//! The order of a change from one worker to several.
//!
//! A worker that is alone has a session that the broker keeps; several share their subscriptions. A Deployment whose
//! template and number change at once first gets more pods of the old template, which would throw each other out of
//! that one session. So the template changes first, and the number when no worker of the old kind is left. The other
//! way round, Kubernetes' own order is right: first fewer pods that share, then the one that does not.

use crds::contract::argument;
use k8s_openapi::api::core::v1::Pod;

use crate::desired::pod::CONTAINER;
use crate::desired::{Child, ModelChildren, labels};
use crate::observe::Observation;

/// The Deployment with as many pods as it has, while it must not get more.
pub(super) fn held(observed: &Observation, children: &ModelChildren) -> Option<Child> {
    let wanted = u64::from(children.replicas?);
    let live = observed.child(children.deployment.kind, &children.deployment.name)?;
    let now = live.body["spec"]["replicas"].as_u64()?;
    let model = live.label(labels::MODEL)?;
    // Zero current workers must not lead to zero new ones.
    let now = now.max(1);
    let mut stay = observed.pods.iter().filter(|pod| stays(pod));
    let alone = stay.any(|pod| is_of(pod, model) && !shares(pod));
    (now < wanted && alone).then(|| children.deployment.with_replicas(now))
}

/// Whether its Deployment still wants it.
fn stays(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    let phase = status.and_then(|status| status.phase.as_deref());
    let ended = matches!(phase, Some("Failed" | "Succeeded"));
    pod.metadata.deletion_timestamp.is_none() && !ended
}

fn is_of(pod: &Pod, model: &str) -> bool {
    let labels = pod.metadata.labels.as_ref();
    let label = labels.and_then(|labels| labels.get(labels::MODEL));
    label.is_some_and(|label| label == model)
}

fn shares(pod: &Pod) -> bool {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut worker = containers.filter(|container| container.name == CONTAINER);
    worker.any(|worker| {
        let replica = argument::with(argument::REPLICA, "");
        let mut arguments = worker.args.iter().flatten();
        arguments.any(|argument| argument.starts_with(&replica))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::kind::Kind;
    use crate::observe::Observed;

    fn pod(argument: &str, more: Value) -> Pod {
        let mut pod = json!({
            "metadata": { "labels": { labels::MODEL: "m" } },
            "spec": { "containers": [{ "name": CONTAINER, "args": ["run", argument] }] },
        });
        if let Value::Object(more) = more {
            for (key, value) in more {
                pod["metadata"][key] = value;
            }
        }
        serde_json::from_value(pod).unwrap()
    }

    #[track_caller]
    fn check(now: u64, wanted: u16, pods: Vec<Pod>, held_at: Option<u64>) {
        let child = |body| Child {
            kind: Kind::Deployment,
            name: "d".to_owned(),
            body,
        };
        let children = ModelChildren {
            config_map: child(json!({})),
            deployment: child(json!({ "metadata": {}, "spec": { "replicas": wanted } })),
            autoscaler: None,
            replicas: Some(wanted),
            digest: None,
        };
        let body = json!({
            "metadata": { "labels": { labels::MODEL: "m" } }, "spec": { "replicas": now },
        });
        let observed = Observation {
            children: vec![Observed {
                kind: Kind::Deployment,
                name: "d".to_owned(),
                uid: "u".to_owned(),
                body,
            }],
            pods,
            ..Observation::default()
        };
        let held = held(&observed, &children);
        let replicas = held.map(|child| child.body["spec"]["replicas"].as_u64());
        assert_eq!(replicas, held_at.map(Some));
    }

    #[test]
    fn the_number_waits_until_no_worker_has_a_session_alone() {
        let alone = || pod("--http=0.0.0.0:5888", json!({}));
        let shares = || pod("--replica=$(POD_NAME)", json!({}));
        let going = pod(
            "run",
            json!({ "deletionTimestamp": "2026-01-01T00:00:00Z" }),
        );
        let others = pod("run", json!({ "labels": { labels::MODEL: "other" } }));
        check(1, 3, vec![alone()], Some(1));
        check(1, 3, vec![alone(), shares()], Some(1));
        check(0, 3, vec![alone()], Some(1));
        check(1, 3, vec![shares(), going, others], None);
        check(3, 1, vec![alone()], None);
        check(1, 1, vec![alone()], None);
        check(1, 3, Vec::new(), None);
    }
}
