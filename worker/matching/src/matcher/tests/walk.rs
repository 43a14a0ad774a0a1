//! The walk against the tree: same devices, same refusals; and its limits.

use payload::{MAX_DEPTH, decode};
use proptest::prelude::*;

use super::super::walk::MAX_PARTS;

use super::*;

const EXPRESSIONS: [&str; 20] = [
    "== topic",
    "in topic[0]",
    "== data_to_dict",
    "== data_to_dict['a']",
    "!= data_to_dict['a']['b']",
    "== data_to_dict['b']['a']",
    "== data_to_dict[0]",
    "== data_to_dict[-1]",
    "== data_to_dict['a'][-1]['b']",
    "< data_to_dict['a'][0]",
    ">= data_to_dict['a'][-2]",
    "in data_to_dict",
    "not in data_to_dict",
    "in data_to_dict['a']",
    "not in data_to_dict['b']",
    "in data_to_dict['a'][0]",
    "in data_to_dict[-1]",
    "> data_to_dict['设']",
    "== data_to_dict['a'][0][0]",
    "in data_to_dict['a'][1][-1]",
];

fn text() -> impl Strategy<Value = String> {
    let plain = prop::sample::select(vec!["a", "b", "设", "ab", "", "😀b"]);
    let token = prop::sample::select(vec![
        r#""a""#,
        r#""b""#,
        r#""\u0061""#,
        r#""\u8bbe""#,
        r#""\ud83d\ude00b""#,
        r#""a\nb""#,
        r#""""#,
    ]);
    prop_oneof![
        plain.prop_map(|text| format!("\"{text}\"")),
        token.prop_map(str::to_owned)
    ]
}

/// JSON texts with equal keys, escapes and blanks.
fn json() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.5",
        "-2e3",
        "10E+2",
        "NaN",
        "Infinity",
        "-Infinity",
    ]);
    let leaf = prop_oneof![text(), text(), word.prop_map(str::to_owned)];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..5);
        let object = prop::collection::vec((text(), inner), 0..5);
        prop_oneof![
            list.prop_map(|items| format!("[{}]", items.join(" ,\n"))),
            object.prop_map(|fields| {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(key, value)| format!("{key} :{value}"))
                    .collect();
                format!("{{{}}}\t", fields.join(","))
            }),
        ]
    })
}

fn device() -> impl Strategy<Value = ValidatedDevice> {
    let text = prop::sample::select(vec!["a", "b", "设", "", "ab", "a\nb", "in"]);
    let number = prop::sample::select(vec!["0", "1", "1.5", "-2000", "1000.0"]);
    let value = prop_oneof![
        3 => text.prop_map(|text| Operand::Text(text.to_owned())),
        1 => number.prop_map(|number: &str| Operand::Number(number.parse().unwrap())),
    ];
    let condition =
        (value, prop::sample::select(&EXPRESSIONS[..])).prop_map(|(value, text)| Condition {
            name: String::new(),
            value,
            expression: crds::expression::parse(text).unwrap(),
        });
    prop::collection::vec(condition, 1..3).prop_map(|conditions| ValidatedDevice {
        name: String::new(),
        conditions,
    })
}

fn named(mut devices: Vec<ValidatedDevice>) -> Vec<ValidatedDevice> {
    for (index, device) in devices.iter_mut().enumerate() {
        device.name = index.to_string();
    }
    devices
}

/// What the tree of the message says.
fn by_tree(devices: &[ValidatedDevice], message: &str) -> Option<String> {
    let message = decode(message.as_bytes()).unwrap();
    let subject = Subject {
        topic: "in",
        message: Some(&message),
    };
    let matches = |device: &&ValidatedDevice| {
        device.conditions.iter().all(|one| {
            let place = &one.expression.place;
            holds(&one.value, one.expression.operator, place, subject) == Ok(true)
        })
    };
    devices
        .iter()
        .find(matches)
        .map(|device| device.name.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_walk_finds_what_the_tree_says(
        devices in prop::collection::vec(device(), 1..6),
        messages in prop::collection::vec(json(), 1..4),
    ) {
        let devices = named(devices);
        let mut matcher = Matcher::new(&devices);
        // One matcher for all: nothing of a message may be left for the next.
        for message in messages {
            prop_assert_eq!(found(&mut matcher, &message), by_tree(&devices, &message), "{}", message);
        }
    }

    #[test]
    fn the_walk_refuses_what_the_parser_refuses(
        message in json(), at in any::<prop::sample::Index>(), replacement in prop::sample::select(b"\"\\{}[],:0-.eEx \x01n".as_slice()),
        removes: bool,
    ) {
        let mut message = message.into_bytes();
        let at = at.index(message.len());
        if removes {
            message.remove(at);
        } else {
            message[at] = replacement;
        }
        let ours = Matcher::new(&devices(SEED)).find("a/b", &message);
        let text = String::from_utf8_lossy(&message);
        prop_assert_eq!(ours.is_err(), decode(&message).is_err(), "{}: {:?}", text, ours);
    }
}

#[test]
fn a_refusal_names_the_place() {
    for (payload, expected) in [
        ("{\"a\"", "EOF while parsing an object at line 1 column 4"),
        ("[1,\n 2,]", "trailing comma at line 2 column 4"),
        ("{'a': 1}", "key must be a string at line 1 column 2"),
        ("[01]", "invalid number at line 1 column 3"),
        ("{} {}", "trailing characters at line 1 column 4"),
    ] {
        let error = Matcher::new(&[]).find("a", payload.as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the message is not JSON: {expected}")
        );
    }
}

/// As in Python, which both pyboot and the model host follow.
#[test]
fn half_a_surrogate_pair_is_taken() {
    assert_eq!(
        Matcher::new(&devices(SEED)).find("a", br#"{"\ud83d": "\ude00\ud83d"}"#),
        Ok(None)
    );
}

#[test]
fn row_5_nesting_is_limited() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let mut matcher = Matcher::new(&devices(SEED));
    assert_eq!(matcher.find("a", nested(MAX_DEPTH).as_bytes()), Ok(None));
    let error = matcher
        .find("a", nested(MAX_DEPTH + 1).as_bytes())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the message has more than 200 levels of lists and objects at line 1 column 201"
    );
}

/// A million keys for thousands of devices without an equality took seconds of the thread that carries all models'
/// messages: the keys were searched for each device.
#[test]
fn row_9_keys_are_indexed_once_for_all_devices() {
    let device = |number: usize| ValidatedDevice {
        name: number.to_string(),
        conditions: vec![Condition {
            name: String::new(),
            value: Operand::Text(format!("k{number}")),
            expression: crds::expression::parse("in data_to_dict['object']").unwrap(),
        }],
    };
    let all: Vec<_> = (0..5_000).rev().map(device).collect();
    let fields: Vec<_> = (4_990..MAX_PARTS - 10)
        .map(|key| format!("\"k{key}\":1"))
        .collect();
    let message = format!("{{\"object\":{{{}}}}}", fields.join(","));
    let mut matcher = Matcher::new(&all);
    assert_eq!(found(&mut matcher, &message), Some("4999".to_owned()));
    // Each device asks a table that was filled in one pass: as many look-ups as devices, whatever the keys.
    assert_eq!(matcher.misses(), Misses::default());
}

#[test]
fn row_9_keys_are_limited() {
    let fields = vec!["\"k\":1"; MAX_PARTS];
    let message = format!("{{{}}}", fields.join(","));
    let error = Matcher::new(&[]).find("a", message.as_bytes()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the message has more than 200000 keys, lists and objects at"),
        "{error}"
    );
}
