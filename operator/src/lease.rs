//! Leader election by a Lease, as in client-go: of several operators one writes.
//!
//! A candidate trusts only its own clock: a lease is over when it has not changed for its duration as measured here, so
//! that clocks that differ or jump do no harm. Who may have it is decided in [`claim`].

mod claim;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claim::Holder;
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
    /// How long others wait after the last renewal; whole seconds.
    pub duration: Duration,
}

/// Whether this operator may write.
#[derive(Debug, Clone, Default)]
pub struct Leadership {
    /// How long the lease lasts, and when it was last renewed; `None` for an operator that is alone.
    renewed: Option<(Duration, Arc<Mutex<Option<Instant>>>)>,
}

impl Leadership {
    /// For an operator that runs without election.
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
    holder: Holder,
    leadership: Leadership,
    /// The lease as last seen, and since when it has not changed.
    seen: Option<(LeaseSpec, Instant)>,
}

impl Candidate {
    /// A candidate for a lease.
    pub fn new(client: Client, election: &Election) -> Self {
        let duration = election.duration;
        Self {
            leases: Api::namespaced(client, &election.namespace),
            holder: Holder {
                identity: election.identity.clone(),
                duration,
            },
            leadership: Leadership {
                renewed: Some((duration, Arc::default())),
            },
            seen: None,
        }
    }

    /// After this long without a renewal the leader stops, well before others start.
    fn deadline(&self) -> Duration {
        self.holder.duration.mul_f64(2.0 / 3.0)
    }

    /// Pause between renewals, and between attempts to acquire.
    fn retry(&self) -> Duration {
        self.holder.duration.mul_f64(2.0 / 15.0)
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
                    tracing::warn!(%error, "Unable to acquire the lease, retrying");
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

    /// Gives the lease up, so that another need not wait for its end. After its duration it is over anyway.
    pub async fn release(&mut self) {
        self.leadership.set(None);
        let releases = async {
            let mut released = self.try_release().await;
            for _ in 1..RELEASES {
                if released.is_ok() {
                    break;
                }
                // The last renewal may still have been in flight.
                released = self.try_release().await;
            }
            released
        };
        let released = tokio::time::timeout(self.holder.duration, releases).await;
        if let Err(error) = released.unwrap_or(Err(Failure::TimedOut)) {
            tracing::warn!(%error, "Failed to release the lease, it will expire");
        }
    }

    async fn try_release(&self) -> Result<(), Failure> {
        let mut lease = api::call(self.leases.get(NAME)).await?;
        let spec = lease.spec.as_ref();
        let Some(released) = spec.and_then(|spec| self.holder.release(spec, &now())) else {
            return Ok(());
        };
        lease.spec = Some(released);
        let parameters = PostParams::default();
        let replaced = self.leases.replace(NAME, &parameters, &lease);
        api::call(replaced).await.map(drop)
    }

    /// Tries once to acquire or renew; whether this candidate leads.
    async fn attempt(&mut self) -> Result<bool, Failure> {
        // The time before the call: the lease is never believed to last longer than others believe.
        let at = Instant::now();
        let parameters = PostParams::default();
        let found = api::call(self.leases.get_opt(NAME)).await?;
        let current = found
            .as_ref()
            .map(|lease| lease.spec.clone().unwrap_or_default());
        let unchanged = self.unchanged(current.as_ref(), at);
        let Some(claimed) = self.holder.claim(current.as_ref(), unchanged, &now()) else {
            self.leadership.set(None);
            return Ok(false);
        };
        let written = if let Some(mut lease) = found {
            lease.spec = Some(claimed);
            api::call(self.leases.replace(NAME, &parameters, &lease)).await
        } else {
            let metadata = ObjectMeta {
                name: Some(NAME.to_owned()),
                ..ObjectMeta::default()
            };
            let spec = Some(claimed);
            let lease = Lease { metadata, spec };
            api::call(self.leases.create(&parameters, &lease)).await
        };
        // A conflict means that another was faster; the next attempt says who.
        written?;
        self.leadership.set(Some(at));
        Ok(true)
    }

    /// How long the lease has not changed.
    fn unchanged(&mut self, current: Option<&LeaseSpec>, now: Instant) -> Duration {
        match (&self.seen, current) {
            (Some((seen, since)), Some(spec)) if seen == spec => now - *since,
            _ => {
                self.seen = current.map(|spec| (spec.clone(), now));
                Duration::ZERO
            }
        }
    }
}

fn now() -> MicroTime {
    MicroTime(k8s_openapi::jiff::Timestamp::now())
}
