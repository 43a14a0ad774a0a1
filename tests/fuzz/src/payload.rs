//! Payloads of every format, by the first byte: what is decoded is JSON, and nothing grows beyond its bound.

use crds::expression::parse;
use crds::validated::{Condition, Format, Operand, ValidatedDevice};
use matching::Matcher;

const FORMATS: [Format; 6] = [
    Format::Json,
    Format::Text,
    Format::Bytes,
    Format::Cbor,
    Format::Msgpack,
    Format::Csv,
];

pub(crate) fn run(input: &[u8]) {
    let Some((format, payload)) = input.split_first() else {
        return;
    };
    let format = FORMATS[usize::from(*format) % FORMATS.len()];
    assert!(payload::excerpt(payload).chars().count() <= 10 * 61);
    match payload::rendered(format, payload) {
        Ok(None) => assert_eq!(format, Format::Bytes),
        Ok(Some(_)) if format == Format::Json => same_text_again(payload),
        Ok(Some(json)) => {
            assert!(
                payload::decode(json.as_bytes()).is_ok(),
                "{format:?} is not JSON: {json}"
            );
            assert!(json.len() <= 32 * payload.len() + 32, "{format:?} grows");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let condition = |expression: &str| Condition {
        name: "a".to_owned(),
        value: Operand::Text("a".to_owned()),
        expression: parse(expression).expect("it is in the grammar"),
    };
    let device = ValidatedDevice {
        name: "d".to_owned(),
        conditions: vec![condition("!= data_to_dict[0]"), condition("in topic[1]")],
    };
    let mut matcher = Matcher::new(&[device]);
    let found = matcher.find("b/a", payload);
    assert_eq!(found, matcher.find("b/a", payload), "a second look differs");
}

/// JSON in another encoding is the same as its text in UTF-8.
fn same_text_again(payload: &[u8]) {
    if let Some(text) = payload::json_text(payload)
        && !text.starts_with(['\u{feff}', '\0'])
        && text.as_bytes().get(1) != Some(&0)
    {
        let once = format!("{:?}", payload::decode(payload).ok());
        let again = format!("{:?}", payload::decode(text.as_bytes()).ok());
        assert_eq!(once, again, "{text:?}");
    }
}
