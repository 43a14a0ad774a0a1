//! The tables of reasons in hand-written pages: each stands between two marker comments, and the rest of its page is
//! left alone.

use crds::Reason;
use crds::reason::{Facts, Origin, Outlook, Subject};

/// A page that has tables, as it is.
const PAGES: [(&str, &str); 3] = [
    ("docs/operator.md", include_str!("../../docs/operator.md")),
    (
        "docs/troubleshooting.md",
        include_str!("../../docs/troubleshooting.md"),
    ),
    ("docs/models.md", include_str!("../../docs/models.md")),
];

const END: &str = "<!-- end of the table -->";

type Table = (&'static str, fn() -> String);

/// Marker and text of each table.
const TABLES: [Table; 4] = [
    (
        "<!-- `cargo xtask gen`: reasons of the operator -->",
        of_operator,
    ),
    ("<!-- `cargo xtask gen`: reasons of a model -->", || {
        of(Subject::Model)
    }),
    ("<!-- `cargo xtask gen`: reasons of a port -->", || {
        of(Subject::Port)
    }),
    ("<!-- `cargo xtask gen`: reasons of samples -->", of_samples),
];

/// Path and text of each page, with the tables of now.
pub(crate) fn pages() -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut unused: Vec<_> = TABLES.iter().map(|(marker, _)| *marker).collect();
    let mut pages = Vec::new();
    for (path, page) in PAGES {
        let mut page = page.to_owned();
        for (marker, table) in TABLES {
            if page.contains(marker) {
                page = filled(&page, marker, &table())?;
                unused.retain(|one| *one != marker);
            }
        }
        pages.push((path, page));
    }
    anyhow::ensure!(
        unused.is_empty(),
        "no page has the markers {}",
        unused.join(", ")
    );
    Ok(pages)
}

/// `page` with `table` between `marker` and the next end.
fn filled(page: &str, marker: &str, table: &str) -> anyhow::Result<String> {
    let parts = page.split_once(marker);
    let parts = parts.and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| anyhow::anyhow!("no {END:?} follows {marker:?}"))?;
    Ok(format!("{before}{marker}\n{table}{END}{after}"))
}

fn rows(head: &str, row: impl Fn(Reason, Facts) -> Option<String>) -> String {
    let columns = head.matches('|').count() - 1;
    let rows = Reason::ALL.iter().filter_map(|one| row(*one, one.facts()));
    format!(
        "{head}\n|{}\n{}",
        "---|".repeat(columns),
        rows.collect::<String>()
    )
}

/// Everything that the operator itself says.
fn of_operator() -> String {
    rows(
        "| reason | of | what it means | what to do |",
        |reason, facts| {
            let subjects = facts.subjects.iter().map(|subject| match subject {
                Subject::Runtime => "runtime",
                Subject::Model => "model",
                Subject::Port => "port",
            });
            let subjects = subjects.collect::<Vec<_>>().join(", ");
            let (meaning, remedy) = (facts.meaning, what_to_do(facts));
            (facts.origin == Origin::Operator)
                .then(|| format!("| `{reason}` | {subjects} | {meaning} | {remedy} |\n"))
        },
    )
}

/// Everything that may be wrong with a model or a port.
fn of(subject: Subject) -> String {
    rows(
        "| reason | what happened | what to do | retried |",
        |reason, facts| {
            let retried = match facts.outlook {
                Outlook::Good => return None,
                Outlook::Retried => "yes",
                Outlook::Permanent => "no",
            };
            let (meaning, remedy) = (facts.meaning, what_to_do(facts));
            facts
                .subjects
                .contains(&subject)
                .then(|| format!("| `{reason}` | {meaning} | {remedy} | {retried} |\n"))
        },
    )
}

fn of_samples() -> String {
    rows(
        "| reason of a refusal | what happened |",
        |reason, facts| {
            let meaning = facts.meaning;
            reason
                .as_str()
                .starts_with("Sample")
                .then(|| format!("| `{reason}` | {meaning} |\n"))
        },
    )
}

fn what_to_do(facts: Facts) -> &'static str {
    match facts.outlook {
        Outlook::Good => "nothing",
        _ if facts.remedy.is_empty() => "wait",
        _ => facts.remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_stands_between_its_markers_and_the_rest_stays() -> anyhow::Result<()> {
        let page = format!("before\n<!-- m -->\nold\n{END}\nafter {END}\n");
        let filled = filled(&page, "<!-- m -->", "new\n")?;
        assert_eq!(
            filled,
            format!("before\n<!-- m -->\nnew\n{END}\nafter {END}\n")
        );
        assert!(super::filled("<!-- m -->\n", "<!-- m -->", "new\n").is_err());
        Ok(())
    }

    /// Users cannot look up a reason that no table lists.
    #[test]
    fn every_reason_is_in_a_table() -> anyhow::Result<()> {
        let pages: String = pages()?.into_iter().map(|(_, text)| text).collect();
        for reason in Reason::ALL {
            assert!(pages.contains(&format!("\n| `{reason}` |")), "{reason}");
        }
        Ok(())
    }
}
