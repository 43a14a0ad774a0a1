//! SIGINT and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ready when the process is asked to end, each time anew.
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
