//! Expressions, and messages that they look into: up to a zero byte the one, then the other.

use crds::expression::parse;
use crds::validated::{Condition, ValidatedDevice};
use matching::Matcher;

pub(crate) fn run(input: &[u8]) {
    let (text, message) = match input.iter().position(|byte| *byte == 0) {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &b"{}"[..]),
    };
    let text = String::from_utf8_lossy(text);
    let expression = match parse(&text) {
        Ok(expression) => expression,
        Err(error) => {
            assert!(error.offset <= text.chars().count(), "{error:?}");
            return;
        }
    };
    let shown = expression.to_string();
    assert_eq!(parse(&shown).as_ref(), Ok(&expression), "shown as {shown}");
    let device = ValidatedDevice {
        name: "d".to_owned(),
        conditions: vec![Condition {
            name: "a".to_owned(),
            value: "a".to_owned(),
            expression,
        }],
    };
    let mut matcher = Matcher::new(&[device]);
    let found = matcher.find(message).map(|found| found.is_some());
    let again = matcher.find(message).map(|found| found.is_some());
    assert_eq!(found, again, "a second look differs");
}
