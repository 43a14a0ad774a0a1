//! What the end-to-end tests share.

use std::path::PathBuf;

use anyhow::Context as _;

/// The program under test, built by the same `cargo test --workspace` beside this test binary.
///
/// # Errors
/// When it is not there, as after `cargo test -p tests` in a clean tree.
pub fn edgemodel() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe().context("failed to find this test's own file")?;
    let directory = test
        .ancestors()
        .nth(2)
        .context("a test lies two folders deep in target")?;
    let program = directory.join("edgemodel");
    anyhow::ensure!(
        program.is_file(),
        "{} is missing; run `cargo build -p worker` first",
        program.display()
    );
    Ok(program)
}
