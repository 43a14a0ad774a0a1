//! What the CRD's schema must have. Its rules are tested in `crds/tests/admission`, and the whole CRD with an API
//! server in `tests/cluster/admission.rs`.

use super::*;
use crate::constraint::KEYWORDS;

/// Calls `visit` with every schema in `schema` and its path.
fn walk(schema: &Value, path: &str, visit: &mut impl FnMut(&Value, &str)) {
    visit(schema, path);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        walk(field, &path, visit);
    }
    for (inner, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(inner) = schema.get(inner) {
            walk(inner, &format!("{path}{mark}"), visit);
        }
    }
}

/// Fails with the paths of all schemas that are `wrong`.
#[track_caller]
fn none(wrong: impl Fn(&Value) -> bool) {
    let mut found = Vec::new();
    walk(&openapi(), "", &mut |schema, path| {
        if wrong(schema) {
            found.push(path.to_owned());
        }
    });
    assert_eq!(found, Vec::<String>::new());
}

/// Without a bound, an object may be too large for etcd, and the API server refuses rules on the field as too
/// costly.
#[test]
fn every_list_map_and_text_has_a_bound() {
    none(|schema| match schema["type"].as_str() {
        Some("array") => schema.get("maxItems").is_none(),
        Some("object") if schema.get("additionalProperties").is_some() => {
            schema.get("maxProperties").is_none()
        }
        Some("string") => schema.get("maxLength").is_none() && schema.get("enum").is_none(),
        None => schema.get("maxLength").is_none(),
        _ => false,
    });
}

/// Otherwise two appliers of one list would remove each other's entries.
#[test]
fn every_list_says_who_owns_its_entries() {
    none(|schema| schema["type"] == "array" && schema.get("x-kubernetes-list-type").is_none());
}

#[test]
fn every_number_has_both_ends_but_for_generations() {
    none(|schema| {
        schema["type"] == "integer"
            && schema["format"] != "int64"
            && (schema.get("minimum").is_none() || schema.get("maximum").is_none())
    });
}

/// `kubectl explain` is where users look first.
#[test]
fn every_field_has_a_description() {
    let mut found = Vec::new();
    walk(&openapi(), "", &mut |schema, path| {
        let text = schema["description"].as_str().unwrap_or_default();
        if text.is_empty() && !path.ends_with(['}', ']']) {
            found.push(path.to_owned());
        }
    });
    assert_eq!(found, Vec::<String>::new());
}

/// What an API server refuses or warns about in a CRD.
#[test]
fn the_schema_is_structural() {
    const REFUSED: [&str; 9] = [
        "$schema",
        "$ref",
        "title",
        "examples",
        "const",
        "oneOf",
        "anyOf",
        "nullable",
        "exclusiveMinimum",
    ];
    none(|schema| {
        let one_type = schema["type"].is_string() || schema["x-kubernetes-int-or-string"] == true;
        !one_type
            || schema["additionalProperties"] == false
            || REFUSED.iter().any(|name| schema.get(name).is_some())
            || matches!(schema["format"].as_str(), Some(format) if format.starts_with("uint"))
    });
}

/// A constraint that the conversion loses would be an attribute without effect.
#[test]
fn every_constraint_of_a_type_is_in_the_crd() {
    fn count(schema: &Value) -> usize {
        let inner = match schema {
            Value::Object(fields) => fields.values().map(count).sum(),
            Value::Array(list) => list.iter().map(count).sum(),
            _ => 0,
        };
        let own = KEYWORDS.iter().filter_map(|name| schema.get(name));
        own.map(|value| value.as_array().map_or(1, Vec::len))
            .sum::<usize>()
            + inner
    }
    let types = [
        schema::constrained::<RuntimeSpec>(),
        schema::constrained::<RuntimeStatus>(),
    ];
    assert_eq!(count(&openapi()), types.iter().map(count).sum::<usize>());
}

/// `maxLength` on a list says nothing.
#[test]
fn every_constraint_is_for_the_type_of_its_field() {
    none(|schema| {
        let text = schema["type"] == "string" || schema["x-kubernetes-int-or-string"] == true;
        let has = |names: &[&str]| names.iter().any(|name| schema.get(name).is_some());
        (has(&["minLength", "maxLength", "pattern"]) && !text)
            || (has(&["maxItems", "x-kubernetes-list-type"]) && schema["type"] != "array")
            || (has(&["maxProperties"]) && schema.get("additionalProperties").is_none())
    });
}

/// API servers truncate a longer message and refuse one with a line break.
#[test]
fn every_rule_says_a_sentence_on_one_line() {
    none(|schema| {
        let rules = schema["x-kubernetes-validations"].as_array();
        let mut rules = rules.into_iter().flatten();
        rules.any(|rule| {
            let (cel, message) = (rule["rule"].as_str(), rule["message"].as_str());
            cel.is_none_or(|cel| cel.contains('\n'))
                || message.is_none_or(|text| text.len() > 2048 || text.contains('\n'))
        })
    });
}

#[test]
fn keys_of_lists_are_the_names_in_the_configuration() {
    let spec = &openapi()["properties"]["spec"]["properties"];
    let key = |list: &str| spec[list]["x-kubernetes-list-map-keys"][0].clone();
    assert_eq!(
        ["mqtts", "funcs", "expose"].map(key),
        ["name", "modelName", "name"]
    );
    assert_eq!(spec["rules"]["x-kubernetes-list-type"], "atomic");
}

#[test]
fn ports_choices_and_time_spans_are_what_the_configuration_says() {
    let spec = &openapi()["properties"]["spec"]["properties"];
    let port = &spec["expose"]["items"]["properties"]["outPort"];
    assert_eq!(
        (&port["minimum"], &port["maximum"]),
        (&json!(30001), &json!(59999))
    );
    let func = &spec["funcs"]["items"]["properties"];
    assert_eq!(
        func["onFull"]["enum"],
        json!(["block", "dropOldest", "dropNewest"])
    );
    let text = func["onFull"]["description"].as_str().unwrap();
    assert!(text.contains("\"dropOldest\": Drop the message"), "{text}");
    assert_eq!(func["timeout"]["x-kubernetes-int-or-string"], true);
}

/// A laptop accepts a file of any size.
#[test]
fn the_laptops_schema_has_no_constraints() {
    let text = schema::config().to_string();
    for name in KEYWORDS {
        assert!(!text.contains(&format!("{name:?}:")), "{name}");
    }
}
