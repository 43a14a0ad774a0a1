//! Leader election by a Lease, in the manner of client-go: of several operators one writes.
//!
//! Nobody's clock is believed but one's own: a lease is over when it has not changed for its duration as measured here, so that
//! clocks that differ or jump do no harm.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::time::Instant;

use crate::api::{self, Failure};

/// How long others wait after the last renewal, unless it is told otherwise.
pub const DURATION: Duration = Duration::from_secs(15);

/// How often a leader that ends tries to release its lease.
const RELEASES: u32 = 3;

/// The name of the Lease.
pub const NAME: &str = "edgemodel-operator";

/// Where operators agree on who leads.
#[derive(Debug, Clone)]
pub struct Election {
    /// Namespace of the Lease.
    pub namespace: String,
    /// This operator's name, different from all others'.
    pub identity: String,
    /// How long others wait for a leader that says nothing more; whole seconds.
    pub duration: Duration,
}

/// Whether this operator may write.
#[derive(Debug, Clone, Default)]
pub struct Leadership {
    /// How long the lease lasts, and when it was last renewed; `None` for an operator that is alone.
    renewed: Option<(Duration, Arc<Mutex<Option<Instant>>>)>,
}

impl Leadership {
    /// Of an operator that runs without election.
    pub fn alone() -> Self {
        Self::default()
    }

    /// Whether it may write now.
    pub fn holds(&self) -> bool {
        self.renewed.as_ref().is_none_or(|(duration, renewed)| {
            let renewed = renewed.lock().unwrap_or_else(PoisonError::into_inner);
            renewed.is_some_and(|at| at.elapsed() < *duration)
        })
    }

    fn set(&self, at: Option<Instant>) {
        if let Some((_, renewed)) = &self.renewed {
            *renewed.lock().unwrap_or_else(PoisonError::into_inner) = at;
        }
    }
}

/// One candidate.
pub struct Candidate {
    leases: Api<Lease>,
    identity: String,
    /// How long others wait after the last renewal.
    duration: Duration,
    leadership: Leadership,
    /// The lease as last seen, and since when it has looked like that.
    seen: Option<(LeaseSpec, Instant)>,
}

impl Candidate {
    /// A candidate for a lease.
    pub fn new(client: Client, election: &Election) -> Self {
        let duration = election.duration;
        Self {
            leases: Api::namespaced(client, &election.namespace),
            identity: election.identity.clone(),
            duration,
            leadership: Leadership {
                renewed: Some((duration, Arc::default())),
            },
            seen: None,
        }
    }

    /// After this long without a renewal the leader stops, well before others start.
    fn deadline(&self) -> Duration {
        self.duration.mul_f64(2.0 / 3.0)
    }

    /// Pause between renewals, and between attempts to acquire.
    fn retry(&self) -> Duration {
        self.duration.mul_f64(2.0 / 15.0)
    }

    /// What others ask before they write.
    pub fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Waits until this candidate leads.
    pub async fn acquire(&mut self) {
        let mut failed = false;
        loop {
            match self.attempt().await {
                Ok(true) => return,
                Ok(false) => failed = false,
                Err(error) if failed => tracing::debug!(%error, "Lease not acquired"),
                Err(error) => {
                    tracing::warn!(%error, "Unable to acquire the lease, trying again");
                    failed = true;
                }
            }
            tokio::time::sleep(self.retry().mul_f64(1.0 + rand::random::<f64>() / 5.0)).await;
        }
    }

    /// Renews until the lease is lost.
    pub async fn keep(&mut self) {
        let mut renewed = Instant::now();
        let deadline = self.deadline();
        loop {
            tokio::time::sleep(self.retry()).await;
            let attempt = tokio::time::timeout_at(renewed + deadline, self.attempt()).await;
            match attempt {
                Ok(Ok(true)) => renewed = Instant::now(),
                Ok(Ok(false)) => break tracing::error!("Lease taken by another operator"),
                Ok(Err(error)) => tracing::warn!(%error, "Unable to renew the lease"),
                Err(_) => {}
            }
            if renewed.elapsed() >= deadline {
                break tracing::error!("Lease not renewed in time");
            }
        }
        self.leadership.set(None);
    }

    /// Gives the lease up, so that another need not wait for its end.
    pub async fn release(&mut self) {
        self.leadership.set(None);
        let mut released = self.try_release().await;
        for _ in 1..RELEASES {
            if released.is_ok() {
                return;
            }
            // The last renewal may have been on its way.
            released = self.try_release().await;
        }
        if let Err(error) = released {
            tracing::warn!(%error, "Lease not released; it ends by itself");
        }
    }

    async fn try_release(&self) -> Result<(), Failure> {
        let mut lease = api::call(self.leases.get(NAME)).await?;
        let Some(spec) = lease.spec.as_mut().filter(|spec| self.is_mine(spec)) else {
            return Ok(());
        };
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
        spec.renew_time = Some(now());
        let parameters = PostParams::default();
        let replaced = self.leases.replace(NAME, &parameters, &lease);
        api::call(replaced).await.map(drop)
    }

    /// Tries once to acquire or renew; whether this candidate leads.
    async fn attempt(&mut self) -> Result<bool, Failure> {
        // The time before the call: the lease is never believed to last longer than others believe.
        let at = Instant::now();
        let parameters = PostParams::default();
        let Some(mut lease) = api::call(self.leases.get_opt(NAME)).await? else {
            let lease = Lease {
                metadata: ObjectMeta {
                    name: Some(NAME.to_owned()),
                    ..ObjectMeta::default()
                },
                spec: Some(self.spec(None)),
            };
            let created = self.leases.create(&parameters, &lease);
            return self.outcome(at, api::call(created).await);
        };
        let spec = lease.spec.clone().unwrap_or_default();
        if self.seen.as_ref().is_none_or(|(seen, _)| *seen != spec) {
            self.seen = Some((spec.clone(), at));
        }
        if !self.is_mine(&spec) && !self.is_over(&spec) {
            self.leadership.set(None);
            return Ok(false);
        }
        lease.spec = Some(self.spec(Some(&spec)));
        let replaced = self.leases.replace(NAME, &parameters, &lease);
        self.outcome(at, api::call(replaced).await)
    }

    fn outcome(&self, at: Instant, result: Result<Lease, Failure>) -> Result<bool, Failure> {
        // A conflict means that somebody else was faster; the next look says who.
        result.map(|_| self.leadership.set(Some(at)))?;
        Ok(true)
    }

    fn is_mine(&self, spec: &LeaseSpec) -> bool {
        spec.holder_identity.as_deref() == Some(&self.identity)
    }

    fn is_over(&self, spec: &LeaseSpec) -> bool {
        if spec.holder_identity.as_deref().is_none_or(str::is_empty) {
            return true;
        }
        let seconds = spec
            .lease_duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok());
        let duration = seconds.map_or(self.duration, Duration::from_secs);
        self.seen
            .as_ref()
            .is_some_and(|(_, since)| since.elapsed() >= duration)
    }

    fn spec(&self, before: Option<&LeaseSpec>) -> LeaseSpec {
        let mine = before.filter(|spec| self.is_mine(spec));
        let transitions = before.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(self.duration.as_secs()).ok(),
            acquire_time: mine
                .and_then(|spec| spec.acquire_time.clone())
                .or_else(|| Some(now())),
            renew_time: Some(now()),
            lease_transitions: Some(transitions + i32::from(before.is_some() && mine.is_none())),
            ..LeaseSpec::default()
        }
    }
}

fn now() -> MicroTime {
    MicroTime(k8s_openapi::jiff::Timestamp::now())
}
