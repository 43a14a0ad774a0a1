//! Fields, types and bounds.

use super::{SEED, accepts, rejects};
use crate::validate::load;
use crate::validated::Operand;

#[test]
fn rejects_an_unknown_field_with_the_nearest_name() {
    rejects(
        "retain:",
        "retian:",
        "mqtts[0].retian: there is no such field; did you mean \"retain\"?",
    );
}

#[test]
fn rejects_out_ports_outside_of_the_open_range() {
    for port in ["30000", "60000", "70000", "-1"] {
        let expected = format!(
            "expose[0].outPort: {port} is out of range; choose a number above 30000 and below 60000"
        );
        rejects("outPort: 38080", &format!("outPort: {port}"), &expected);
    }
    accepts("outPort: 38080", "outPort: 30001");
    accepts("outPort: 38080", "outPort: 59999");
}

#[test]
fn a_line_break_in_a_field_name_does_not_break_the_line() {
    rejects(
        "expose:",
        "\"a\\nb\": 1\nexpose:",
        "a\\nb: there is no such field",
    );
}

#[test]
fn rejects_values_of_another_type_with_what_to_write() {
    for (to, expected) in [
        (
            "retain: yes",
            "mqtts[0].retain: \"yes\" is not true or false; write true or false without quotes instead of \"yes\"",
        ),
        (
            "qos: \"1\"",
            "mqtts[0].qos: \"1\" is not a whole number; write it without quotes",
        ),
        (
            "qos: one",
            "mqtts[0].qos: \"one\" is not a whole number; write a whole number",
        ),
        (
            "qos: 1.5",
            "mqtts[0].qos: 1.5 is not a whole number; write a whole number",
        ),
        (
            "qos: 3",
            "mqtts[0].qos: 3 is out of range; choose a number from 0 to 2",
        ),
        (
            "version: 5",
            "mqtts[0].version: 5 is not a text; put it in quotes",
        ),
        (
            "version: '4'",
            "mqtts[0].version: \"4\" is not one of 3.1.1, 5",
        ),
        (
            "auth: []",
            "mqtts[0].auth: a list is not a map; write a map",
        ),
        (
            "tls: {}",
            "mqtts[0].tls: the broker's address does not use TLS; use ssl:// or wss:// in broker, or leave tls out",
        ),
    ] {
        rejects("retain: false", to, expected);
    }
    rejects(
        "timeout: 100",
        "timeout: [1]",
        "rules[0].pub.timeout: a list is not a number or a text",
    );
    rejects(
        "modelName: test",
        "modelName:",
        "funcs[1].modelName: nothing is not a text; write a text, or remove the field",
    );
    rejects(
        "attrValue: pyboot2",
        "attrValue: true",
        "attrValue: true is not a text; put it in quotes",
    );
    accepts("attrValue: pyboot2", "attrValue: yes");
}

/// pyboot's own samples have `clientId: 5555` and `timeout: 10s`.
#[test]
fn a_number_where_a_text_is_meant_is_the_text_that_pyboot_made_of_it() {
    let changed = SEED
        .replace(
            "clientId: ae03af75-13f5-4cf9-9145-0fea4e6ff1e4",
            "clientId: 5555",
        )
        .replace("timeout: 100", "timeout: 10s")
        .replace("modelName: test", "modelName: 007")
        .replace("attrValue: pyboot2", "attrValue: 1.50 # volts")
        .replace("retain: false", "auth: {username: 86, password: p}");
    let runtime = load(&changed, "c.yaml").unwrap();
    let rule = &runtime.rules[0];
    assert_eq!(rule.sub_client_id.as_deref(), Some("5555"));
    assert_eq!(rule.pub_timeout.as_secs(), 10);
    assert_eq!(runtime.funcs[1].name, "7");
    let condition = &runtime.funcs[1].devices[0].conditions[1];
    assert_eq!(condition.value, Operand::Text("1.5".to_owned()));
}

#[test]
fn rejects_lists_that_are_missing_or_empty_once() {
    let brokers = "mqtts: []\nrules: 1\n";
    let lines: Vec<_> = load(brokers, "c")
        .unwrap_err()
        .to_string()
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(
        lines,
        [
            "c:1:1: funcs: is missing; name at least one model",
            "c:1:8: mqtts: is empty; name at least one broker",
            "c:2:8: rules: the value is not a list; write a list",
        ]
    );
}
