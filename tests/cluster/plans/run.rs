//! One run of one workload, with or without a fault.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use kube::Client;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use tests::control_plane::{ControlPlane, Kubelet};
use tests::faults::{Plan, Write, WriteFault};
use tests::operator::{Operator, settings};
use tokio::time::Instant;

use super::state::{self, State};
use super::workload::{Action, Workload};

/// Longest that a run may take to come to its end.
const CONVERGENCE: Duration = Duration::from_secs(90);

/// How often a state is looked at.
const LOOK: Duration = Duration::from_millis(150);

/// Longer than the operator's resync, so that it looks at everything at least once more.
const QUIET: Duration = Duration::from_millis(2500);

/// Each run has this many ports of its own.
const PORTS: u16 = 4;

#[derive(Debug, Clone, Copy)]
pub(super) enum Setting<'a> {
    Reference,
    Fault {
        write: usize,
        fault: WriteFault,
        reference: &'a Outcome,
    },
}

/// What a run came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) writes: Vec<Write>,
    before: State,
    after: State,
    /// Writes after everything was done.
    late: Vec<Write>,
    panicked: bool,
}

impl Outcome {
    pub(super) fn check(self, reference: &Self) -> anyhow::Result<()> {
        let differences = state::differences(&reference.after, &self.after);
        anyhow::ensure!(differences.is_empty(), "O1: {}", differences.join("\n  "));
        for (key, uid) in &reference.before.uids {
            let serves = ["Deployment", "Service"].contains(&key.0.as_str());
            if serves && reference.after.uids.get(key) == Some(uid) {
                let kept = self.after.uids.get(key) == self.before.uids.get(key);
                anyhow::ensure!(kept, "O2: {key:?} was deleted and made again");
            }
        }
        let most = 2 * reference.writes.len() + 4;
        let shown = || {
            self.writes
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n  ")
        };
        anyhow::ensure!(
            self.writes.len() <= most,
            "O3: {} writes, at most {most}:\n  {}",
            self.writes.len(),
            shown()
        );
        anyhow::ensure!(
            self.late.is_empty(),
            "O3: writes when all was done: {:?}",
            self.late
        );
        anyhow::ensure!(!self.panicked, "O5: the operator panicked");
        Ok(())
    }
}

struct Runner<'a> {
    client: Client,
    namespace: &'a str,
    ports: u16,
}

pub(super) async fn run(
    control_plane: &ControlPlane,
    workload: &Workload,
    setting: Setting<'_>,
) -> anyhow::Result<Outcome> {
    static NEXT_PORT: AtomicU16 = AtomicU16::new(40_000);
    let namespace = control_plane
        .namespace(&workload.name.to_lowercase())
        .await?;
    let client = control_plane.client()?;
    let runner = Runner {
        client: client.clone(),
        namespace: &namespace,
        ports: NEXT_PORT.fetch_add(PORTS, Ordering::Relaxed),
    };
    let _kubelet = Kubelet::start(client.clone(), Some(&namespace));
    let before = {
        let operator = Operator::start(client.clone(), settings(&namespace));
        for action in &workload.before {
            runner.act(action).await?;
        }
        let before = runner.settled(None, "").await.context("before")?;
        operator.stop().await?;
        before
    };
    let mut plan = Plan::new();
    if let Setting::Fault { write, fault, .. } = setting {
        plan = plan.at_write(write, fault);
    }
    let mut under_test = settings(&namespace);
    workload
        .image
        .clone_into(&mut under_test.defaults.worker_image);
    let faulty = control_plane.client_through(&plan.layer())?;
    let operator = Operator::start(faulty, under_test.clone());
    let rest = Plan::new();
    let secrets = before.secrets.clone();
    let steps = async {
        for action in &workload.then {
            runner.act(action).await?;
        }
        let wanted = match setting {
            Setting::Reference => None,
            Setting::Fault { reference, .. } => Some(&reference.after),
        };
        runner.settled(wanted, &secrets).await
    };
    tokio::pin!(steps);
    let (operator, after) = tokio::select! {
        after = &mut steps => (operator, after?),
        () = plan.crashed() => {
            operator.kill();
            let client = control_plane.client_through(&rest.layer())?;
            (Operator::start(client, under_test), steps.await?)
        }
    };
    let writes = || [plan.writes(), rest.writes()].concat();
    let so_far = writes().len();
    // That nothing happens takes a time to see; it is longer than the operator's own rhythm.
    tokio::time::sleep(QUIET).await;
    let all = writes();
    let panicked = operator.has_ended();
    operator.stop().await?;
    // Whatever it leaves need not be waited for.
    let namespaces = kube::Api::<k8s_openapi::api::core::v1::Namespace>::all(client);
    namespaces
        .delete(&namespace, &DeleteParams::default())
        .await?;
    Ok(Outcome {
        late: all[so_far..].to_vec(),
        writes: all[..so_far].to_vec(),
        before,
        after,
        panicked,
    })
}

