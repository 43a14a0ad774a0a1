//! A namespace with a kubelet in which a runtime is changed and looked at.

mod actions;

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt as _};
use serde_json::json;
use tests::control_plane::{ControlPlane, Kubelet};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::invariant_watcher::InvariantWatcher;
use super::neighbour::Neighbour;
use super::state::{self, State};

/// Longest that a run may be without progress, where no other limit is known.
pub(crate) const CONVERGENCE: Duration = Duration::from_secs(90);

/// How many times the limit a state may keep changing without an end.
const ENDLESS: u32 = 5;

/// At least this long between two reads of a state.
const LOOK: Duration = Duration::from_millis(150);

/// A state is read so often even when no watch tells of a change.
const UNHEARD: Duration = Duration::from_secs(1);

/// A state that stays for longer than the operator's resync is an end.
const STABLE: Duration = Duration::from_millis(2500);

/// Longer than an event needs to be heard of and looked at.
const QUIET: Duration = Duration::from_secs(1);

/// Each run has this many ports of its own; a long suite comes round to those of runs that are over.
const PORTS: u16 = 4;
const FIRST_PORT: u16 = 40_000;
const LAST_PORT: u16 = 60_000;

pub(crate) struct Runner<'a> {
    control_plane: &'a ControlPlane,
    pub(crate) client: Client,
    pub(crate) namespace: String,
    ports: u16,
    /// Makes pods ready.
    pub(crate) kubelet: Kubelet,
    invariants: InvariantWatcher,
    neighbour: Mutex<Option<Neighbour>>,
}

impl<'a> Runner<'a> {
    /// Takes a namespace of its own.
    pub(crate) async fn start(control_plane: &'a ControlPlane, name: &str) -> anyhow::Result<Self> {
        static RUNS: AtomicU16 = AtomicU16::new(0);
        let runs = RUNS.fetch_add(1, Ordering::Relaxed);
        let taken = runs % ((LAST_PORT - FIRST_PORT) / PORTS) * PORTS;
        let namespace = control_plane.namespace(name).await?;
        let client = control_plane.client()?;
        Ok(Self {
            control_plane,
            kubelet: Kubelet::start(client.clone(), Some(&namespace)),
            invariants: InvariantWatcher::start(client.clone(), &namespace),
            client,
            namespace,
            ports: FIRST_PORT + taken,
            neighbour: Mutex::default(),
        })
    }

    /// Fails when something was seen that must never be; deletes the namespace, which need not be waited for.
    pub(crate) async fn leave(&self) -> anyhow::Result<()> {
        self.invariants.verdict()?;
        self.invariants.let_go();
        if std::env::var_os("KEEP").is_some() {
            return Ok(());
        }
        self.delete_namespace().await
    }

    async fn delete_namespace(&self) -> anyhow::Result<()> {
        let deleted = self
            .namespaces()
            .delete(&self.namespace, &DeleteParams::default())
            .await;
        match deleted {
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            result => Ok(result.map(drop)?),
        }
    }

    fn namespaces(&self) -> Api<Namespace> {
        Api::all(self.client.clone())
    }

    /// Waits until the namespace is settled, and as `wanted` if that is given. `secrets` is the digest of
    /// the Secrets before.
    pub(crate) async fn settled(
        &self,
        wanted: Option<&State>,
        secrets: &str,
    ) -> anyhow::Result<State> {
        let (state, _) = self.settled_within(CONVERGENCE, wanted, secrets).await?;
        Ok(state)
    }

