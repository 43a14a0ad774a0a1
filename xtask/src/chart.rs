//! What of the Helm chart comes from elsewhere: its CustomResourceDefinition from the code, its values and their page from
//! the schema of the values, and the rules for a Prometheus without operator from the chart's.

mod values;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub(crate) use values::{page, values};

const SCHEMA: &str = include_str!("../../charts/edgemodel/values.schema.json");
const RULES: &str = include_str!("../../charts/edgemodel/files/rules.yaml");

const DEFINITION_HEAD: &str = "\
{{- /* Written by `cargo xtask gen` from crds/src; edit the types there. */}}
{{- if .Values.crds.enabled }}
";

const RULES_HEAD: &str = "\
# Written by `cargo xtask gen` from charts/edgemodel/files/rules.yaml: alerts for a Prometheus without the Prometheus
# operator. docs/runbooks.md has a section for each.
";

/// The schema of the chart's values, by which Helm checks them.
pub(crate) fn schema() -> anyhow::Result<Value> {
    Ok(serde_json::from_str(SCHEMA)?)
}

/// The definition as a template, so that it is upgraded with the release.
pub(crate) fn definition(yaml: &str) -> anyhow::Result<String> {
    let (head, rest) = yaml.split_once("  labels:\n").ok_or_else(|| {
        anyhow::anyhow!("the definition has no labels, before which its annotations belong")
    })?;
    let escaped = |text: &str| {
        text.replace("{{", "\u{0}")
            .replace("}}", "{{ \"}}\" }}")
            .replace('\u{0}', "{{ \"{{\" }}")
    };
    let keep = "  {{- $keep := dict \"helm.sh/resource-policy\" \"keep\" }}\n  \
                {{- include \"edgemodel.annotations\" (list . (ternary $keep dict .Values.crds.keep)) }}\n";
    Ok(format!(
        "{DEFINITION_HEAD}{}{keep}  labels:\n    {{{{- include \"edgemodel.labels\" . | nindent 4 }}}}\n{}{{{{- end }}}}\n",
        escaped(head),
        escaped(&without_part_of(rest))
    ))
}

/// The label is among the chart's own.
fn without_part_of(text: &str) -> String {
    text.replacen("    app.kubernetes.io/part-of: edgemodel\n", "", 1)
}

/// The rules without what is said to those who edit them, with links to the runbooks of this version.
pub(crate) fn rules() -> String {
    let lines = RULES.lines().skip_while(|line| line.starts_with('#'));
    let lines = lines.map(|line| format!("{line}\n"));
    let version = concat!("/blob/v", env!("CARGO_PKG_VERSION"), "/");
    let rules = lines.collect::<String>().replace("/blob/main/", version);
    format!("{RULES_HEAD}{rules}")
}