impl Runner<'_> {
    /// Waits until the namespace is settled, and as `wanted` if that is given. `secrets` is the digest of
    /// the Secrets before.
    async fn settled(&self, wanted: Option<&State>, secrets: &str) -> anyhow::Result<State> {
        let deadline = Instant::now() + CONVERGENCE;
        let mut words = vec![(self.namespace.to_owned(), "NAMESPACE".to_owned())];
        words.extend((1..=PORTS).map(|n| ((self.ports + n).to_string(), format!("9000{n}"))));
        let mut stable = None;
        loop {
            let state = state::read(&self.client, self.namespace, &words, secrets).await?;
            let done = state.settled
                && match wanted {
                    Some(wanted) => wanted.objects == state.objects,
                    // Twice the same, so that a state on the way is not taken for the end.
                    None => stable.as_ref() == Some(&state),
                };
            if done {
                return Ok(state);
            }
            if Instant::now() > deadline {
                let differences = wanted
                    .map(|wanted| state::differences(wanted, &state))
                    .unwrap_or_default();
                anyhow::bail!(
                    "O4: not at its end in time (settled: {}): {}",
                    state.settled,
                    differences.join("\n  ")
                );
            }
            let pause = if wanted.is_none() && state.settled {
                QUIET
            } else {
                LOOK
            };
            stable = Some(state);
            tokio::time::sleep(pause).await;
        }
    }

    async fn act(&self, action: &Action) -> anyhow::Result<()> {
        let runtimes = state::api(&self.client, self.namespace, "edgemodelruntimes");
        match action {
            Action::Apply(spec) => {
                let body = json!({
                    "apiVersion": "edgemodel.io/v1alpha1",
                    "kind": "EdgeModelRuntime",
                    "metadata": { "name": "plant" },
                    "spec": self.with_ports(spec)?,
                });
                runtimes
                    .patch(
                        "plant",
                        &PatchParams::apply("user").force(),
                        &Patch::Apply(&body),
                    )
                    .await?;
            }
            Action::Delete => {
                runtimes
                    .delete("plant", &DeleteParams::background())
                    .await?;
            }
            Action::Annotate(name, value) => {
                let patch = json!({ "metadata": { "annotations": { *name: value } } });
                runtimes
                    .patch("plant", &PatchParams::default(), &Patch::Merge(&patch))
                    .await?;
            }
            Action::Secret(text) => {
                let secrets = kube::Api::<k8s_openapi::api::core::v1::Secret>::namespaced(
                    self.client.clone(),
                    self.namespace,
                );
                let body = json!({
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": { "name": "broker" },
                    "stringData": { "username": "edge", "password": text },
                });
                secrets
                    .patch(
                        "broker",
                        &PatchParams::apply("user").force(),
                        &Patch::Apply(&body),
                    )
                    .await?;
            }
            Action::DeleteChild(plural, part) => {
                let name = self.child(plural, part).await?;
                state::api(&self.client, self.namespace, plural)
                    .delete(&name, &DeleteParams::background())
                    .await?;
            }
            Action::EditChild(plural, part, patch) => {
                let name = self.child(plural, part).await?;
                state::api(&self.client, self.namespace, plural)
                    .patch(&name, &PatchParams::default(), &Patch::Merge(patch))
                    .await?;
            }
            Action::Until(kind, reason) => {
                tests::eventually(async || {
                    let runtime = runtimes.get("plant").await?;
                    let status = &runtime.data["status"];
                    let fresh = *reason == "Paused"
                        || status["observedGeneration"].as_i64() == runtime.metadata.generation;
                    let conditions = status["conditions"].as_array();
                    let mut conditions = conditions.into_iter().flatten();
                    let found =
                        conditions.any(|one| one["type"] == *kind && one["reason"] == *reason);
                    Ok((fresh && found).then_some(()))
                })
                .await?;
            }
        }
        Ok(())
    }

    async fn child(&self, plural: &str, part: &str) -> anyhow::Result<String> {
        let children = state::api(&self.client, self.namespace, plural)
            .list(&ListParams::default())
            .await?;
        let names: Vec<_> = children
            .items
            .iter()
            .map(kube::ResourceExt::name_any)
            .collect();
        let found = names.iter().find(|name| name.contains(part));
        found
            .cloned()
            .with_context(|| format!("none of {names:?} is of {part:?}"))
    }

    fn with_ports(&self, spec: &Value) -> anyhow::Result<Value> {
        let mut text = spec.to_string();
        for number in 1..=PORTS {
            text = text.replace(
                &format!("\"PORT{number}\""),
                &(self.ports + number).to_string(),
            );
        }
        Ok(serde_json::from_str(&text)?)
    }
}
