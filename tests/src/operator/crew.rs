//! Several operators in place of one, of which the leader is killed again and again: for whole suites.
//!
//! `EDGEMODEL_OPERATORS=2` starts so many wherever a test asks where things end, and not what one operator does;
//! `EDGEMODEL_KILL_LEADER=2` kills the one that leads when it has led for so many seconds, and starts another.

use std::sync::LazyLock;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use operator::lease::{self, Election};
use operator::run::{self, End, Settings};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Short, so that the next leads before a test gives up.
const LEASE: Duration = Duration::from_secs(3);

/// How often it is looked who leads.
const LOOK: Duration = Duration::from_millis(100);

/// How many operators, and how often the leader is killed.
#[derive(Debug, Clone, Copy)]
pub struct Crew {
    count: usize,
    kill_every: Option<Duration>,
}

/// What the environment asks for; `None` is one operator that lives.
pub fn crew() -> Option<Crew> {
    static CREW: LazyLock<Option<Crew>> = LazyLock::new(|| {
        let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
        let count = number("EDGEMODEL_OPERATORS")?.try_into().ok()?;
        let kill_every = number("EDGEMODEL_KILL_LEADER").map(Duration::from_secs);
        Some(Crew { count, kill_every })
    });
    *CREW
}

/// How many runs of a test may go on at the same time, of which `alone` would with one operator each: a crew whose
/// leaders begin anew every few seconds takes much more of a processor.
pub fn at_once(alone: usize) -> usize {
    crew().map_or(alone, |crew| (alone / (2 * crew.count)).max(1))
}

/// One of them.
struct Member {
    identity: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<End>,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Crew {
    /// Runs until `stop` resolves.
    pub(super) async fn run(
        self,
        client: Client,
        settings: Settings,
        stop: impl Future<Output = ()>,
    ) -> End {
        let namespace = settings.namespace.clone().unwrap_or_default();
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
                // One that lost the Lease starts anew, as a pod does; a panic is the crew's.
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
        End::Stopped
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
        // An error means that the crew is gone, which ends the task anyway.
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
