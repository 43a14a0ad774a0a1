//! Who takes part in a comparison: one that this machine cannot have, or that fails, is named with the reason, and the others stay.

use std::collections::BTreeMap;

/// Those that take part, and those that don't.
#[derive(Debug)]
pub struct Contest<K> {
    present: Vec<K>,
    absent: BTreeMap<K, String>,
}

impl<K: Copy + Ord> Contest<K> {
    /// All of them, in the order in which they take turns.
    pub fn new(all: &[K]) -> Self {
        Self {
            present: all.to_vec(),
            absent: BTreeMap::new(),
        }
    }

    /// Those that take part.
    pub fn present(&self) -> Vec<K> {
        self.present.clone()
    }

    /// Those that don't, each with the reason.
    pub fn absent(&self) -> impl Iterator<Item = (K, &str)> {
        self.absent.iter().map(|(who, why)| (*who, why.as_str()))
    }

    /// What came of an attempt of `who`; if it failed, `who` takes part no more.
    pub fn came_of<T>(&mut self, who: K, attempt: anyhow::Result<T>) -> Option<T> {
        match attempt {
            Ok(value) => Some(value),
            Err(error) => {
                self.present.retain(|present| *present != who);
                let why = format!("{error:#}");
                let words: Vec<_> = why.split_whitespace().collect();
                self.absent.entry(who).or_insert(words.join(" "));
                None
            }
        }
    }
}

#[test]
fn one_that_fails_is_named_with_the_first_reason_and_the_others_stay() {
    let mut contest = Contest::new(&["ours", "theirs", "another"]);
    let missing = anyhow::anyhow!("Go is missing").context("no program");
    assert_eq!(contest.came_of("theirs", Err::<(), _>(missing)), None);
    assert_eq!(contest.came_of("ours", Ok(1)), Some(1));
    assert_eq!(contest.present(), ["ours", "another"]);
    let late = anyhow::anyhow!("messages\n  were lost");
    assert_eq!(contest.came_of("another", Err::<(), _>(late)), None);
    let again = anyhow::anyhow!("another reason");
    assert_eq!(contest.came_of("theirs", Err::<(), _>(again)), None);
    assert_eq!(contest.present(), ["ours"]);
    let absent: Vec<_> = contest.absent().collect();
    let expected = [
        ("another", "messages were lost"),
        ("theirs", "no program: Go is missing"),
    ];
    assert_eq!(absent, expected);
}