    /// The same with a limit to the time without progress (O4); gives how long it took. A rollout of many pods on a busy
    /// machine takes its time pod by pod, which is not what the limit is about.
    pub(crate) async fn settled_within(
        &self,
        limit: Duration,
        wanted: Option<&State>,
        secrets: &str,
    ) -> anyhow::Result<(State, Duration)> {
        let begun = Instant::now();
        let mut progress = begun;
        let mut changes = self.invariants.changes();
        let mut stable: Option<(State, Duration)> = None;
        loop {
            changes.mark_unchanged();
            let state = self.look(secrets).await?;
            if stable.as_ref().is_none_or(|(last, _)| *last != state) {
                progress = Instant::now();
            }
            let since = begun.elapsed();
            let done = state.unsettled.is_empty()
                && match wanted {
                    Some(wanted) => wanted.objects == state.objects,
                    // Twice the same, so that a state on the way is not taken for the end.
                    None => stable.as_ref().is_some_and(|(before, _)| *before == state),
                };
            let since = match stable {
                Some((_, since)) if done => since,
                _ => since,
            };
            if done {
                return Ok((state, since));
            }
            if progress.elapsed() > limit || begun.elapsed() > limit * ENDLESS {
                // Without a wanted end, what changed since the last look keeps it from being one.
                let last = stable.as_ref().map(|(last, _)| last);
                let mut shown = wanted
                    .or(last)
                    .map(|wanted| state::differences(wanted, &state))
                    .unwrap_or_default();
                shown.extend(state.unsettled);
                shown.extend(self.pods().await?);
                anyhow::bail!(
                    "O1, O4: not at its end after {:.0?}, without progress for {:.0?}:\n  {}",
                    begun.elapsed(),
                    progress.elapsed(),
                    shown.join("\n  ")
                );
            }
            if wanted.is_none() && state.unsettled.is_empty() {
                tokio::time::sleep(STABLE).await;
            } else {
                tokio::time::sleep(LOOK).await;
                // Either way the state is read again.
                let _ = tokio::time::timeout(UNHEARD, changes.changed()).await;
            }
            stable = Some((state, since));
        }
    }

    /// Waits until `attempt` gives a value, by the same limits: what counts is the time without a change in the namespace.
    pub(crate) async fn until<T>(
        &self,
        mut attempt: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let begun = Instant::now();
        let mut progress = begun;
        let mut changes = self.invariants.changes();
        loop {
            changes.mark_unchanged();
            let last = match attempt().await {
                Ok(Some(value)) => return Ok(value),
                Ok(None) => anyhow::anyhow!("the condition did not come true"),
                Err(error) => error,
            };
            if progress.elapsed() > CONVERGENCE || begun.elapsed() > CONVERGENCE * ENDLESS {
                return Err(last.context(format!(
                    "O4: after {:.0?}, without a change for {:.0?}",
                    begun.elapsed(),
                    progress.elapsed()
                )));
            }
            tokio::time::sleep(LOOK).await;
            if let Ok(Ok(())) = tokio::time::timeout(UNHEARD, changes.changed()).await {
                progress = Instant::now();
            }
        }
    }

    /// The pods that are not ready, or being deleted, with their status.
    async fn pods(&self) -> anyhow::Result<Vec<String>> {
        let pods = state::api(&self.client, &self.namespace, "pods");
        let pods = pods.list(&ListParams::default()).await?.items.into_iter();
        let pods = pods.filter(|pod| {
            let conditions = pod.data["status"]["conditions"].as_array();
            let mut conditions = conditions.into_iter().flatten();
            let ready = conditions.any(|one| one["type"] == "Ready" && one["status"] == "True");
            !ready || pod.metadata.deletion_timestamp.is_some()
        });
        Ok(pods
            .map(|pod| {
                let deleted = &pod.metadata.deletion_timestamp;
                let (node, status) = (&pod.data["spec"]["nodeName"], &pod.data["status"]);
                let name = pod.name_any();
                format!("pod {name} on {node}, deleted: {deleted:?}: {status}")
            })
            .collect())
    }

    /// Lets the operator look at the runtime once more, from beginning to end. `looks` tells how many looks it has
    /// begun.
    pub(crate) async fn looked(&self, looks: impl Fn() -> usize) -> anyhow::Result<()> {
        // The second to begin does so when the first of them has ended.
        for number in ["1", "2"] {
            let before = looks();
            let runtimes = state::api(&self.client, &self.namespace, "edgemodelruntimes");
            let patch =
                json!({ "metadata": { "annotations": { "look": format!("{number}-{before}") } } });
            let parameters = PatchParams::default();
            let patched = runtimes
                .patch("plant", &parameters, &Patch::Merge(&patch))
                .await;
            match patched {
                Err(kube::Error::Api(status)) if status.is_not_found() => {
                    // There is nothing to look at, and that nothing happens takes a time to see.
                    tokio::time::sleep(QUIET).await;
                }
                result => {
                    result?;
                    self.until(async || Ok((looks() > before).then_some(())))
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// The state of the namespace now.
    pub(crate) async fn look(&self, secrets: &str) -> anyhow::Result<State> {
        let mut words = vec![(self.namespace.clone(), "NAMESPACE".to_owned())];
        words.extend((1..=PORTS).map(|n| ((self.ports + n).to_string(), format!("9000{n}"))));
        state::read(&self.client, &self.namespace, &words, secrets).await
    }
}
