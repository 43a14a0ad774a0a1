//! Logging to stderr, as text or JSON.

mod clean;

use std::io::IsTerminal;
use std::sync::OnceLock;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crds::contract::env;

use crate::shutdown::Signals;
use clean::Clean;

/// The usual filter of a worker.
pub(crate) const DEFAULT: &str = "info";

/// The filter after the first SIGUSR1; the libraries' own debug lines would hide the worker's.
const VERBOSE: &str = "debug,hyper=info,h2=info,reqwest=info,rustls=info";

/// Replaces the filter of the process's subscriber.
type SetFilter = Box<dyn Fn(EnvFilter) + Send + Sync>;

/// Set with the subscriber.
static SET_FILTER: OnceLock<SetFilter> = OnceLock::new();

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text when stderr is a terminal, else JSON.
    #[default]
    Auto,
    /// One line of text per event.
    Text,
    /// One JSON object per event.
    Json,
}

/// Installs the process's subscriber; later calls do nothing.
///
/// `default` is the filter if `EDGEMODEL_LOG` is unset or invalid, which is logged.
pub fn init(format: LogFormat, default: &str) {
    let (filter, complaint) = match std::env::var(env::LOG) {
        Ok(text) if !text.is_empty() => match EnvFilter::try_new(&text) {
            Ok(filter) => (filter, None),
            Err(error) => (EnvFilter::new(default), Some((text, error))),
        },
        _ => (EnvFilter::new(default), None),
    };
    let terminal = std::io::stderr().is_terminal();
    let json = match format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let builder = tracing_subscriber::fmt()
        .with_writer(move || Clean::new(std::io::stderr(), !json))
        .with_ansi(terminal);
    // Fails only when a subscriber is installed already, as in tests that call `run` twice.
    let set: Option<SetFilter> = if json {
        let builder = builder.json().flatten_event(true);
        let builder = builder.with_env_filter(filter).with_filter_reloading();
        let handle = builder.reload_handle();
        let installed = builder.try_init().is_ok();
        installed.then(|| -> SetFilter { Box::new(move |filter| drop(handle.reload(filter))) })
    } else {
        let builder = builder.with_target(false);
        let builder = builder.with_env_filter(filter).with_filter_reloading();
        let handle = builder.reload_handle();
        let installed = builder.try_init().is_ok();
        installed.then(|| -> SetFilter { Box::new(move |filter| drop(handle.reload(filter))) })
    };
    if let Some(set) = set {
        let _ = SET_FILTER.set(set);
    }
    if let Some((text, error)) = complaint {
        tracing::warn!(%error, text, "Log filter in {} ignored", env::LOG);
    }
}

/// At each SIGUSR1, logs at level debug, or as before again; never ends.
pub(crate) async fn follow_signals(mut signals: Signals) {
    let mut verbose = false;
    loop {
        signals.next().await;
        verbose = !verbose;
        let filter = if verbose {
            EnvFilter::new(VERBOSE)
        } else {
            configured().unwrap_or_else(|| EnvFilter::new(DEFAULT))
        };
        if let Some(set) = SET_FILTER.get() {
            set(filter);
        }
        tracing::info!(verbose, "Log level changed");
    }
}

/// The filter of the environment, if it is valid.
fn configured() -> Option<EnvFilter> {
    let text = std::env::var(env::LOG).ok()?;
    let text = Some(text).filter(|text| !text.is_empty())?;
    EnvFilter::try_new(text).ok()
}
