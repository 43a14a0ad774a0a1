//! `run --try`: a worker that runs beside production on production's configuration and takes nothing from it.
//!
//! It connects under client ids of its own without sessions, subscribes outside of shared groups, serves no port of
//! `expose`, and prints results instead of publishing them.

use std::collections::HashSet;

use crds::ValidatedRuntime;
use crds::topic::unshared;
use rand::RngExt as _;

/// What EMQX puts before a filter of which only one client gets each message, besides `$share/group/`.
const ONE_OF_ALL: [&str; 2] = ["$queue/", "$exclusive/"];

/// The configuration of a trial.
pub(crate) fn harmless(mut runtime: ValidatedRuntime) -> ValidatedRuntime {
    for rule in &mut runtime.rules {
        rule.sub_client_id = None;
        rule.pub_client_id = None;
        let mut seen = HashSet::new();
        let filters = rule
            .sub_topics
            .iter()
            .map(|filter| beside(filter).to_owned());
        rule.sub_topics = filters
            .filter(|filter| seen.insert(filter.clone()))
            .collect();
    }
    runtime.expose.clear();
    runtime
}

/// The filter outside of its group: a member would get messages in place of production.
fn beside(filter: &str) -> &str {
    let filter = unshared(filter);
    let exclusive = ONE_OF_ALL
        .iter()
        .find_map(|prefix| filter.strip_prefix(prefix));
    exclusive.unwrap_or(filter)
}

/// A name for client ids that no other worker has.
pub(crate) fn owner() -> String {
    format!("try-{:016x}", rand::rng().random::<u64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_has_neither_ids_nor_groups_nor_ports_of_production() {
        let seed = include_str!("../../tests/fixtures/seed/config.yaml");
        let topic = "topic: cloud/edge-data-access";
        let shared = seed.replacen(topic, "topic: $share/g/cloud/edge-data-access", 1);
        assert_ne!(shared, seed);
        let plain = crds::load(seed, "c").unwrap();
        let runtime = harmless(crds::load(&shared, "c").unwrap());
        let rule = &runtime.rules[0];
        assert_eq!(rule.sub_topics, plain.rules[0].sub_topics);
        assert_eq!((&rule.sub_client_id, &rule.pub_client_id), (&None, &None));
        assert!(!plain.expose.is_empty());
        assert!(runtime.expose.is_empty());
        assert_ne!(owner(), owner());
    }

    #[test]
    fn a_filter_stands_outside_of_every_kind_of_group() {
        for (filter, expected) in [
            ("a/+", "a/+"),
            ("$share/g/a/#", "a/#"),
            ("$queue/a", "a"),
            ("$exclusive/a", "a"),
            ("$share/g/$queue/a", "a"),
            ("$SYS/a", "$SYS/a"),
        ] {
            assert_eq!(beside(filter), expected);
        }
    }
}
