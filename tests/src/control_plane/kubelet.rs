//! Stands in for the nodes: says of every pod that it runs, or what a test wants to be said.

use std::collections::{BTreeMap, HashMap};

use futures_util::TryStreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, Preconditions};
use kube::runtime::watcher::{self, Event, watcher};
use kube::runtime::{WatchStreamExt as _, watcher::DefaultBackoff};
use kube::{Client, ResourceExt as _};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::pod_state::{PodState, set_pod_status};

/// Labels that a pod must have, all of them, and what is said of it then.
type Rules = Vec<(BTreeMap<String, String>, PodState)>;

/// A task that does for pods what kubelets would; ends when it is dropped.
#[derive(Debug)]
pub struct Kubelet {
    rules: watch::Sender<Rules>,
    task: AbortHandle,
}

impl Kubelet {
    /// Starts one for a namespace, or for all: pods become ready, and those that are deleted go.
    pub fn start(client: Client, namespace: Option<&str>) -> Self {
        let (rules, changed) = watch::channel(Rules::new());
        let pods = match namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::all(client.clone()),
        };
        let task = tokio::spawn(run(client, pods, changed)).abort_handle();
        Self { rules, task }
    }

    /// Says something else of the pods with a label, those of now and those to come.
    pub fn report(&self, labels: &[(&str, &str)], state: PodState) {
        let labels = labels_of(labels);
        self.rules.send_modify(|rules| {
            rules.retain(|(of, _)| *of != labels);
            rules.push((labels, state));
        });
    }

    /// Takes back what [`report`](Self::report) said of these labels.
    pub fn forget(&self, labels: &[(&str, &str)]) {
        let labels = labels_of(labels);
        self.rules
            .send_modify(|rules| rules.retain(|(of, _)| *of != labels));
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn labels_of(labels: &[(&str, &str)]) -> BTreeMap<String, String> {
    let labels = labels.iter();
    labels
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// A pod and what was said of it last; said once, so that a test may say otherwise by hand.
type Known = HashMap<String, (Pod, Option<PodState>)>;

async fn run(client: Client, pods: Api<Pod>, mut rules: watch::Receiver<Rules>) {
    let events = watcher(pods, watcher::Config::default()).backoff(DefaultBackoff::default());
    let mut events = std::pin::pin!(events);
    let mut known = Known::new();
    loop {
        // Errors are the watcher's affair: it begins again, also after the API server was away.
        let event = tokio::select! {
            event = events.try_next() => event.unwrap_or(None),
            changed = rules.changed() => match changed {
                Ok(()) => None,
                Err(_) => return,
            },
        };
        match event {
            Some(Event::Apply(pod) | Event::InitApply(pod)) => {
                let said = known.remove(&uid(&pod)).and_then(|(_, said)| said);
                known.insert(uid(&pod), (pod, said));
            }
            Some(Event::Delete(pod)) => {
                known.remove(&uid(&pod));
            }
            Some(Event::Init | Event::InitDone) | None => {}
        }
        let rules = rules.borrow_and_update().clone();
        for (pod, said) in known.values_mut() {
            act(&client, pod, said, &rules).await;
        }
    }
}

fn uid(pod: &Pod) -> String {
    pod.uid().unwrap_or_default()
}

/// Failures are left for the next event: the pod is gone, or the API server is away.
async fn act(client: &Client, pod: &Pod, said: &mut Option<PodState>, rules: &Rules) {
    if pod.metadata.deletion_timestamp.is_some() {
        let namespace = pod.namespace().unwrap_or_default();
        let pods = Api::<Pod>::namespaced(client.clone(), &namespace);
        let parameters = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: Some(Preconditions {
                uid: pod.uid(),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        let _ = pods.delete(&pod.name_any(), &parameters).await;
        return;
    }
    // The rule that was made last counts.
    let labels = pod.labels();
    let rule = rules.iter().rev().find(|(wanted, _)| {
        let mut wanted = wanted.iter();
        wanted.all(|(name, value)| labels.get(name) == Some(value))
    });
    let state = rule.map_or(&PodState::Ready, |(_, state)| state);
    if said.as_ref() == Some(state) {
        return;
    }
    if set_pod_status(client, pod, state).await.is_ok() {
        *said = Some(state.clone());
    }
}
