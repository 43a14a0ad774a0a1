//! Expressions, places and topic templates, and messages that they look into: up to a zero byte the one, then the other.

use crds::expression::{parse, parse_place};
use crds::template::{Template, Values};
use crds::validated::{Condition, Number, Operand, ValidatedDevice};
use matching::Matcher;

pub(crate) fn run(input: &[u8]) {
    let (text, message) = match input.iter().position(|byte| *byte == 0) {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &b"{}"[..]),
    };
    let text = String::from_utf8_lossy(text);
    template(&text);
    if let Ok(place) = parse_place(&text) {
        let shown = place.to_string();
        assert_eq!(parse_place(&shown), Ok(place), "shown as {shown}");
    }
    let expression = match parse(&text) {
        Ok(expression) => expression,
        Err(error) => {
            assert!(error.offset <= text.chars().count(), "{error:?}");
            return;
        }
    };
    let shown = expression.to_string();
    assert_eq!(parse(&shown).as_ref(), Ok(&expression), "shown as {shown}");
    let place = expression.place.clone();
    let device = |value| ValidatedDevice {
        name: "d".to_owned(),
        conditions: vec![Condition {
            name: "a".to_owned(),
            value,
            expression: expression.clone(),
        }],
    };
    let number = Operand::Number(Number::Int(1));
    let devices = [device(Operand::Text("a".to_owned())), device(number)];
    let mut matcher = Matcher::new(&devices).with_device_key(Some(&place));
    let found = matcher.find("a/b/c", message).map(|found| found.is_some());
    let again = matcher.find("a/b/c", message).map(|found| found.is_some());
    assert_eq!(found, again, "a second look differs");
}

/// Whatever is inserted, a topic has the levels of its template.
fn template(text: &str) {
    let Ok(template) = text.parse::<Template>() else {
        return;
    };
    let shown = template.to_string();
    assert_eq!(shown.parse().as_ref(), Ok(&template), "shown as {shown}");
    let values = Values {
        device: text,
        model: text,
        topic: text,
    };
    if let Ok(topic) = template.render(values) {
        let literal: String = template.literals().collect();
        let levels = |text: &str| text.matches('/').count();
        assert_eq!(levels(&topic), levels(&literal), "{topic:?}");
    }
}
