//! Shutdown: signals and phases.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The phase of a shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Messages are read.
    Serving,
    /// No more are read; those that were are processed.
    Draining,
    /// All are processed: acknowledge and disconnect.
    Finishing,
}

/// Ready on SIGINT or SIGTERM; call it again for the next signal.
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
            // Without a handler, the signal's default action ends the process without draining.
            tracing::warn!(%error, "Unable to handle a signal");
            std::future::pending::<()>().await;
        }
    }
}
