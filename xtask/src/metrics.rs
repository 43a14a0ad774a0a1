//! The reference pages of the metrics: a table of every family, from a program's own exposition.

use std::collections::BTreeSet;

/// Above the table of a worker's.
pub(crate) const OF_WORKERS: &str = "\
<!-- Written by `cargo xtask gen` from worker/src/metrics.rs; edit the texts there. -->

# Metrics

What a worker serves at `/metrics`. A label's values are bounded: `model` and `rule` by the configuration,
the others by the program; devices and topics are never labels.

Messages balance at every moment: `edgemodel_messages_received_total` is the sum of
`edgemodel_messages_total` over its outcomes and `edgemodel_messages_in_flight`.
";

/// Above the table of the operator's.
pub(crate) const OF_OPERATOR: &str = "\
<!-- Written by `cargo xtask gen` from operator/src/metrics.rs; edit the texts there. -->

# The operator's metrics

What the operator serves at `/metrics`. A label's values are bounded: `namespace`, `runtime`, `model` and `port` by the
runtimes that there are, the others by the program. The series of a runtime, model or port go with it.

`edgemodel_operator_runtime_condition`, `edgemodel_operator_model_ready` and `edgemodel_operator_port_exposed` come from the
statuses, of the operator that leads. Their `namespace` is the runtime's: scrape with `honor_labels`. Alerts, a dashboard and how
to scrape: [install.md](../install.md#monitoring).
";

const TABLE: &str = "
| metric | type | labels | meaning |
|---|---|---|---|
";

/// The page, in Markdown, of a text in Prometheus' exposition format.
pub(crate) fn page(head: &str, exposition: &str) -> String {
    let mut page = format!("{head}{TABLE}");
    let mut lines = exposition.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((name, help)) = line
            .strip_prefix("# HELP ")
            .and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        let kind = lines
            .next()
            .and_then(|line| line.rsplit(' ').next())
            .unwrap_or_default();
        let mut labels = BTreeSet::new();
        while let Some(series) = lines.next_if(|line| !line.starts_with('#')) {
            let inside = series.split_once('{').map_or("", |(_, rest)| rest);
            let names = inside
                .split("=\"")
                .filter_map(|part| part.rsplit(['{', ',']).next());
            labels
                .extend(names.filter(|name| {
                    !name.is_empty() && !name.contains(['"', ' ']) && *name != "le"
                }));
        }
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        page.push_str(&format!(
            "| `{name}` | {kind} | {} | {help} |\n",
            labels.join(", ")
        ));
    }
    page
}
