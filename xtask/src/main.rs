//! edgemodel's chores.
//!
//! `cargo xtask gen` writes the generated files, `cargo xtask gen --check` fails when one differs
//! from what the code would write. `cargo xtask doc` writes the documentation of the code, with a front page, to
//! `target/doc`. `cargo xtask translations` fails when a field has no Chinese description, or a Chinese page fell behind.

mod chart;
mod doc;
mod generate;
#[cfg(test)]
mod language;
#[cfg(test)]
mod links;
mod metrics;
mod reasons;
mod reference;
mod translations;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["gen"] => generate::write(),
        ["gen", "--check"] => generate::check(),
        ["doc"] => doc::build(),
        ["translations"] => translations::check(),
        _ => anyhow::bail!("usage: cargo xtask gen [--check] | doc | translations"),
    }
}
