//! What becomes of expressions.

use serde_json::json;

use super::{SEED, migrated, notes};
use crate::migrate;

/// Values and expressions of conditions.
type Conditions = Option<&'static [(&'static str, &'static str)]>;

/// An expression, what becomes of it, and a part of the note; `None` where it stays and the configuration is not valid.
#[test]
fn expressions_are_written_in_the_grammar_where_that_means_the_same() {
    let table: &[(&str, &str, Conditions)] = &[
        (
            "a",
            "== data_to_dict['x']",
            Some(&[("a", "== data_to_dict['x']")]),
        ),
        (
            "a",
            "== data_to_dict.get('x')",
            Some(&[("a", "== data_to_dict['x']")]),
        ),
        (
            "a",
            "in data_to_dict.get('x', {})",
            Some(&[("a", "in data_to_dict['x']")]),
        ),
        (
            "a",
            "in data_to_dict['x'].keys()",
            Some(&[("a", "in data_to_dict['x']")]),
        ),
        ("a", "!= data_to_dict.get('x')", None),
        ("a", "not in data_to_dict.get('x', [])", None),
        ("a", "== data_to_dict['x'] or True", None),
        ("a", "== data_to_dict['x'] + 'b'", None),
        (
            "a",
            "== data_to_dict['x'] and 'b' == data_to_dict['y'] and data_to_dict['z'] >= 'c'",
            Some(&[
                ("a", "== data_to_dict['x']"),
                ("b", "== data_to_dict['y']"),
                ("c", "<= data_to_dict['z']"),
            ]),
        ),
        (
            "5",
            "== str(data_to_dict['x'])",
            Some(&[("5", "== data_to_dict['x']")]),
        ),
        ("05", "== str(data_to_dict['x'])", None),
        (
            "it's",
            "== data_to_dict['x']",
            Some(&[("it's", "== data_to_dict['x']")]),
        ),
        (
            "a\\x62",
            "== data_to_dict['x']",
            Some(&[("ab", "== data_to_dict['x']")]),
        ),
        ("a", "= data_to_dict['x']", None),
        ("a", "== topic", None),
    ];
    for (value, expression, expected) in table {
        let mut config = migrated(SEED).config;
        let attribute = &mut config["funcs"][0]["devices"][0]["deviceAttr"];
        *attribute = json!([{"attrName": "n", "attrValue": value, "attrExpression": expression}]);
        let migrated = migrate(&config.to_string(), "old").unwrap();
        let found = migrated.config["funcs"][0]["devices"][0]["deviceAttr"]
            .as_array()
            .unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|one| {
                (
                    one["attrValue"].as_str().unwrap(),
                    one["attrExpression"].as_str().unwrap(),
                )
            })
            .collect();
        if let Some(expected) = expected {
            assert_eq!(found, *expected, "{expression}");
            assert!(migrated.runtime.is_ok(), "{expression}");
        } else {
            assert_eq!(found, [(*value, *expression)]);
            notes(
                &migrated,
                "funcs[0].devices[0].deviceAttr[0].attrExpression",
                expression,
            );
            assert_eq!(
                migrated.runtime.is_ok(),
                *expression == "== topic",
                "{expression}"
            );
        }
    }
}
