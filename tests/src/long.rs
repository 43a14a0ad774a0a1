//! Which suites run in full: `EDGEMODEL_LONG=plans`, `operations`, `walks`, `hosts`, `migrate` or `all`.
//!
//! A part of one suite follows a slash: `plans/W21`, `operations/funcs`, `walks/20`.

/// The part of a suite that the environment asks to run in full, where empty means everything.
pub fn long(suite: &str) -> Option<String> {
    part(&std::env::var("EDGEMODEL_LONG").ok()?, suite)
}

fn part(wanted: &str, suite: &str) -> Option<String> {
    if wanted == "all" {
        return Some(String::new());
    }
    let (of, part) = wanted.split_once('/').unwrap_or((wanted, ""));
    (of == suite).then(|| part.to_owned())
}

#[test]
fn a_suite_or_a_part_of_it_is_chosen() {
    assert_eq!(part("all", "plans").as_deref(), Some(""));
    assert_eq!(part("plans", "plans").as_deref(), Some(""));
    assert_eq!(part("plans/W21", "plans").as_deref(), Some("W21"));
    assert_eq!(part("plans/W21", "walks"), None);
    assert_eq!(part("", "plans"), None);
}
