use super::*;

/// As PyYAML 6 and CPython answer.
#[test]
fn scalars_are_what_pyyaml_makes_of_them() {
    for (written, expected) in [
        ("5555", "5555"),
        ("+5", "5"),
        ("-5", "-5"),
        ("-0", "0"),
        ("007", "7"),
        ("010", "8"),
        ("1_000", "1000"),
        ("0x1F", "31"),
        ("0b101", "5"),
        ("1:30", "90"),
        ("1.0", "1.0"),
        ("1.50", "1.5"),
        ("1.", "1.0"),
        (".5", "0.5"),
        ("1.0e+16", "1e+16"),
        ("1.0e-5", "1e-05"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        ("-.inf", "-inf"),
        (".nan", "nan"),
        ("0_", "0"),
        ("1:30.5", "90.5"),
        ("-1:00:00.", "-3600.0"),
        (
            "0xffffffffffffffffffffffffffffffffff",
            "87112285931760246646623899502532662132735",
        ),
    ] {
        assert_eq!(
            resolve(written),
            Scalar::Number(expected.into()),
            "{written}"
        );
    }
    for text in [
        "10s",
        "1e3",
        "08",
        "0o17",
        "1.5e3",
        "-.5",
        "a",
        "192.168.1.1",
        "2024-01-31",
        "01:30",
        "1:60",
        "0b",
        "0x",
        "1.2.3",
        "-",
        "+",
        "_1",
        "0x+5",
        "0x_",
        "2024-01-31 10:20:30 or so",
        "2024-01-31T 10:20:30",
    ] {
        assert_eq!(resolve(text), Scalar::Text(text));
    }
    assert_eq!(resolve("2024-01-31 10:20:30"), Scalar::Time);
    assert_eq!(resolve("2024-01-31T10:20:30Z"), Scalar::Time);
    assert_eq!(resolve("2024-1-3 \t1:20:30.5 +08:00"), Scalar::Time);
    assert_eq!(resolve("off"), Scalar::Bool(false));
    assert_eq!(resolve("~"), Scalar::Nothing);
}

#[test]
fn a_plain_scalar_ends_where_its_line_or_a_comment_begins() {
    let lines = ["a: 5 # five", "b: '5'", "c: x: y", "d: 设备 2  "];
    let at = |line, column| plain(&lines, Position { line, column });
    assert_eq!(at(1, 4), Some("5"));
    assert_eq!(at(2, 4), None);
    assert_eq!(at(3, 4), Some("x"));
    assert_eq!(at(4, 4), Some("设备 2"));
    assert_eq!(at(9, 1), None);
}
