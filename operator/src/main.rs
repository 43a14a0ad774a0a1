//! The program `edgemodel-operator`.

mod arguments;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Run(run) => run.run(),
        Command::Verify(verify) => verify.run(),
        Command::Crd => arguments::print_crd(),
    }
}
