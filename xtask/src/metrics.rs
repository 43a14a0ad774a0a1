//! The reference page of the metrics: a table of every family, from a worker's own exposition.

use std::collections::BTreeSet;

const HEAD: &str = "\
<!-- Written by `cargo xtask gen` from worker/src/metrics.rs; edit the texts there. -->

# Metrics

What a worker serves at `/metrics`. A label's values are bounded: `model` and `rule` by the configuration,
the others by the program; devices and topics are never labels.

Messages balance at every moment: `edgemodel_messages_received_total` is the sum of
`edgemodel_messages_total` over its outcomes and `edgemodel_messages_in_flight`.

| metric | type | labels | meaning |
|---|---|---|---|
";

/// The page, in Markdown, of a text in Prometheus' exposition format.
pub(crate) fn page(exposition: &str) -> String {
    let mut page = HEAD.to_owned();
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
