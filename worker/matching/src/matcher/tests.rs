use crds::validated::{Condition, Operand};

use super::*;

mod walk;

const SEED: &str = include_str!("../../../../tests/fixtures/seed/config.yaml");
const MESSAGE: &str = include_str!("../../../../tests/fixtures/seed/sample-message.json");

fn devices(text: &str) -> Vec<ValidatedDevice> {
    crds::load(text, "test")
        .unwrap()
        .funcs
        .swap_remove(0)
        .devices
}

fn found(matcher: &mut Matcher, payload: &str) -> Option<String> {
    matcher
        .find("in", payload.as_bytes())
        .unwrap()
        .map(|name| name.to_string())
}

#[test]
fn the_seeds_message_belongs_to_the_seeds_device() {
    let mut matcher = Matcher::new(&devices(SEED));
    assert_eq!(found(&mut matcher, MESSAGE), Some("设备2".to_owned()));
    assert_eq!(matcher.misses(), Misses::default());
}

/// pyboot let the last attribute alone decide.
#[test]
fn all_conditions_of_a_device_must_hold() {
    let mut matcher = Matcher::new(&devices(SEED));
    let other_name = MESSAGE.replace("\"deviceName\": \"设备2\"", "\"deviceName\": \"设备3\"");
    let other_point = MESSAGE.replace("RC_cylinder1_1P_d_dispPeak", "other");
    assert_ne!(other_name, MESSAGE);
    assert_eq!(found(&mut matcher, &other_name), None);
    assert_eq!(found(&mut matcher, &other_point), None);
}

#[test]
fn the_first_device_of_the_configuration_wins() {
    let mut all = devices(SEED);
    all.push(all[0].clone());
    all[1].name = "second".to_owned();
    all[0].conditions.remove(0);
    // The first now has no equality and is tried after the index, and still comes first.
    assert_eq!(
        found(&mut Matcher::new(&all), MESSAGE),
        Some("设备2".to_owned())
    );
    all.swap(0, 1);
    assert_eq!(
        found(&mut Matcher::new(&all), MESSAGE),
        Some("second".to_owned())
    );
}

#[test]
fn what_python_would_refuse_is_no_match_and_is_counted() {
    let mut matcher = Matcher::new(&devices(SEED));
    assert_eq!(found(&mut matcher, "{}"), None);
    assert_eq!(found(&mut matcher, "[1]"), None);
    assert_eq!(
        matcher.misses(),
        Misses {
            missing_key: 1,
            wrong_type: 1
        }
    );
}

#[test]
fn a_payload_that_is_not_json_is_an_error() {
    let mut matcher = Matcher::new(&devices(SEED));
    let deep = "[".repeat(10_000);
    for payload in ["", "{", "{} {}", "{'a':1}", "[01]", deep.as_str()] {
        assert!(
            matcher.find("in", payload.as_bytes()).is_err(),
            "{payload:.10}"
        );
    }
    assert!(matcher.find("in", b"\"\xff\"").is_err());
    assert!(
        matcher
            .find("in", b"[NaN, -Infinity, 123456789012345678901234567890]")
            .is_ok()
    );
}

/// A device with these conditions: value, expression.
fn device(name: &str, conditions: &[(Operand, &str)]) -> ValidatedDevice {
    let condition = |(value, expression): &(Operand, &str)| Condition {
        name: String::new(),
        value: value.clone(),
        expression: crds::expression::parse(expression).unwrap(),
    };
    ValidatedDevice {
        name: name.to_owned(),
        conditions: conditions.iter().map(condition).collect(),
    }
}

fn text(text: &str) -> Operand {
    Operand::Text(text.to_owned())
}

fn number(text: &str) -> Operand {
    Operand::Number(text.parse().unwrap())
}

/// Whether a device with one condition matches.
#[track_caller]
fn matches(value: &Operand, expression: &str, topic: &str, payload: &str, expected: bool) {
    let device = device("d", &[(value.clone(), expression)]);
    let found = Matcher::new(&[device]).find(topic, payload.as_bytes());
    assert_eq!(
        found.unwrap().is_some(),
        expected,
        "{value} {expression} on {topic} {payload}"
    );
}

