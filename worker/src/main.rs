//! The program `edgemodel`.

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::cli::main()
}
