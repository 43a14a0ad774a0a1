//! Highly available operators: several replicas in place of one, whose leader is killed repeatedly, for whole suites.
//!
//! `EDGEMODEL_OPERATORS=2` starts that many in every test that checks an end state rather than one operator's behaviour;
//! `EDGEMODEL_KILL_LEADER=2` kills each leader after that many seconds and starts another.

use std::sync::LazyLock;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use operator::lease::{self, Election};
use operator::run::{self, Ended, Settings};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Short, so that the next leads before a test gives up.
const LEASE: Duration = Duration::from_secs(3);

/// How often the Lease is read.
const LOOK: Duration = Duration::from_millis(100);

/// How many operators, and how often the leader is killed.
#[derive(Debug, Clone, Copy)]
pub struct HaOperators {
    count: usize,
    kill_every: Option<Duration>,
}

/// What the environment asks for; `None` means one operator that is never killed.
pub fn ha_operators() -> Option<HaOperators> {
    static HA_OPERATORS: LazyLock<Option<HaOperators>> = LazyLock::new(|| {
        let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
        let count = number("EDGEMODEL_OPERATORS")?.try_into().ok()?;
        let kill_every = number("EDGEMODEL_KILL_LEADER").map(Duration::from_secs);
        Some(HaOperators { count, kill_every })
    });
    *HA_OPERATORS
}

/// How many runs of a test may be concurrent where `alone` are with one operator each: leaders that restart every few
/// seconds need much more CPU.
pub fn at_once(alone: usize) -> usize {
    ha_operators().map_or(alone, |several| (alone / (2 * several.count)).max(1))
}

/// One of them.
struct Member {
    identity: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Ended>,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl HaOperators {
    /// Runs until `stop` resolves.
    pub(super) async fn run(
        self,
        client: Client,
        settings: Settings,
        stop: impl Future<Output = ()>,
    ) -> Ended {
        let namespace = settings.namespaces.first().cloned().unwrap_or_default();
        let mut number = 0;
        let mut hire = || {
            number += 1;
            start(&client, &settings, &namespace, number)
        };
        let mut members: Vec<_> = (0..self.count).map(|_| hire()).collect();
        let life = self.kill_every.unwrap_or(Duration::from_hours(1));
        let leases = Api::<Lease>::namespaced(client.clone(), &namespace);
        tokio::pin!(stop);
        loop {
            let identities: Vec<_> = members.iter().map(|one| one.identity.clone()).collect();
            let turn = async {
                let leader = leader(&leases, &identities).await;
                tokio::time::sleep(life).await;
                leader
            };
            let mut ends: FuturesUnordered<_> =
                members.iter_mut().map(|one| &mut one.task).collect();
            let leader = tokio::select! {
                leader = turn => Some(leader),
                // A replica that lost the Lease restarts, as a pod does; a panic fails the test.
                end = ends.next() => {
                    end.transpose().expect("no operator panics");
                    None
                }
                () = &mut stop => break,
            };
            drop(ends);
            for member in &mut members {
                if member.task.is_finished() || leader.as_ref() == Some(&member.identity) {
                    *member = hire();
                }
            }
        }
        for mut member in members {
            // An error means that it has ended already.
            let (gone, _) = oneshot::channel();
            let _ = std::mem::replace(&mut member.stop, gone).send(());
            let _ = (&mut member.task).await;
        }
        Ended::Stopped
    }
}

/// The one of `members` that leads, as soon as one does.
async fn leader(leases: &Api<Lease>, members: &[String]) -> String {
    loop {
        let lease = leases.get_opt(lease::NAME).await.ok().flatten();
        let holder = lease.and_then(|lease| lease.spec?.holder_identity);
        if let Some(holder) = holder.filter(|holder| members.contains(holder)) {
            return holder;
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn start(client: &Client, settings: &Settings, namespace: &str, number: usize) -> Member {
    let identity = format!("member-{number}");
    let mut settings = settings.clone();
    settings.election = Some(Election {
        namespace: namespace.to_owned(),
        identity: identity.clone(),
        duration: LEASE,
    });
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        // An error means that the sender was dropped, which also ends the task.
        let _ = stopped.await;
    };
    let client = client.clone();
    let task = tokio::spawn(async move { run::run(client, settings, None, stopped).await });
    Member {
        identity,
        stop,
        task,
    }
}
