//! Every reason of operator and worker, in one enum: its word, meaning and remedy, and whether you have to act.
//!
//! A new reason is one entry in `reason/list.rs`; `cargo xtask gen` writes it into the tables of the docs. Why a single
//! message failed is another kind of fact, and the worker's own.

mod list;
mod text;

use std::fmt;

pub use list::Reason;
pub use text::ReasonText;

/// Who gives a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The operator, or a worker where there is no operator.
    Operator,
    /// A worker.
    Worker,
    /// The kubelet, the scheduler or a controller of Kubernetes; the operator passes it on.
    Kubernetes,
}

/// What a reason is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A whole runtime, by its conditions.
    Runtime,
    /// A model.
    Model,
    /// An exposed port.
    Port,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// Everything is as it should be.
    Good,
    /// It resolves itself, or the program retries.
    Retried,
    /// Nothing changes until you act.
    Permanent,
}

/// The facts about a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Who gives it.
    pub origin: Origin,
    /// What it is about.
    pub subjects: &'static [Subject],
    /// What happens next.
    pub outlook: Outlook,
    /// What happened, in Markdown.
    pub meaning: &'static str,
    /// What to do, in Markdown; empty if there is nothing to do.
    pub remedy: &'static str,
}

impl Reason {
    /// The reason that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == word)
    }

    /// Whether nothing changes until you change the spec, the model or the cluster.
    pub fn is_permanent(self) -> bool {
        self.facts().outlook == Outlook::Permanent
    }
}

impl fmt::Display for Reason {
    /// Its word.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<&str> for Reason {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl serde::Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reason_is_a_word_of_its_own_with_a_meaning() {
        let mut seen = HashSet::new();
        for reason in Reason::ALL {
            let (word, facts) = (reason.as_str(), reason.facts());
            assert!(seen.insert(word), "{word} is listed twice");
            assert!(
                word.len() <= 64,
                "{word} is longer than the worker's reasons may be"
            );
            assert_eq!(Reason::from_word(word), Some(*reason));
            assert_eq!(serde_json::json!(reason), word);
            assert!(!facts.subjects.is_empty(), "{word}");
            assert!(
                !facts.meaning.is_empty() && !facts.meaning.contains('|'),
                "{word}"
            );
            assert!(!facts.remedy.contains('|'), "{word}");
        }
    }

    /// If you have to act, you must be told how.
    #[test]
    fn permanent_reasons_have_a_remedy() {
        let without = Reason::ALL.iter().filter(|one| one.is_permanent());
        let without: Vec<_> = without
            .filter(|one| one.facts().remedy.is_empty())
            .collect();
        assert!(without.is_empty(), "{without:?}");
    }
}
