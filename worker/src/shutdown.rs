//! Signals, and the phases of a shutdown.

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
        Err(error) => unhandled(&error).await,
    }
}

async fn unhandled(error: &std::io::Error) {
    // Without a handler, the signal's default action ends the process without draining.
    tracing::warn!(%error, "Unable to handle a signal");
    std::future::pending::<()>().await;
}

/// The signals of one kind, of which none is missed between two waits.
#[derive(Debug)]
pub struct Signals(std::io::Result<Signal>);

impl Signals {
    /// From now on, the kind has no other effect on the process.
    pub fn new(kind: SignalKind) -> Self {
        Self(signal(kind))
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        match &mut self.0 {
            Ok(signal) => {
                // `None` means that there will be no more.
                if signal.recv().await.is_none() {
                    std::future::pending::<()>().await;
                }
            }
            Err(error) => unhandled(error).await,
        }
    }
}

/// Keeps SIGHUP and SIGUSR1 from ending the process before anything waits for them: a handler stays until the process ends.
///
/// # Errors
/// The system has no event queue left.
pub fn ignore_early() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let _entered = runtime.enter();
    for kind in [SignalKind::hangup(), SignalKind::user_defined1()] {
        // The stream itself is not needed: the handler stays without it.
        drop(signal(kind)?);
    }
    Ok(())
}
