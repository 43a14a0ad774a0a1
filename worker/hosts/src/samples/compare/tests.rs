use super::*;

#[track_caller]
fn check(expected: &str, actual: &str, tolerance: Option<f64>, found: &[&str]) {
    let parse = |text: &str| JsonValue::parse_owned(text.as_bytes(), true, jiter::PartialMode::Off);
    let (expected, actual) = (parse(expected).unwrap(), parse(actual).unwrap());
    let differences = differences(&expected, &actual, tolerance);
    let texts: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(texts, found);
}

#[test]
fn equal_values_in_any_order_of_keys_do_not_differ() {
    check(
        r#"{"a": [1, 2.5, "x"], "b": null}"#,
        r#"{"b": null, "a": [1, 2.5, "x"]}"#,
        None,
        &[],
    );
    check("1", "1.0", None, &[]);
    check(r#"{"a": 1, "a": 2}"#, r#"{"a": 2}"#, None, &[]);
}

#[test]
fn numbers_may_be_off_by_the_tolerance_absolutely_or_relatively() {
    check("0.1", "0.1000009", None, &[]);
    check("0.1", "0.100002", None, &["$ is 0.100002, expected 0.1"]);
    check("1000000.0", "1000000.9", None, &[]);
    check(
        "1000000.0",
        "1000002.0",
        None,
        &["$ is 1000002.0, expected 1000000.0"],
    );
    check("0.1", "0.3", Some(0.2), &[]);
    check(
        "0.1",
        "0.1000009",
        Some(0.0),
        &["$ is 0.1000009, expected 0.1"],
    );
}

/// A time in milliseconds may not be off by half an hour.
#[test]
fn whole_numbers_are_exact_unless_a_tolerance_is_given() {
    check(
        "1585194447000",
        "1585194447001",
        None,
        &["$ is 1585194447001, expected 1585194447000"],
    );
    check("10", "11", Some(0.2), &[]);
    check(
        "123456789012345678901234567890",
        "123456789012345678901234567890",
        None,
        &[],
    );
}

#[test]
fn what_json_cannot_say_is_null() {
    check("[NaN, null, Infinity]", "[null, null, null]", None, &[]);
    check("null", "0", None, &["$ is 0, expected null"]);
}

#[test]
fn kinds_are_not_mixed() {
    check("1", "true", None, &["$ is true, expected 1"]);
    check("1", "\"1\"", None, &["$ is \"1\", expected 1"]);
    check("[]", "{}", None, &["$ is {}, expected []"]);
}

#[test]
fn missing_and_surplus_keys_are_named_by_their_path() {
    check(
        r#"{"a": {"b c": 1, "设": 2}, "list": [1, 2]}"#,
        r#"{"a": {"设": 3}, "list": [1], "more": true}"#,
        None,
        &[
            "$.a['b c'] is missing, expected 1",
            "$.a.设 is 3, expected 2",
            "$.list[1] is missing, expected 2",
            "$.more is true, expected nothing there",
        ],
    );
}

#[test]
fn messages_stay_short() {
    let long = format!("\"{}\"", "设".repeat(10_000));
    let expected = format!("[{}]", vec![long.clone(); 100].join(","));
    let parse = |text: &str| JsonValue::parse_owned(text.as_bytes(), true, jiter::PartialMode::Off);
    let (expected, actual) = (parse(&expected).unwrap(), parse("[]").unwrap());
    let found = differences(&expected, &actual, None);
    assert_eq!(found.len(), MOST);
    let short = |one: &Difference| one.to_string().chars().count() < 450;
    assert!(found.iter().all(short));
    let (expected, actual) = (format!("{{{long}: 1}}"), format!("{{{long}: 2}}"));
    let (expected, actual) = (parse(&expected).unwrap(), parse(&actual).unwrap());
    let found = differences(&expected, &actual, None);
    assert!(found.len() == 1 && found.iter().all(short));
}
