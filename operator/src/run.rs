//! The operator as a whole: serves its metrics, waits for its turn, leads until it is told to stop.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kube::Client;
use kube::runtime::events::{Recorder, Reporter};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::admin::{self, Shared};
use crate::controller;
use crate::desired::{Defaults, labels};
use crate::lease::{Candidate, Election, Leadership};
use crate::reconcile::Context;

/// Reconciles that were begun may take this long to end after a request to stop.
const DRAIN: Duration = Duration::from_secs(20);

/// What an operator is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The namespaces that it serves; all if there are none.
    pub namespaces: Vec<String>,
    /// What children depend on.
    pub defaults: Defaults,
    /// How long after a reconcile the next one comes when nothing happens.
    pub resync: Duration,
    /// Runtimes that are reconciled at the same time.
    pub concurrency: u16,
    /// Leader election; none for an operator that is alone.
    pub election: Option<Election>,
}

/// Why an operator ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// Another operator leads: this one must restart.
    LeaseLost,
}

/// Runs until `stop` resolves or the lease is lost. `http` serves metrics and probes.
pub async fn run(
    client: Client,
    settings: Settings,
    http: Option<TcpListener>,
    stop: impl Future<Output = ()> + Send,
) -> Ended {
    let shared = Shared::default();
    let mut side = JoinSet::new();
    if let Some(listener) = http {
        let router = admin::router(shared.clone());
        side.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "Metrics server failed");
            }
        });
    }
    let (stopping, stopped) = watch::channel(false);
    let work = lead(client, &settings, &shared, stopped);
    tokio::pin!(work, stop);
    tokio::select! {
        end = &mut work => return end,
        () = &mut stop => {}
    }
    tracing::info!("Stopping");
    // The receiver lives in `work`.
    let _ = stopping.send(true);
    work.await
}

async fn lead(
    client: Client,
    settings: &Settings,
    shared: &Shared,
    mut stopped: watch::Receiver<bool>,
) -> Ended {
    let Some(election) = &settings.election else {
        shared.metrics.set_leader(true);
        work(client, settings, shared, Leadership::alone(), stopped).await;
        return Ended::Stopped;
    };
    let mut candidate = Candidate::new(client.clone(), election);
    // A candidate that waits is as ready as it gets.
    shared.ready.store(true, Ordering::Relaxed);
    tokio::select! {
        () = candidate.acquire() => {}
        () = told(&mut stopped) => {
            // It may have been acquired at this moment.
            candidate.release().await;
            return Ended::Stopped;
        }
    }
    tracing::info!(identity = election.identity, "Leading");
    shared.ready.store(false, Ordering::Relaxed);
    shared.metrics.set_leader(true);
    let work = work(client, settings, shared, candidate.leadership(), stopped);
    let lost = tokio::select! {
        () = work => false,
        () = candidate.keep() => true,
    };
    shared.metrics.set_leader(false);
    if lost {
        return Ended::LeaseLost;
    }
    candidate.release().await;
    tracing::info!("Lease released");
    Ended::Stopped
}

async fn work(
    client: Client,
    settings: &Settings,
    shared: &Shared,
    leadership: Leadership,
    mut stopped: watch::Receiver<bool>,
) {
    let reporter = Reporter {
        controller: labels::OPERATOR.to_owned(),
        instance: settings
            .election
            .as_ref()
            .map(|election| election.identity.clone()),
    };
    let context = Context {
        recorder: Recorder::new(client.clone(), reporter),
        client,
        defaults: settings.defaults.clone(),
        resync: settings.resync,
        leadership,
        metrics: shared.metrics.clone(),
    };
    let late = {
        let mut stopped = stopped.clone();
        async move {
            told(&mut stopped).await;
            tokio::time::sleep(DRAIN).await;
        }
    };
    let stop = async move { told(&mut stopped).await };
    let ready = Arc::clone(&shared.ready);
    let namespaces = &settings.namespaces;
    let work = controller::run(context, namespaces, settings.concurrency, ready, stop);
    // Round the work alone: what was acquired is released after it, however long that took.
    tokio::select! {
        () = work => {}
        () = late => tracing::warn!("Reconciles did not end in time"),
    }
}

/// Waits until the operator is told to stop.
async fn told(stopped: &mut watch::Receiver<bool>) {
    // An error means that the operator is gone.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