#[test]
fn c4_a_device_can_be_known_by_the_topic() {
    let topic = "sensor/line-3/press-1";
    for (value, expression, expected) in [
        ("press-1", "== topic[2]", true),
        ("press-1", "== topic[-1]", true),
        ("press-1", "== topic[1]", false),
        ("press", "in topic[2]", true),
        ("line-3/press", "in topic", true),
        ("sensor/line-3/press-1", "== topic", true),
        ("line-4", "not in topic", true),
        ("sensor", "< topic", true),
        ("press-1", "== topic[3]", false),
        ("press-1", "!= topic[3]", false),
        ("press-1", "!= topic[-4]", false),
    ] {
        matches(&text(value), expression, topic, "{}", expected);
    }
    matches(&text(""), "== topic[0]", "/a", "{}", true);
}

/// Python compares `5 == data_to_dict['id']`.
#[test]
fn c5_a_numeric_id_matches_by_a_number() {
    for (value, expression, payload, expected) in [
        (number("5"), "== data_to_dict['id']", r#"{"id": 5}"#, true),
        (number("5"), "== data_to_dict['id']", r#"{"id": 5.0}"#, true),
        (number("5.0"), "== data_to_dict['id']", r#"{"id": 5}"#, true),
        (
            number("5"),
            "== data_to_dict['id']",
            r#"{"id": "5"}"#,
            false,
        ),
        (text("5"), "== data_to_dict['id']", r#"{"id": 5}"#, false),
        (
            number("1"),
            "== data_to_dict['id']",
            r#"{"id": true}"#,
            true,
        ),
        (number("5"), "!= data_to_dict['id']", r#"{"id": "5"}"#, true),
        (number("5"), "in data_to_dict", "[4, 5]", true),
        (number("5"), "in data_to_dict", r#"{"5": 1}"#, false),
        (number("5"), "in data_to_dict", "\"5\"", false),
        (number("5"), "not in data_to_dict", "\"5\"", false),
        (number("5"), "< data_to_dict['id']", r#"{"id": 5.5}"#, true),
        (
            number("5"),
            "<= data_to_dict['id']",
            r#"{"id": NaN}"#,
            false,
        ),
        (number("5"), "< data_to_dict['id']", r#"{"id": "6"}"#, false),
        (number("1e3"), "== data_to_dict", "1000", true),
    ] {
        matches(&value, expression, "in", payload, expected);
    }
}

/// Of two thousand devices with numeric ids, the index finds the one.
#[test]
fn c5_numbers_are_indexed_as_texts_are() {
    let devices: Vec<_> = (0..2000)
        .map(|id| {
            device(
                &format!("d{id}"),
                &[(number(&id.to_string()), "== data_to_dict['id']")],
            )
        })
        .collect();
    let mut matcher = Matcher::new(&devices);
    assert_eq!(
        found(&mut matcher, r#"{"id": 1234}"#),
        Some("d1234".to_owned())
    );
    assert_eq!(found(&mut matcher, r#"{"id": "1234"}"#), None);
    assert_eq!(matcher.misses(), Misses::default());
}

#[test]
fn c4_a_device_key_names_the_device_of_each_message() {
    let any = device("any", &[(text("id"), "in data_to_dict")]);
    let named = |key: &str, topic: &str, payload: &str| {
        let place = crds::expression::parse_place(key).unwrap();
        let mut matcher = Matcher::new(std::slice::from_ref(&any)).with_device_key(Some(&place));
        let found = matcher.find(topic, payload.as_bytes()).unwrap();
        (found.map(|name| name.to_string()), matcher.misses())
    };
    let none = Misses::default();
    let missing = Misses {
        missing_key: 1,
        ..none
    };
    let wrong = Misses {
        wrong_type: 1,
        ..none
    };
    let long = format!(r#"{{"id": "{}"}}"#, "x".repeat(257));
    for (key, topic, payload, name, misses) in [
        ("data_to_dict['id']", "t", r#"{"id": "p1"}"#, "p1", none),
        ("data_to_dict['id']", "t", r#"{"id": 5}"#, "5", none),
        ("topic[2]", "s/l/p2", r#"{"id": 5}"#, "p2", none),
        ("topic", "s/l/p2", r#"{"id": 5}"#, "s/l/p2", none),
        // What names no device leaves the entry's name.
        ("data_to_dict['name']", "t", r#"{"id": 5}"#, "any", missing),
        ("topic[2]", "s", r#"{"id": 5}"#, "any", missing),
        ("data_to_dict['id']", "t", r#"{"id": [5]}"#, "any", wrong),
        ("data_to_dict['id']", "t", r#"{"id": ""}"#, "any", wrong),
        ("data_to_dict['id']", "t", &long, "any", wrong),
    ] {
        assert_eq!(
            named(key, topic, payload),
            (Some(name.to_owned()), misses),
            "{key} {payload:.30}"
        );
    }
    assert_eq!(named("topic", "t", "{}").0, None, "it does not match");
}

/// A message that is not JSON belongs to a device only if the topic alone says so.
#[test]
fn c3_what_is_not_json_belongs_to_a_device_by_its_topic_or_to_none() {
    let by_topic = device(
        "t",
        &[(text("press"), "in topic"), (text("1"), "== topic[1]")],
    );
    let both = device(
        "b",
        &[(text("press"), "in topic"), (text("1"), "in data_to_dict")],
    );
    let mut matcher = Matcher::new(&[both, by_topic]);
    for (topic, device) in [("press/1", Some("t")), ("press/2", None), ("other", None)] {
        for payload in [&b"online"[..], b"", b"\x08\xff\x12"] {
            let error = matcher.find(topic, payload).unwrap_err();
            assert_eq!(error.device.as_deref(), device, "{topic}");
        }
    }
    assert_eq!(matcher.misses().wrong_type, 0);
}

#[test]
fn c2_a_lone_surrogate_compares_as_in_python() {
    let payload = r#"{"\ud83d": "a\ud83db"}"#;
    for (value, expression, expected) in [
        ("a", "in data_to_dict['k']", false),
        ("a", "== data_to_dict['k']", false),
        ("k", "not in data_to_dict", true),
    ] {
        matches(&text(value), expression, "in", payload, expected);
    }
    let payload = r#"{"k": "a\ud83db"}"#;
    for (value, expression, expected) in [
        ("a", "in data_to_dict['k']", true),
        ("b", "== data_to_dict['k'][2]", true),
        ("a😀", "> data_to_dict['k']", true),
        ("a\u{d7a3}", "< data_to_dict['k']", true),
        ("a\u{e000}", "> data_to_dict['k']", true),
    ] {
        matches(&text(value), expression, "in", payload, expected);
    }
}

/// The matcher of the seed's first model with `decode` and a condition on the id.
fn of_format(decode: Format, expression: &str) -> Matcher {
    let mut func = crds::load(SEED, "test").unwrap().funcs.swap_remove(0);
    func.decode = decode;
    func.devices = vec![device("d", &[(text("p1"), expression)])];
    Matcher::of(&func)
}

#[test]
fn c8_matching_works_on_the_decoded_value() {
    for (format, expression, payload) in [
        (Format::Text, "== data_to_dict", &b"p1"[..]),
        (Format::Text, "in data_to_dict", b"press p1 online"),
        (Format::Csv, "== data_to_dict[0]", b"p1,23.5\r\n"),
        (Format::Csv, "== data_to_dict[1][0]", b"a,1\np1,2\n"),
        (
            Format::Cbor,
            "== data_to_dict['id']",
            b"\xa2\x01\x02\x62id\x62p1",
        ),
        (
            Format::Msgpack,
            "== data_to_dict['id']",
            b"\x81\xa2id\xa2p1",
        ),
        (Format::Bytes, "== topic[1]", b"\xff\x00"),
    ] {
        let mut matcher = of_format(format, expression);
        let found = matcher.find("line/p1", payload).unwrap();
        assert_eq!(found.as_deref(), Some("d"), "{format:?}");
        let mut other = of_format(format, expression);
        let found = other.find("line/p2", &other_device(payload)).unwrap();
        assert_eq!(found, None, "{format:?}");
    }
}

/// The same payload of another device.
fn other_device(payload: &[u8]) -> Vec<u8> {
    let mut other = payload.to_vec();
    if let Some(at) = payload.windows(2).position(|window| window == b"p1") {
        other[at + 1] = b'2';
    }
    other
}

#[test]
fn c8_what_is_not_of_the_format_is_undecodable() {
    for (format, payload, expected) in [
        (
            Format::Text,
            &b"\xff"[..],
            "the message is not text: it is not UTF-8",
        ),
        (
            Format::Cbor,
            b"\x82\x01",
            "the message is not CBOR: it ends within a value",
        ),
        (Format::Csv, b"", "the message is not CSV: it is empty"),
    ] {
        let error = of_format(format, "== data_to_dict")
            .find("t", payload)
            .unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.device, None);
    }
}
