//! The files that come from the code.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use worker::metrics::Metrics;

use crate::{chart, metrics, reasons, reference};

const DEFINITION_HEAD: &str = "\
# Written by `cargo xtask gen` from crds/src; edit the types there.
";

const SAMPLE_HEAD: &str = "\
# Written by `cargo xtask gen` from tests/fixtures/seed/config.yaml: a configuration of pyboot's, unchanged.
apiVersion: edgemodel.io/v1alpha1
kind: EdgeModelRuntime
metadata:
  name: edgemodel
spec:
";

/// Path from the repository's root, and contents.
fn files() -> anyhow::Result<Vec<(&'static str, String)>> {
    let schema = crds::schema::config();
    let definition = crds::yaml::write(&crds::custom_resource::crd())?;
    let values = chart::schema()?;
    let mut files = vec![
        ("crds/generated/config.schema.json", format!("{schema:#}\n")),
        (
            "crds/generated/panel.json",
            format!("{:#}\n", crds::schema::panel()),
        ),
        (
            "docs/reference/config.md",
            reference::page(&schema, &reference::ENGLISH),
        ),
        (
            "docs/reference/metrics.md",
            metrics::page(metrics::OF_WORKERS, &Metrics::example()),
        ),
        (
            "docs/reference/operator-metrics.md",
            metrics::page(metrics::OF_OPERATOR, &operator::metrics::Metrics::example()),
        ),
        (
            "crds/generated/edgemodelruntime.yaml",
            format!("{DEFINITION_HEAD}{definition}"),
        ),
        (
            "docs/reference/edgemodelruntime.md",
            reference::runtime_page(&crds::custom_resource::openapi()),
        ),
        ("deploy/samples/edgemodel.yaml", sample()),
        (
            "charts/edgemodel/templates/crd.yaml",
            chart::definition(&definition)?,
        ),
        ("charts/edgemodel/values.yaml", chart::values(&values)?),
        ("charts/edgemodel/README.md", chart::page(&values)),
        ("deploy/prometheus/rules.yaml", chart::rules()),
    ];
    files.extend(reasons::pages()?);
    Ok(files)
}

/// pyboot's configuration as a runtime, unchanged but for its indentation.
fn sample() -> String {
    let config = include_str!("../../tests/fixtures/seed/config.yaml");
    let lines = config.lines().map(|line| format!("  {line}\n"));
    format!("{SAMPLE_HEAD}{}", lines.collect::<String>())
}

/// The files that are translations, whose drift `cargo xtask translations` finds: those who change a field need not know
/// the language.
fn translations() -> Vec<(&'static str, String)> {
    let page = reference::chinese(&crds::schema::config());
    vec![("docs/zh-CN/reference/config.md", page)]
}

/// Writes all of them.
pub(crate) fn write() -> anyhow::Result<()> {
    for (path, text) in files()?.into_iter().chain(translations()) {
        let path_at_root = at_root(path);
        if let Some(folder) = path_at_root.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("failed to create the folder of {path}"))?;
        }
        fs::write(path_at_root, text).with_context(|| format!("failed to write {path}"))?;
    }
    Ok(())
}

/// Compares all but the translations with what is there.
pub(crate) fn check() -> anyhow::Result<()> {
    agree(files()?)
}

/// Compares the translations with what is there.
pub(crate) fn check_translations() -> anyhow::Result<()> {
    agree(translations())
}

fn agree(files: Vec<(&'static str, String)>) -> anyhow::Result<()> {
    let drifted: Vec<_> = files
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

#[cfg(test)]
mod tests {
    /// A change to the types that leaves the generated files behind fails here, before CI.
    #[test]
    fn the_generated_files_are_those_of_the_code() -> anyhow::Result<()> {
        super::check()
    }
}
