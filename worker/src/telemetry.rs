//! Logging to stderr, as text or JSON.

mod clean;

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crds::contract::env;

use clean::Clean;

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
        .with_env_filter(filter)
        .with_writer(move || Clean::new(std::io::stderr(), !json))
        .with_ansi(terminal);
    // Fails only when a subscriber is installed already, as in tests that call `run` twice.
    let _ = if json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_target(false).try_init()
    };
    if let Some((text, error)) = complaint {
        tracing::warn!(%error, text, "Log filter in {} ignored", env::LOG);
    }
}
