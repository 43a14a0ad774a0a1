//! `edgemodel schema`: prints the JSON Schema of the configuration.

use super::{End, print};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print the form description for pyboot's console instead.
    #[arg(long)]
    panel: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<End> {
    let document = if arguments.panel {
        crds::schema::panel()
    } else {
        crds::schema::config()
    };
    print(&format!("{document:#}\n"))
}
