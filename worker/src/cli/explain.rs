//! `edgemodel explain`: shows which models would get a message, and why the others would not.

use anyhow::Context as _;
use matching::explain;

use super::{End, configuration, print, read_bytes};

const EXAMPLES: &str = "\
Examples:
  edgemodel explain --config my.yaml --message message.json
  mosquitto_sub -t 'telemetry/#' -C 1 | edgemodel explain --config my.yaml --message -";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Configuration in YAML or JSON, or `-` for stdin.
    #[arg(long, short, value_name = "FILE")]
    config: String,
    /// Payload of the message in JSON, or `-` for stdin.
    #[arg(long, short, value_name = "FILE")]
    message: String,
    /// Topic of the message, to see which rules receive it.
    #[arg(long)]
    topic: Option<String>,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    let Some(runtime) = configuration(&arguments.config)? else {
        return Ok(End::BadConfiguration);
    };
    let (payload, source) = read_bytes(&arguments.message)?;
    let explanation = explain(&runtime, arguments.topic.as_deref(), &payload)
        .with_context(|| format!("failed to explain {source}"))?;
    if arguments.json {
        let document = serde_json::to_value(&explanation).context("failed to write JSON")?;
        return print(&format!("{document:#}\n"));
    }
    print(&explanation.to_string())
}
