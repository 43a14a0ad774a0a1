//! The normative statements of MQTT 3.1.1 and 5 on topics and filters, each with a test named by its number: they are checked
//! here, and not where packets are written. `worker/mqtt` has the list of all statements.

use super::{accepts, rejects};
use crate::template::{MAX_TOPIC, Template, Values};

/// Makes a test for each statement that a check is about.
macro_rules! statements {
    ($($check:ident: $($name:ident)*;)*) => {
        $($(
            #[test]
            fn $name() {
                $check();
            }
        )*)*
    };
}

statements! {
    a_topic_to_publish_to_has_no_wildcards:
        v3_mqtt_3_3_2_2 v3_mqtt_4_7_1_1 v5_mqtt_3_3_2_2 v5_mqtt_4_7_0_1;
    a_wildcard_of_many_levels_is_the_last_level: v3_mqtt_4_7_1_2 v5_mqtt_4_7_1_1;
    a_wildcard_of_one_level_is_a_whole_level: v3_mqtt_4_7_1_3 v5_mqtt_4_7_1_2;
    nothing_is_empty: v3_mqtt_4_7_3_1 v5_mqtt_4_7_3_1;
    nothing_has_nul: v3_mqtt_4_7_3_2 v5_mqtt_4_7_3_2;
    nothing_is_longer_than_65_535_bytes: v3_mqtt_4_7_3_3 v5_mqtt_4_7_3_3;
    a_shared_subscription_names_its_group: v5_mqtt_4_8_2_1;
    a_group_has_no_wildcards_and_is_followed_by_a_filter: v5_mqtt_4_8_2_2;
}

const PUBLISH: &str =
    "topic: cloud/edge-pyboot-e060ff31-1644570929743-e54d4620-8b1a-11ec-9969-df2a36238047";
const SUBSCRIBE: &str =
    "topic: cloud/edge-data-access-a60c2306-1644570929743-e54d4620-8b1a-11ec-9969-df2a36238047";

/// A topic for results with a message's text in it.
fn rendered(inserted: &str) -> String {
    let values = Values {
        device: inserted,
        model: "m",
        topic: "a/b",
    };
    let template: Template = "out/{device}".parse().unwrap();
    template.render(values).unwrap()
}

fn a_topic_to_publish_to_has_no_wildcards() {
    for topic in ["+", "a/+", "#", "a/#", "a+b"] {
        let expected = "has a wildcard, which only subscriptions take";
        rejects(PUBLISH, &format!("topic: '{topic}'"), expected);
    }
    assert_eq!(rendered("a+#"), "out/a%2B%23");
}

fn a_wildcard_of_many_levels_is_the_last_level() {
    for filter in ["a/#/b", "#/a", "a#"] {
        rejects(SUBSCRIBE, &format!("topic: '{filter}'"), "# before the end");
    }
    for filter in ["a/#", "/#", "a/+/#"] {
        accepts(SUBSCRIBE, &format!("topic: '{filter}'"));
    }
    rejects(SUBSCRIBE, "topic: '#'", "so results would loop");
}

fn a_wildcard_of_one_level_is_a_whole_level() {
    for filter in ["a+", "a/b+/c", "++"] {
        rejects(
            SUBSCRIBE,
            &format!("topic: '{filter}'"),
            "not a whole level",
        );
    }
    for filter in ["a/+", "x/+/b", "x/+/+"] {
        accepts(SUBSCRIBE, &format!("topic: '{filter}'"));
    }
}

fn nothing_is_empty() {
    for line in [PUBLISH, SUBSCRIBE] {
        rejects(line, "topic: ''", "\"\" is empty");
    }
    assert_eq!(rendered(""), "out/%");
}

fn nothing_has_nul() {
    for line in [PUBLISH, SUBSCRIBE] {
        rejects(line, "topic: \"a\\0\"", "has a control character");
    }
    assert_eq!(rendered("a\0"), "out/a%00");
}

fn nothing_is_longer_than_65_535_bytes() {
    let expected = "is longer than 65535 bytes";
    for (line, prefix) in [(PUBLISH, ""), (SUBSCRIBE, ""), (SUBSCRIBE, "$share/g/")] {
        let topic = |size: usize| format!("topic: {prefix}{}", "a".repeat(size - prefix.len()));
        accepts(line, &topic(MAX_TOPIC));
        rejects(line, &topic(MAX_TOPIC + 1), expected);
    }
    let template: Template = "out/{device}".parse().unwrap();
    let values = Values {
        device: &"a".repeat(MAX_TOPIC),
        model: "m",
        topic: "a/b",
    };
    assert!(template.render(values).is_err());
}

fn a_shared_subscription_names_its_group() {
    let expected = "is not of the form $share/group/filter";
    rejects(SUBSCRIBE, "topic: $share//a", expected);
    accepts(SUBSCRIBE, "topic: $share/g/a");
}

fn a_group_has_no_wildcards_and_is_followed_by_a_filter() {
    let expected = "is not of the form $share/group/filter";
    for filter in ["$share/g", "$share/+/a", "$share/g#/a"] {
        rejects(SUBSCRIBE, &format!("topic: '{filter}'"), expected);
    }
    rejects(SUBSCRIBE, "topic: $share/g/", "is empty");
}
