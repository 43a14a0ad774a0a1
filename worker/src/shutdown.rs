//! How the worker is asked to end, and how far that has come.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// How far a shutdown has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Messages are taken.
    Serving,
    /// No more are taken; those that were are finished.
    Draining,
    /// All are finished: acknowledge and disconnect.
    Finishing,
}

/// Ready when the process is asked to end by SIGINT or SIGTERM, each time anew.
pub async fn requested() {
    let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
    tokio::select! {
        () = received(signal(interrupt)) => {}
        () = received(signal(terminate)) => {}
    }
}

async fn received(signal: std::io::Result<Signal>) {
    match signal {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(error) => {
            // Without a handler the signal's default action ends the process, only less gently.
            tracing::warn!(%error, "Unable to handle a signal");
            std::future::pending::<()>().await;
        }
    }
}
