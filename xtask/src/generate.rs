//! The files that come from the code.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Path from the repository's root, and contents.
fn files() -> [(&'static str, String); 2] {
    [
        (
            "crds/generated/config.schema.json",
            format!("{:#}\n", crds::schema::config()),
        ),
        (
            "crds/generated/panel.json",
            format!("{:#}\n", crds::schema::panel()),
        ),
    ]
}

/// Writes them.
pub(crate) fn write() -> anyhow::Result<()> {
    for (path, text) in files() {
        fs::write(at_root(path), text).with_context(|| format!("failed to write {path}"))?;
    }
    Ok(())
}

/// Compares them with what is there.
pub(crate) fn check() -> anyhow::Result<()> {
    let drifted: Vec<_> = files()
        .into_iter()
        .filter(|(path, text)| fs::read_to_string(at_root(path)).ok().as_ref() != Some(text))
        .map(|(path, _)| path)
        .collect();
    anyhow::ensure!(
        drifted.is_empty(),
        "generated files differ from the code: {}; run `cargo xtask gen` and commit them",
        drifted.join(", ")
    );
    Ok(())
}

fn at_root(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
