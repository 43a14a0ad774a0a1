//! What a message is, which device it is of, and where its results go.

use super::{SEED, accepts, rejects};
use crate::validate::load;
use crate::validated::{Format, Number, Operand, Place, ValidatedRuntime};

const NAME: &str = "== data_to_dict['deviceInfo']['deviceName']";
const MODEL: &str = "modelName: industry";
const SUB: &str = "    topic: cloud/edge-data-access";

fn loaded(from: &str, to: &str) -> ValidatedRuntime {
    assert!(SEED.contains(from), "{from}");
    load(&SEED.replacen(from, to, 1), "c").unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn c4_the_topic_is_a_place() {
    let runtime = loaded(NAME, "== topic[2]");
    let condition = &runtime.funcs[0].devices[0].conditions[0];
    assert_eq!(condition.expression.place, Place::Level(2));
    rejects(
        NAME,
        "== topic['a']",
        "a level of the topic has no key at character 9; after topic only one index",
    );
    rejects(NAME, "== topics", "write data_to_dict after the operator");
}

#[test]
fn c5_attr_value_may_be_a_number() {
    let value = |value: &str| {
        let runtime = loaded(
            "attrValue: 设备2",
            &format!("attrValue: '{value}'\n      attrType: number"),
        );
        runtime.funcs[0].devices[0].conditions[0].value.clone()
    };
    assert_eq!(value("5"), Operand::Number(Number::Int(5)));
    assert_eq!(value("2.5"), Operand::Number(Number::Float(2.5)));
    let wrong = |value: &str, message: &str| {
        rejects(
            "attrValue: 设备2",
            &format!("attrValue: '{value}'\n      attrType: number"),
            message,
        );
    };
    wrong(
        "five",
        "\"five\" is not a number; write a whole number of up to 18 digits",
    );
    wrong("nan", "\"nan\" is not a number");
    wrong("12345678901234567890", "is not a number");
    rejects(
        "attrValue: 设备2",
        "attrValue: a\n      attrType: int",
        "\"int\" is not one of text, number",
    );
    let attribute = format!("{NAME}\n      attrName: deviceName\n      attrValue: 设备2");
    rejects(
        &attribute,
        "== topic[0]\n      attrValue: '5'\n      attrType: number",
        "the topic is a text, which no number equals; leave attrType out",
    );
}

#[test]
fn c4_a_device_key_is_a_place() {
    for (key, place) in [("topic[2]", Place::Level(2)), ("topic", Place::Topic)] {
        let runtime = loaded(MODEL, &format!("{MODEL}\n  deviceKey: {key}"));
        assert_eq!(runtime.funcs[0].device_key, Some(place));
    }
    accepts(
        MODEL,
        "modelName: industry\n  deviceKey: data_to_dict['id']",
    );
    let wrong = |key: &str, message: &str| {
        rejects(MODEL, &format!("{MODEL}\n  deviceKey: {key}"), message);
    };
    wrong(
        "id",
        "write a place, such as data_to_dict['id'], topic or topic[2]",
    );
    wrong("== topic[2]", "write a place");
    wrong("data_to_dict[", "cannot be read");
}

#[test]
fn c8_decode_and_encode_name_formats() {
    for (name, format) in [
        ("json", Format::Json),
        ("text", Format::Text),
        ("cbor", Format::Cbor),
        ("msgpack", Format::Msgpack),
        ("csv", Format::Csv),
    ] {
        let runtime = loaded(
            MODEL,
            &format!("{MODEL}\n  decode: {name}\n  encode: {name}"),
        );
        let func = &runtime.funcs[0];
        assert_eq!((func.decode, func.encode), (format, format), "{name}");
    }
    assert_eq!(loaded(MODEL, MODEL).funcs[0].decode, Format::Json);
    rejects(
        MODEL,
        "modelName: industry\n  decode: yaml",
        "\"yaml\" is not one of json, text, bytes, cbor, msgpack, csv",
    );
}

#[test]
fn c8_bytes_match_by_topic() {
    let small = "
mqtts: [{name: a, broker: tcp://h}]
rules: [{sub: {name: a, topic: in}, pub: {name: a, topic: out}}]
funcs: [{modelName: m, modelAddress: file:///m.zip, decode: bytes, deviceKey: 'KEY', devices: [DEVICE]}]
";
    let with = |key: &str, device: &str| {
        let text = small.replace("KEY", key).replace("DEVICE", device);
        load(&text, "c").map_err(|problems| problems.to_string())
    };
    let by_topic = "{deviceName: d, deviceAttr: [{attrValue: d, attrExpression: '== topic[1]'}]}";
    with("topic[1]", by_topic).unwrap();
    let error = with("data_to_dict", by_topic).unwrap_err();
    assert!(
        error.contains("funcs[0].deviceKey: decode is bytes"),
        "{error}"
    );
    let by_value = by_topic.replace("topic[1]", "data_to_dict");
    let error = with("topic", &by_value).unwrap_err();
    let expected =
        "attrExpression: decode is bytes, in which there are no places; use topic or topic[n]";
    assert!(error.contains(expected), "{error}");
    let error = with("topic", "{deviceName: d}").unwrap_err();
    assert!(
        error.contains("funcs[0].devices[0]: has no attributes, and decode gives no deviceInfo"),
        "{error}"
    );
}

#[test]
fn c4_a_rule_subscribes_to_several_filters() {
    let topics = |topics: &str| format!("    topics: {topics}\n{SUB}");
    let runtime = loaded(SUB, &topics("[a/+, 'b/#']"));
    assert_eq!(runtime.rules[0].sub_topics[1..], ["a/+", "b/#"]);
    assert!(!runtime.rules[0].ignore_retained);
    let wrong = |list: &str, message: &str| rejects(SUB, &topics(list), message);
    wrong(
        "[a/b+]",
        "\"a/b+\" has a wildcard that is not a whole level",
    );
    wrong(
        "[a/+, a/b]",
        "\"a/b\" gets messages that \"a/+\" gets too; leave one of them out",
    );
    wrong("a", "the value is not a list");
    let alone = "
mqtts: [{name: a, broker: tcp://h}]
rules: [{sub: {name: a, topics: [x, y], ignoreRetained: true}, pub: {name: a, topic: out}}]
funcs: [{modelName: m, modelAddress: file:///m.zip}]
";
    let runtime = load(alone, "c").unwrap();
    assert_eq!(runtime.rules[0].sub_topics, ["x", "y"]);
    assert!(runtime.rules[0].ignore_retained);
    let none = load(&alone.replace("topics: [x, y], ", ""), "c").unwrap_err();
    assert!(
        none.to_string()
            .contains("rules[0].sub.topic: is missing; give topic, or topics"),
        "{none}"
    );
}

#[test]
fn c4_topics_of_results_have_placeholders() {
    let from = "    topic: cloud/edge-pyboot";
    let to =
        |topic: &str| format!("    topic: '{topic}'\n    deadLetterTopic: x/cloud/edge-pyboot");
    let runtime = loaded(from, &to("out/{device}/{topic[1]}"));
    assert_eq!(
        runtime.rules[0].pub_topic.to_string(),
        "out/{device}/{topic[1]}"
    );
    for (topic, message) in [
        (
            "out/{devise}",
            "{devise} is not a placeholder; write {device}, {model} or {topic[1]}, and {{ or }} for a brace",
        ),
        ("out/{device", "a brace is not closed or not opened"),
        ("out/+/{device}", "has a wildcard"),
    ] {
        rejects(from, &to(topic), message);
    }
    // What is inserted is one level, which the subscription gets.
    let looped = "
mqtts: [{name: a, broker: tcp://h}]
rules: [{sub: {name: a, topic: in/+}, pub: {name: a, topic: 'in/{device}'}}]
funcs: [{modelName: m, modelAddress: file:///m.zip}]
";
    let error = load(looped, "c").unwrap_err().to_string();
    assert!(
        error.contains("rules[0].pub.topic: \"in/{device}\" is also subscribed to"),
        "{error}"
    );
}

/// One broker under two names, and results that come back by the other.
#[test]
fn c7_a_loop_over_two_names_of_this_machine_is_refused() {
    let text = "
mqtts: [{name: a, broker: tcp://127.0.0.1}, {name: b, broker: tcp://localhost}]
rules: [{sub: {name: a, topic: x}, pub: {name: b, topic: x}}]
funcs: [{modelName: m, modelAddress: file:///m.zip}]
";
    let error = load(text, "c").unwrap_err().to_string();
    assert!(error.contains("so results would loop"), "{error}");
    load(&text.replace("localhost", "otherhost"), "c").unwrap();
    for name in ["localhost.", "0.0.0.0"] {
        let error = load(&text.replace("localhost", name), "c").unwrap_err();
        assert!(
            error.to_string().contains("so results would loop"),
            "{name}"
        );
    }
}

/// What one rule publishes, another may take: models in two stages.
#[test]
fn c7_rules_that_follow_each_other_loop_only_if_they_lead_back() {
    let config = |last: &str| {
        format!(
            "
mqtts: [{{name: a, broker: tcp://h}}]
rules:
- {{sub: {{name: a, topic: raw}}, pub: {{name: a, topic: clean}}}}
- {{sub: {{name: a, topic: clean}}, pub: {{name: a, topic: {last}}}}}
funcs: [{{modelName: m, modelAddress: file:///m.zip}}]
"
        )
    };
    load(&config("out"), "c").unwrap();
    let error = load(&config("raw"), "c").unwrap_err().to_string();
    for place in [
        "rules[0].pub.topic: \"clean\"",
        "rules[1].pub.topic: \"raw\"",
    ] {
        assert!(error.contains(place), "{error}");
    }
}
