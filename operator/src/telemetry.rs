//! Logging to stderr, as text or JSON.

use std::io::IsTerminal as _;

use crds::contract::env::LOG;
use tracing_subscriber::EnvFilter;

/// Installs the process's subscriber.
pub fn init() {
    let filter = EnvFilter::try_from_env(LOG);
    let refused = filter.as_ref().err().map(ToString::to_string);
    let set = std::env::var_os(LOG).is_some();
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(std::io::stderr)
        .with_ansi(terminal);
    // Fails only when a subscriber is installed already.
    let _ = if terminal {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    if let (Some(error), true) = (refused, set) {
        tracing::warn!(error, "Log filter in {LOG} ignored");
    }
}
