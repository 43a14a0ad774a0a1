//! edgemodel's chores.
//!
//! `cargo xtask gen` writes the generated files, `cargo xtask gen --check` fails when one differs
//! from what the code would write.

mod chart;
mod generate;
mod metrics;
mod reference;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["gen"] => generate::write(),
        ["gen", "--check"] => generate::check(),
        _ => anyhow::bail!("usage: cargo xtask gen [--check]"),
    }
}
