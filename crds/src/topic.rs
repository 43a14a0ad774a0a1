//! Topics and topic filters (MQTT 3.1.1, section 4.7).

/// Whether messages to `topic` reach a subscription of `filter`, shared (`$share/group/...`) or not.
pub fn reaches(topic: &str, filter: &str) -> bool {
    let filter = unshared(filter);
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

/// The filter of a shared subscription without its group; any other as it is.
pub fn unshared(filter: &str) -> &str {
    filter
        .strip_prefix("$share/")
        .and_then(|shared| shared.split_once('/'))
        .map_or(filter, |(_, filter)| filter)
}

/// Whether there are topics that both filters get; groups of shared subscriptions get a copy each.
pub fn overlap(one: &str, other: &str) -> bool {
    let levels = |filter| -> Vec<&str> { unshared(filter).split('/').collect() };
    let (one, other) = (levels(one), levels(other));
    // A wildcard at the beginning gets no topic that begins with `$`.
    let dollar = |levels: &[&str]| levels[0].starts_with('$');
    let wild = |levels: &[&str]| matches!(levels[0], "+" | "#");
    if (dollar(&one) && wild(&other)) || (dollar(&other) && wild(&one)) {
        return false;
    }
    let (mut one, mut other) = (one.iter(), other.iter());
    loop {
        match (one.next(), other.next()) {
            (Some(&"#"), _) | (_, Some(&"#")) | (None, None) => return true,
            (Some(&"+"), Some(_)) | (Some(_), Some(&"+")) => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{overlap, reaches};

    #[test]
    fn filters_overlap_where_a_topic_reaches_both() {
        for (one, other, expected) in [
            ("a/b", "a/b", true),
            ("a/+", "a/b", true),
            ("a/+", "+/b", true),
            ("a/#", "a", true),
            ("#", "a/b", true),
            ("a/+/c", "a/b/d", false),
            ("a/+", "a/b/c", false),
            ("a", "b", false),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$share/g/a", "a", true),
        ] {
            assert_eq!(overlap(one, other), expected, "{one} {other}");
            assert_eq!(overlap(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn filters_reach_what_the_specification_says() {
        for (topic, filter, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/+", true),
            ("a/b/c", "a/+", false),
            ("a", "a/#", true),
            ("a/b/c", "a/#", true),
            ("b/a", "a/#", false),
            ("/a", "+/+", true),
            ("/a", "+", false),
            ("a/", "a/+", true),
            ("$SYS/x", "#", false),
            ("$SYS/x", "+/x", false),
            ("$SYS/x", "$SYS/#", true),
            ("a/b", "$share/g/a/+", true),
        ] {
            assert_eq!(reaches(topic, filter), expected, "{topic} {filter}");
        }
    }
}
