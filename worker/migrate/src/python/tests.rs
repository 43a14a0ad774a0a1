//! Expressions against what CPython answers; `tests/it/migrate.rs` compares random ones.

use super::*;

const MESSAGE: &str = r#"{"t": {"a": 1, "b": "x"}, "l": ["a", 1, 2.5, null], "s": "设备2", "n": 5, "f": 5.0, "b": true, "z": null}"#;

/// What an expression gives: a truth value, an exception, `SyntaxError`, or `?` where this program cannot tell.
fn answer(text: &str) -> String {
    let message = Value::of(&payload::decode(MESSAGE.as_bytes()).unwrap());
    match parse(text, false).map(|expr| evaluate(&expr, &Value::Nothing, &message)) {
        Ok(Ok(value)) => value.is_true().to_string(),
        Ok(Err(Stop::Raised(raised))) => raised.name().to_owned(),
        Err(Unreadable::SyntaxError) => "SyntaxError".to_owned(),
        Ok(Err(Stop::NotUnderstood(_))) | Err(Unreadable::NotUnderstood(_)) => "?".to_owned(),
    }
}

#[test]
fn expressions_give_what_python_gives() {
    for (text, expected) in [
        ("'a' in data_to_dict['t']", "true"),
        ("'c' in data_to_dict['t']", "false"),
        ("'a' in data_to_dict['l']", "true"),
        ("'2' in data_to_dict['s']", "true"),
        ("'a' in data_to_dict['n']", "TypeError"),
        ("'a' in data_to_dict['q']", "KeyError"),
        ("'a' == data_to_dict['l'][0]", "true"),
        ("'a' == data_to_dict['l'][-5]", "IndexError"),
        ("'a' == data_to_dict['l']['x']", "TypeError"),
        ("'a' == data_to_dict['n']['x']", "TypeError"),
        ("'2' == data_to_dict['s'][2]", "true"),
        ("'5' == data_to_dict['n']", "false"),
        ("'5' == str(data_to_dict['n'])", "true"),
        ("'5.0' == str(data_to_dict['f'])", "true"),
        ("5 == data_to_dict['n'] == data_to_dict['f']", "true"),
        ("1 == data_to_dict['b']", "true"),
        ("'5' < data_to_dict['n']", "TypeError"),
        ("data_to_dict['n'] > 4.5", "true"),
        ("data_to_dict['z'] is None", "true"),
        ("data_to_dict.get('q') is not None", "false"),
        ("data_to_dict.get('q', {}).get('r')", "false"),
        ("data_to_dict['s'].get('r')", "AttributeError"),
        ("'a' == x", "NameError"),
        ("'a' == 'b' and x", "false"),
        ("'a' == 'a' or x", "true"),
        ("not 'a' == 'b'", "true"),
        ("not not 'a'", "true"),
        ("'a' 'b' == 'ab'", "true"),
        ("'a'", "true"),
        ("''", "false"),
        ("'a' in ['a', 'b']", "true"),
        ("'a' in ('a')", "true"),
        ("'b' in ('a',)", "false"),
        ("len(data_to_dict['l']) == 4", "true"),
        ("'X'.lower() == 'x'", "true"),
        ("int('7') == 7", "true"),
        ("int('x') == 7", "ValueError"),
        ("r'\\x41' == '\\\\x41'", "true"),
        ("'\\x41' == 'A'", "true"),
        ("'\\q' == '\\\\q'", "true"),
        ("'\\101' == 'A'", "true"),
        ("'''a''' == 'a'", "true"),
        ("'a' # comment", "true"),
        ("'a' \n", "true"),
        ("'a' in\n data_to_dict", "SyntaxError"),
        ("('a' in\n data_to_dict)", "false"),
        ("'it's' == data_to_dict['s']", "SyntaxError"),
        ("'a' = data_to_dict['s']", "SyntaxError"),
        ("'a' == ", "SyntaxError"),
        ("'a' not data_to_dict", "SyntaxError"),
        ("'a' == data_to_dict['s'", "SyntaxError"),
        ("'a' == data_to_dict['s']]", "SyntaxError"),
        ("'a' == data_to_dict[‘s’]", "SyntaxError"),
        ("'a' == not x", "SyntaxError"),
        ("'a\\' == data_to_dict", "SyntaxError"),
        ("'a' == 'b' 5", "SyntaxError"),
        ("'a' == 05", "SyntaxError"),
        ("'a' == []", "false"),
        ("'a' + 'b'", "?"),
        ("'a' if x else 'b'", "?"),
        ("'a' in [x for x in data_to_dict]", "?"),
        ("'a' == data_to_dict['s'][0:1]", "?"),
        ("'a' == f'{x}'", "?"),
        ("'a' == json.dumps(1)", "?"),
        ("'a' == attr_value", "?"),
        ("'a' == __import__('os').system('id')", "?"),
        ("'a', 'b'", "?"),
    ] {
        assert_eq!(answer(text), expected, "{text}");
    }
}

#[test]
fn deep_brackets_are_not_understood_and_end_nothing() {
    for text in [
        "(".repeat(100_000),
        format!("{}'a'", "not ".repeat(100_000)),
        "[".repeat(100_000),
    ] {
        assert_eq!(answer(&text), "?", "{text:.8}");
    }
    let subscripts = |count| format!("data_to_dict{}", "['t']".repeat(count));
    assert_eq!(answer(&subscripts(1000)), "?");
    assert_eq!(answer(&subscripts(40)), "KeyError");
}

#[test]
fn the_variable_on_the_left_is_no_text_to_be_pasted() {
    let message = Value::of(&payload::decode(br#"{"s": "it's"}"#).unwrap());
    let expr = parse("== data_to_dict['s']", true).unwrap();
    assert!(
        evaluate(&expr, &Value::text("it's"), &message)
            .unwrap()
            .is_true()
    );
    assert_eq!(parse("'a' == 'b'", true), Err(Unreadable::SyntaxError));
    assert!(parse(".lower() == 'x'", true).is_ok());
}
