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
pub struct Signals(Signal);

impl Signals {
    /// Waits for the next one.
    pub async fn next(&mut self) {
        // `None` means that there will be no more.
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// The signals that do not end the worker.
#[derive(Debug)]
pub struct Harmless {
    /// SIGHUP.
    pub hangups: Signals,
    /// SIGUSR1.
    pub users: Signals,
}

/// From now on, SIGHUP and SIGUSR1 do not end the process; those that come before anything waits for them are kept.
///
/// # Errors
/// The system has no event queue left.
pub fn harmless() -> std::io::Result<Harmless> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let _entered = runtime.enter();
    // Streams of signals do not belong to the runtime in which they are made.
    Ok(Harmless {
        hangups: Signals(signal(SignalKind::hangup())?),
        users: Signals(signal(SignalKind::user_defined1())?),
    })
}
