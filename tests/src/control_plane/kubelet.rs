//! Stands in for scheduler and kubelets: gives every pod to a node that is none and says that it runs, or
//! what a test wants to be said.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;
use kube::runtime::watcher::{self, Event, watcher};
use kube::runtime::{WatchStreamExt as _, watcher::DefaultBackoff};
use kube::{Client, ResourceExt as _};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::node;
use super::pod_state::{PodState, set_pod_status};

type Labels = BTreeMap<String, String>;

/// For the pods that have labels, all of them.
#[derive(Clone, Debug, Default)]
struct Rules {
    /// What is said of them; the rule that was made last counts. Some are only of pods of which nothing was said before.
    states: Vec<(Labels, PodState, Of)>,
    /// That they do not end when they are deleted.
    lasting: Vec<Labels>,
}

/// Which pods a rule is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    All,
    New,
}

/// A task that does for pods what kubelets would; ends when it is dropped.
#[derive(Debug)]
pub struct Kubelet {
    rules: watch::Sender<Rules>,
    task: AbortHandle,
}

impl Kubelet {
    /// Starts one for a namespace, or for all: pods become ready, and those that are deleted go. Two for
    /// the same pods would say different things of them.
    pub fn start(client: Client, namespace: Option<&str>) -> Self {
        let (rules, changed) = watch::channel(Rules::default());
        let pods = match namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::all(client.clone()),
        };
        let task = tokio::spawn(run(client, pods, changed)).abort_handle();
        Self { rules, task }
    }

    /// Says something else of the pods with a label, those of now and those to come.
    pub fn report(&self, labels: &[(&str, &str)], state: PodState) {
        self.rule(labels, state, Of::All);
    }

    /// Says something else of the pods to come with a label; those of now stay as they are.
    pub fn report_new(&self, labels: &[(&str, &str)], state: PodState) {
        self.rule(labels, state, Of::New);
    }

    fn rule(&self, labels: &[(&str, &str)], state: PodState, which: Of) {
        let labels = labels_of(labels);
        self.rules.send_modify(|rules| {
            rules.states.retain(|(of, ..)| *of != labels);
            rules.states.push((labels, state, which));
        });
    }

    /// Lets the pods with a label go on when they are deleted, like those whose process does not end or
    /// whose node is away.
    pub fn let_last(&self, labels: &[(&str, &str)]) {
        let labels = labels_of(labels);
        self.rules.send_modify(|rules| rules.lasting.push(labels));
    }

    /// Takes back what was said of these labels.
    pub fn forget(&self, labels: &[(&str, &str)]) {
        let labels = labels_of(labels);
        self.rules.send_modify(|rules| {
            rules.states.retain(|(of, ..)| *of != labels);
            rules.lasting.retain(|of| *of != labels);
        });
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn labels_of(labels: &[(&str, &str)]) -> Labels {
    let labels = labels.iter();
    labels
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// A pod and what was done about it; done once, so that a test may say otherwise by hand.
struct Known {
    pod: Pod,
    /// Also before the watch tells of it: what happens to another pod is not a reason to ask again.
    bound: bool,
    said: Option<PodState>,
    released: bool,
}

/// As many calls at once as a few nodes would make.
const CALLS: usize = 16;

/// After a failed call. No event may come to try again at: a namespace may be quiet but for the pod that waits for it.
const RETRY: Duration = Duration::from_millis(200);

async fn run(client: Client, pods: Api<Pod>, mut rules: watch::Receiver<Rules>) {
    let events = watcher(pods, watcher::Config::default()).backoff(DefaultBackoff::default());
    let mut events = std::pin::pin!(events);
    let mut known = HashMap::<String, Known>::new();
    // It is made as soon as the API server lets it.
    while node::make(&client).await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut failed = false;
    loop {
        // The watcher restarts after errors, also when the API server was away.
        let event = tokio::select! {
            event = events.try_next() => event.unwrap_or(None),
            () = tokio::time::sleep(RETRY), if failed => None,
            changed = rules.changed() => match changed {
                Ok(()) => None,
                Err(_) => return,
            },
        };
        match event {
            Some(Event::Apply(pod) | Event::InitApply(pod)) => {
                let uid = pod.uid().unwrap_or_default();
                let before = known.remove(&uid);
                let known_pod = Known {
                    bound: before.as_ref().is_some_and(|before| before.bound),
                    released: before.as_ref().is_some_and(|before| before.released),
                    said: before.and_then(|before| before.said),
                    pod,
                };
                known.insert(uid, known_pod);
            }
            Some(Event::Delete(pod)) => {
                known.remove(&pod.uid().unwrap_or_default());
            }
            Some(Event::Init | Event::InitDone) | None => {}
        }
        let rules = rules.borrow_and_update().clone();
        let undone = &AtomicBool::new(false);
        stream::iter(known.values_mut())
            .for_each_concurrent(CALLS, |known| {
                let done = act(&client, known, &rules);
                async move {
                    undone.fetch_or(!done.await, Ordering::Relaxed);
                }
            })
            .await;
        failed = undone.load(Ordering::Relaxed);
    }
}

/// Does what is due for a pod; gives whether it is done, or has to be tried again.
async fn act(client: &Client, known: &mut Known, rules: &Rules) -> bool {
    let Known {
        pod,
        bound,
        said,
        released,
    } = known;
    let have = pod.labels();
    let has = |labels: &Labels| {
        let mut labels = labels.iter();
        labels.all(|(name, value)| have.get(name) == Some(value))
    };
    if pod.metadata.deletion_timestamp.is_some() {
        if *released || rules.lasting.iter().any(has) {
            return true;
        }
        *released = over(&node::release(client, pod).await);
        return *released;
    }
    let mut states = rules.states.iter().rev();
    // One that was said to be ready before is not new.
    let new = said.as_ref() != Some(&PodState::Ready);
    let rule = states.find(|(labels, _, of)| has(labels) && (new || *of == Of::All));
    let state = rule.map_or(&PodState::Ready, |(_, state, _)| state);
    *bound |= pod
        .spec
        .as_ref()
        .is_some_and(|spec| spec.node_name.is_some());
    if !*bound && !matches!(state, PodState::Unschedulable { .. }) {
        *bound = over(&node::bind(client, pod).await);
        if !*bound {
            return false;
        }
    }
    if said.as_ref() == Some(state) {
        return true;
    }
    let done = over(&set_pod_status(client, pod, state).await);
    if done {
        *said = Some(state.clone());
    }
    done
}

/// Whether nothing is left to do: it is done, or this very pod is gone. A conflict is neither: the API server answers a
/// binding so for any failure of its storage, not only if the pod is bound already, which the watch tells.
fn over<T>(result: &kube::Result<T>) -> bool {
    match result {
        Ok(_) => true,
        Err(kube::Error::Api(status)) => status.is_not_found(),
        Err(_) => false,
    }
}
