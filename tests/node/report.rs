//! What was measured, printed at the end as the tables of docs/node.md.

use std::time::Duration;

use crate::load::Tally;

/// Lines of two tables.
#[derive(Debug, Default)]
pub(crate) struct Report {
    upgrades: Vec<String>,
    figures: Vec<String>,
}

impl Report {
    /// What became of the messages during a change.
    pub(crate) fn change(&mut self, what: &str, tally: &Tally) {
        let line = format!(
            "| {what} | {} | {} | {} | {} |",
            tally.sent,
            tally.lost.len(),
            tally.duplicates,
            seconds(tally.longest_gap)
        );
        self.upgrades.push(line);
    }

    /// A time.
    pub(crate) fn time(&mut self, what: &str, time: Duration) {
        self.figures.push(format!("| {what} | {} |", seconds(time)));
    }

    /// Some bytes.
    pub(crate) fn bytes(&mut self, what: &str, bytes: u64) {
        self.figures
            .push(format!("| {what} | {} MiB |", bytes >> 20));
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.upgrades.is_empty() {
            writeln!(f, "| change | messages | lost | repeated | longest gap |")?;
            writeln!(f, "|---|---|---|---|---|")?;
            self.upgrades
                .iter()
                .try_for_each(|line| writeln!(f, "{line}"))?;
            writeln!(f)?;
        }
        if !self.figures.is_empty() {
            writeln!(f, "| what | measured |")?;
            writeln!(f, "|---|---|")?;
            self.figures
                .iter()
                .try_for_each(|line| writeln!(f, "{line}"))?;
        }
        Ok(())
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
