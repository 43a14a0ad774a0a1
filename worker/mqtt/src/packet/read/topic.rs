//! Topics that a message may not have.

use super::super::properties::Properties;
use super::super::violation::{Sections, TEXT};

/// What is wrong with the topic of a message.
pub(super) fn bad_topic(topic: &[u8], properties: &Properties) -> Option<(&'static str, Sections)> {
    if properties.topic_alias {
        let section = Sections::both("3.3.2.3.4");
        return Some(("with a topic alias that was not offered", section));
    }
    if std::str::from_utf8(topic).is_err() {
        return Some(("with a topic that is not UTF-8", TEXT));
    }
    if topic.contains(&0) {
        return Some(("with a NUL in its topic", TEXT));
    }
    if topic.is_empty() {
        return Some(("with an empty topic", Sections::both("4.7.3")));
    }
    if topic.iter().any(|byte| matches!(byte, b'+' | b'#')) {
        return Some(("with a wildcard in its topic", Sections::both("3.3.2.1")));
    }
    None
}
