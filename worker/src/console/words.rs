//! The console's words: the same keys in both languages, and a remedy in Chinese for each reason that a worker gives.

use std::collections::BTreeSet;

use crds::Reason;
use crds::reason::{Origin, Subject};

const ENGLISH: &str = include_str!("../../console/words-en.js");
const CHINESE: &str = include_str!("../../console/words-zh.js");

/// The keys of a file of words.
fn keys(words: &str) -> BTreeSet<&str> {
    let entries = words.lines().filter(|line| line.starts_with("  "));
    let keys = entries.filter_map(|line| line.trim().split_once(": "));
    keys.map(|(key, _)| key.trim_matches('"')).collect()
}

#[test]
fn both_languages_have_the_same_words() {
    let chinese = keys(CHINESE).into_iter();
    let chinese = chinese.filter(|key| !key.starts_with("remedy."));
    assert_eq!(chinese.collect::<BTreeSet<_>>(), keys(ENGLISH));
}

#[test]
fn every_reason_of_a_worker_has_a_remedy_in_chinese() {
    let given = Reason::ALL.iter().filter(|reason| {
        let facts = reason.facts();
        let configured = [Reason::InvalidDigest, Reason::DigestMissing].contains(reason);
        configured || (facts.origin == Origin::Worker && facts.subjects.contains(&Subject::Model))
    });
    let wanted: BTreeSet<_> = given.map(|reason| format!("remedy.{reason}")).collect();
    let found = keys(CHINESE)
        .into_iter()
        .filter(|key| key.starts_with("remedy."));
    assert_eq!(found.map(str::to_owned).collect::<BTreeSet<_>>(), wanted);
}
