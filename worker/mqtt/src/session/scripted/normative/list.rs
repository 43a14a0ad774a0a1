//! Whether the list of the statements is whole, and each that concerns a client has its test.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    connecting, conversation, deviating, ending, limits, receiving, resuming, sending, streaming,
    subscribing,
};

const LIST: &str = include_str!("statements.txt");

/// Tests of the configuration.
const CRDS: &str = include_str!("../../../../../../crds/src/validate/tests/normative.rs");

/// A line of the list: version, cover, and what follows.
fn lines() -> impl Iterator<Item = (&'static str, &'static str, Vec<&'static str>)> {
    let lines = LIST.lines().filter(|line| !line.starts_with('#'));
    lines.filter(|line| !line.is_empty()).map(|line| {
        let mut words = line.split_whitespace();
        let version = words.next().unwrap();
        let cover = words.next().expect(line);
        (version, cover, words.collect())
    })
}

/// The test of a statement.
fn name(version: &str, number: &str) -> String {
    let prefix = match version {
        "3.1.1" => "v3",
        "5" => "v5",
        other => unreachable!("version {other:?}"),
    };
    format!("{prefix}_mqtt_{}", number.replace(['.', '-'], "_"))
}

/// Whether the tests of the configuration have one of this name.
fn in_crds(name: &str) -> bool {
    CRDS.split(|character: char| !character.is_alphanumeric() && character != '_')
        .any(|word| word == name)
}

#[test]
fn each_statement_that_concerns_a_client_has_its_test_or_a_reason() {
    let mut expected = BTreeSet::new();
    for (version, cover, words) in lines() {
        let number = words[0];
        match cover {
            "test" | "deviates" => {
                assert!(expected.insert(name(version, number)), "{number} twice");
            }
            "crds" => {
                let name = name(version, number);
                assert!(in_crds(&name), "{name} is not in crds");
            }
            "unused" => assert!(words.len() > 1, "{version} {number} without a reason"),
            "server" => {}
            other => unreachable!("{other:?}"),
        }
    }
    let modules = [
        connecting::NAMES,
        conversation::NAMES,
        deviating::NAMES,
        ending::NAMES,
        limits::NAMES,
        receiving::NAMES,
        resuming::NAMES,
        sending::NAMES,
        streaming::NAMES,
        subscribing::NAMES,
    ];
    let found: BTreeSet<_> = modules
        .into_iter()
        .flatten()
        .map(|name| (*name).to_owned())
        .collect();
    let missing: Vec<_> = expected.difference(&found).collect();
    let unknown: Vec<_> = found.difference(&expected).collect();
    assert!(missing.is_empty(), "no test: {missing:#?}");
    assert!(unknown.is_empty(), "not in the list: {unknown:#?}");
}

/// Both standards number the statements of a section from 1 on. MQTT 5 has no [MQTT-2.2.1-1].
#[test]
fn no_statement_of_the_standards_is_left_out() {
    let mut sections: BTreeMap<(&str, &str), BTreeSet<u16>> = BTreeMap::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (version, cover, words) in lines() {
        let numbers = if cover == "server" {
            &words[..]
        } else {
            &words[..1]
        };
        for number in numbers {
            let (section, last) = number.split_once('-').expect(number);
            let section = sections.entry((version, section)).or_default();
            assert!(section.insert(last.parse().unwrap()), "{number} twice");
            *counts.entry(version).or_default() += 1;
        }
    }
    for ((version, section), numbers) in &sections {
        let first = if (*version, *section) == ("5", "2.2.1") {
            2
        } else {
            1
        };
        let last = *numbers.last().unwrap();
        let all: BTreeSet<_> = (first..=last).collect();
        assert_eq!(*numbers, all, "MQTT {version}, section {section}");
    }
    assert_eq!(counts, BTreeMap::from([("3.1.1", 141), ("5", 251)]));
}
