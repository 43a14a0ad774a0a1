//! What a kubelet says of a pod, said by hand.

use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

/// The state of a pod's containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodState {
    /// No node takes it, for a reason that the scheduler gives.
    Unschedulable {
        /// As `0/3 nodes are available: …`.
        message: String,
    },
    /// It waits to be started: `ImagePullBackOff`, `CreateContainerConfigError` and the like.
    Waiting {
        /// The word that `kubectl get pods` shows.
        reason: String,
        /// The sentence that goes with it.
        message: String,
    },
    /// It runs and is not ready, as its readiness probe says.
    Running,
    /// It has run for minutes and is not ready.
    LongRunning,
    /// It runs and is ready.
    Ready,
    /// It has just ended.
    Terminated {
        /// The exit code.
        exit_code: i32,
        /// What it wrote to its termination log.
        message: String,
    },
    /// It has ended again and again, and waits to be started once more.
    CrashLoop {
        /// The exit code.
        exit_code: i32,
        /// What it wrote to its termination log.
        message: String,
        /// How often it was started again.
        restarts: i32,
    },
}

impl PodState {
    /// The `status` of a pod in this state, as a kubelet would patch it.
    pub fn status(&self, pod: &Pod) -> Value {
        let now = time(Timestamp::now());
        if let Self::Unschedulable { message } = self {
            let condition = condition("PodScheduled", false, "Unschedulable", message, &now);
            return json!({"phase": "Pending", "conditions": [condition]});
        }
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        let containers: Vec<_> = containers
            .map(|container| self.container(container, &now))
            .collect();
        let ready = *self == Self::Ready;
        let reason = if ready { "" } else { "ContainersNotReady" };
        let phase = match self {
            Self::Waiting { .. } => "Pending",
            _ => "Running",
        };
        let address = address(pod);
        json!({
            "phase": phase,
            "startTime": now,
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [
                condition("PodScheduled", true, "", "", &now),
                condition("PodReadyToStartContainers", true, "", "", &now),
                condition("Initialized", true, "", "", &now),
                condition("ContainersReady", ready, reason, "", &now),
                condition("Ready", ready, reason, "", &now),
            ],
            "containerStatuses": containers,
        })
    }

    fn container(&self, container: &Container, now: &str) -> Value {
        let ended = |exit_code: &i32, message: &str| {
            json!({"terminated": {
                "exitCode": exit_code,
                "reason": if *exit_code == 0 { "Completed" } else { "Error" },
                "message": message,
                "startedAt": now,
                "finishedAt": now,
            }})
        };
        let waiting = |reason: &str, message: &str| json!({"waiting": {"reason": reason, "message": message}});
        let (state, last_state, restarts) = match self {
            Self::Unschedulable { .. } => (json!({}), json!({}), 0),
            Self::Waiting { reason, message } => (waiting(reason, message), json!({}), 0),
            Self::Running | Self::Ready => (json!({"running": {"startedAt": now}}), json!({}), 0),
            Self::LongRunning => {
                let since = time(Timestamp::now() - SignedDuration::from_mins(5));
                (json!({"running": {"startedAt": since}}), json!({}), 0)
            }
            Self::Terminated { exit_code, message } => (ended(exit_code, message), json!({}), 0),
            Self::CrashLoop {
                exit_code,
                message,
                restarts,
            } => {
                let text = format!("back-off restarting failed container={}", container.name);
                let state = waiting("CrashLoopBackOff", &text);
                (state, ended(exit_code, message), *restarts)
            }
        };
        json!({
            "name": container.name,
            "image": container.image,
            "imageID": "",
            "ready": *self == Self::Ready,
            "started": matches!(self, Self::Ready | Self::Running | Self::LongRunning),
            "restartCount": restarts,
            "state": state,
            "lastState": last_state,
        })
    }
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn condition(kind: &str, status: bool, reason: &str, message: &str, now: &str) -> Value {
    let status = if status { "True" } else { "False" };
    let mut condition = json!({"type": kind, "status": status, "lastTransitionTime": now});
    for (key, value) in [("reason", reason), ("message", message)] {
        if !value.is_empty() {
            condition[key] = value.into();
        }
    }
    condition
}

/// An address of its own for every pod, or nearly so: from its uid.
fn address(pod: &Pod) -> Ipv4Addr {
    let uid = pod.uid().unwrap_or_default();
    let number = uid
        .get(..6)
        .and_then(|head| u32::from_str_radix(head, 16).ok());
    Ipv4Addr::from_bits(0x0a00_0000 | number.unwrap_or(1))
}

/// Sets the status of a pod, of this very one and not of a later one of the same name.
pub(super) async fn set_pod_status(
    client: &Client,
    pod: &Pod,
    state: &PodState,
) -> kube::Result<Pod> {
    let namespace = pod.namespace().unwrap_or_default();
    let pods = Api::<Pod>::namespaced(client.clone(), &namespace);
    let patch = json!({"metadata": {"uid": pod.uid()}, "status": state.status(pod)});
    let parameters = PatchParams::default();
    let patch = Patch::Strategic(patch);
    pods.patch_status(&pod.name_any(), &parameters, &patch)
        .await
}
