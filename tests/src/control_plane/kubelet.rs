//! Stands in for the nodes: says of every pod that it runs, or what a test wants to be said.

use std::collections::{BTreeMap, HashMap};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
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

/// A pod and what was done about it; done once, so that a test may say otherwise by hand.
struct Known {
    pod: Pod,
    said: Option<PodState>,
    released: bool,
}

/// As many calls at once as a few nodes would make.
const CALLS: usize = 16;

async fn run(client: Client, pods: Api<Pod>, mut rules: watch::Receiver<Rules>) {
    let events = watcher(pods, watcher::Config::default()).backoff(DefaultBackoff::default());
    let mut events = std::pin::pin!(events);
    let mut known = HashMap::<String, Known>::new();
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
                let uid = pod.uid().unwrap_or_default();
                let (said, released) = known
                    .remove(&uid)
                    .map_or((None, false), |known| (known.said, known.released));
                let known_pod = Known {
                    pod,
                    said,
                    released,
                };
                known.insert(uid, known_pod);
            }
            Some(Event::Delete(pod)) => {
                known.remove(&pod.uid().unwrap_or_default());
            }
            Some(Event::Init | Event::InitDone) | None => {}
        }
        let rules = rules.borrow_and_update().clone();
        stream::iter(known.values_mut())
            .for_each_concurrent(CALLS, |known| act(&client, known, &rules))
            .await;
    }
}

/// Failures, as when the API server is away, are left for the next event.
async fn act(client: &Client, known: &mut Known, rules: &Rules) {
    let Known {
        pod,
        said,
        released,
    } = known;
    if pod.metadata.deletion_timestamp.is_some() {
        if !*released {
            *released = over(&release(client, pod).await);
        }
        return;
    }
    // The rule that was made last counts.
    let labels = pod.labels();
    let rule = rules.iter().rev().find(|(wanted, _)| {
        let mut wanted = wanted.iter();
        wanted.all(|(name, value)| labels.get(name) == Some(value))
    });
    let state = rule.map_or(&PodState::Ready, |(_, state)| state);
    if said.as_ref() != Some(state) && over(&set_pod_status(client, pod, state).await) {
        *said = Some(state.clone());
    }
}

/// Whether nothing is left to do: it is done, or this very pod is gone.
fn over<T>(result: &kube::Result<T>) -> bool {
    match result {
        Ok(_) => true,
        Err(kube::Error::Api(status)) => status.is_not_found() || status.is_conflict(),
        Err(_) => false,
    }
}

/// Says that the containers of a pod that is being deleted have ended.
async fn release(client: &Client, pod: &Pod) -> kube::Result<()> {
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
    pods.delete(&pod.name_any(), &parameters).await.map(drop)
}
