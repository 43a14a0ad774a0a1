//! Topics and topic filters (MQTT 3.1.1, section 4.7).

/// Whether messages to `topic` reach a subscription of `filter`, shared (`$share/group/...`) or not.
pub fn reaches(topic: &str, filter: &str) -> bool {
    let filter = filter
        .strip_prefix("$share/")
        .and_then(|shared| shared.split_once('/'))
        .map_or(filter, |(_, filter)| filter);
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

#[cfg(test)]
mod tests {
    use super::reaches;

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
