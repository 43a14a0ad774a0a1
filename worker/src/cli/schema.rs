//! `edgemodel schema`: what a configuration may hold.

use super::{End, print};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print the document from which pyboot's console draws its form.
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
