//! Texts that are no configuration, or a very large one.

use super::SEED;
use crate::validate::load;

#[test]
fn rejects_text_that_is_not_yaml_with_its_place() {
    let problems = load("mqtts: [", "c.yaml").unwrap_err();
    assert_eq!(problems.list.len(), 1);
    assert!(problems.list[0].position.is_some(), "{problems}");
}

/// Each text, and the whole of what is said about it.
#[test]
fn a_text_that_holds_no_configuration_is_one_problem() {
    let without = "write the fields mqtts, rules and funcs";
    for (text, expected) in [
        ("", format!("c:1:1: document: is empty; {without}")),
        ("[]", format!("c:1:1: document: a list is not a map; {without}")),
        ("hello", format!("c:1:1: document: \"hello\" is not a map; {without}")),
        (
            "a: 1\n---\nb: 2\n",
            "c:3:1: document: a second document begins here; keep one document and remove the line ---".to_owned(),
        ),
        (
            "mqtts: 1\nmqtts: 2\n",
            "c:2:1: document: field \"mqtts\" is given twice; remove one of them".to_owned(),
        ),
        (
            "mqtts:\n\t- a\n",
            "c:2:2: document: tabs disallowed within this context (block indentation); correct the YAML there".to_owned(),
        ),
        (
            "a\0: 1",
            "c:1:2: document: unexpected character: `\\u{0}'; correct the YAML there".to_owned(),
        ),
    ] {
        assert_eq!(load(text, "c").unwrap_err().to_string(), expected);
    }
}

#[test]
fn aliases_that_multiply_and_bottomless_texts_are_refused() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in "bcdefghi".chars().zip("abcdefgh".chars()) {
        let list = vec![format!("*{before}"); 10].join(", ");
        bomb.push_str(&format!("{name}: &{name} [{list}]\n"));
    }
    let problems = load(&bomb, "c").unwrap_err().to_string();
    assert!(problems.contains("multiplied by aliases"), "{problems}");
    assert!(load(&"[".repeat(100_000), "c").is_err());
    assert!(load(&"a: ".repeat(100_000), "c").is_err());
}

/// The matching is made for this many; the YAML library's own bounds are lower.
#[test]
fn accepts_a_hundred_thousand_devices_and_an_alias_for_each() {
    let (head, tail) = SEED.split_once("- devices:\n").unwrap();
    let attributes = "
  - &first
    deviceName: d
    deviceAttr: &shared
    - {attrName: n, attrValue: v, attrExpression: '== data_to_dict'}\n";
    let devices: String = (0..100_000)
        .map(|number| format!("  - {{deviceName: d{number}, deviceAttr: *shared}}\n"))
        .collect();
    let text = format!("{head}- devices:{attributes}{devices}{tail}");
    let runtime = load(&text, "c").unwrap();
    assert!(runtime.funcs[0].devices.len() > 100_000);
}
