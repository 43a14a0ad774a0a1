use super::*;

fn key(text: &str) -> Step {
    Step::Key(text.to_owned())
}

#[track_caller]
fn accepts(text: &str, operator: Operator, steps: &[Step]) {
    let place = Place::Message(Path(steps.to_vec()));
    assert_eq!(parse(text), Ok(Expression { operator, place }));
}

#[track_caller]
fn rejects(text: &str, offset: usize) {
    assert_eq!(
        parse(text).map_err(|error| error.offset),
        Err(offset),
        "{text}"
    );
}

#[test]
fn the_seeds_expressions_parse() {
    accepts(
        "== data_to_dict['deviceInfo']['deviceName']",
        Operator::Equal,
        &[key("deviceInfo"), key("deviceName")],
    );
    accepts(
        "in data_to_dict['telemetry']",
        Operator::In,
        &[key("telemetry")],
    );
}

#[test]
fn every_operator_parses() {
    for (text, operator) in [
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("in", Operator::In),
        ("not  in", Operator::NotIn),
        ("<", Operator::Less),
        ("<=", Operator::LessOrEqual),
        (">", Operator::Greater),
        (">=", Operator::GreaterOrEqual),
    ] {
        accepts(&format!(" {text} data_to_dict "), operator, &[]);
    }
    accepts("==data_to_dict", Operator::Equal, &[]);
}

#[test]
fn subscripts_mean_what_python_means() {
    accepts(
        "< data_to_dict [ -1 ]\t[00]",
        Operator::Less,
        &[Step::Index(-1), Step::Index(0)],
    );
    accepts("in data_to_dict[\n\"设备\"]", Operator::In, &[key("设备")]);
    accepts(
        r#"== data_to_dict['\x41\u8bbe\101\'\d\n']['a"b']"#,
        Operator::Equal,
        &[key("A设A'\\d\n"), key("a\"b")],
    );
}

#[test]
fn anything_else_is_refused_where_it_goes_wrong() {
    rejects("", 0);
    rejects("= data_to_dict", 0);
    rejects("is data_to_dict", 0);
    rejects("not data_to_dict", 4);
    rejects("indata_to_dict", 0);
    rejects("== data_to_dicts", 3);
    rejects("== open('/etc/passwd')", 3);
    rejects("== data_to_dict.keys()", 15);
    rejects("== data_to_dict['a'] or True", 21);
    rejects("== data_to_dict[a]", 16);
    rejects("== data_to_dict['a'", 19);
    rejects("== data_to_dict['a", 18);
    rejects("== data_to_dict['''a''']", 18);
    rejects("== data_to_dict[01]", 16);
    rejects("== data_to_dict[0:1]", 17);
    rejects("== data_to_dict[99999999999999999999]", 16);
    rejects(r"== data_to_dict['\N{DIGIT ONE}']", 17);
    rejects(r"== data_to_dict['\ud800']", 17);
    rejects("== data_to_dict[‘a’]", 16);
    rejects("== data_to_dict\n['a']", 15);
}

proptest::proptest! {
    /// What messages show can be pasted into a configuration.
    #[test]
    fn what_is_displayed_parses_to_the_same(
        keys in proptest::collection::vec(".{0,6}", 0..4),
        index in -5_i64..5,
    ) {
        let mut steps: Vec<_> = keys.into_iter().map(Step::Key).collect();
        steps.push(Step::Index(index));
        let expression = Expression { operator: Operator::NotIn, place: Place::Message(Path(steps)) };
        proptest::prop_assert_eq!(parse(&expression.to_string()), Ok(expression));
    }

    #[test]
    fn no_text_ends_the_program(text in "\\PC{0,40}") {
        let _ = parse(&text);
    }
}

#[test]
fn c4_the_topic_and_its_levels_are_places() {
    for (text, place) in [
        ("topic", Place::Topic),
        (" topic ", Place::Topic),
        ("topic[2]", Place::Level(2)),
        ("topic [ -1 ]", Place::Level(-1)),
        ("data_to_dict", Place::Message(Path::default())),
        ("data_to_dict['id']", Place::Message(Path(vec![key("id")]))),
    ] {
        assert_eq!(parse_place(text), Ok(place.clone()), "{text}");
        let operator = Operator::NotIn;
        assert_eq!(
            parse(&format!("not in {text}")),
            Ok(Expression { operator, place })
        );
    }
    for (text, offset) in [
        ("", 0),
        ("topics", 0),
        ("Topic", 0),
        ("topic['a']", 5),
        ("topic[0][1]", 8),
        ("topic[]", 6),
        ("topic.x", 5),
        ("== topic", 0),
        ("topic[99999999999999999999]", 6),
    ] {
        let error = parse_place(text).unwrap_err();
        assert_eq!(error.offset, offset, "{text}: {error}");
    }
}
