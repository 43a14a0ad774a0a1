//! Whether an object is already as it should be, so that nothing is written when nothing changed.

use serde_json::{Map, Value};

/// Fields by which the items of a list are told apart, as the API server merges them.
const KEYS: [&str; 5] = ["name", "containerPort", "port", "mountPath", "key"];

/// Whether every field of `wanted` stands in `live`. What else stands in `live` is a default of the
/// API server or belongs to another field manager.
pub fn covers(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(name, wanted)| {
            live.get(name).is_some_and(|live| covers(live, wanted)) || is_nothing(wanted)
        }),
        (Value::Array(live), Value::Array(wanted)) => list(live, wanted),
        (Value::String(live), Value::String(wanted)) => live == wanted || quantity(live, wanted),
        _ => live == wanted,
    }
}

/// An empty map or list is not stored.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn list(live: &[Value], wanted: &[Value]) -> bool {
    let key = |item: &Map<String, Value>| KEYS.into_iter().find(|key| item.contains_key(*key));
    let keyed = wanted
        .iter()
        .all(|item| item.as_object().is_some_and(|item| key(item).is_some()));
    if !keyed {
        return live.len() == wanted.len()
            && live
                .iter()
                .zip(wanted)
                .all(|(live, wanted)| covers(live, wanted));
    }
    // Other items may belong to another field manager.
    wanted
        .iter()
        .all(|wanted| live.iter().any(|live| covers(live, wanted)))
}

/// `1000m` and `1`, `1024Mi` and `1Gi` are the same quantity, and the API server writes it its own way.
fn quantity(live: &str, wanted: &str) -> bool {
    match (number(live), number(wanted)) {
        (Some(live), Some(wanted)) => (live - wanted).abs() <= live.abs() * 1e-12,
        _ => false,
    }
}

fn number(text: &str) -> Option<f64> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit {
        "" => 1.0,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(live: &Value, wanted: &Value, expected: bool) {
        assert_eq!(covers(live, wanted), expected, "{live} {wanted}");
    }

    #[test]
    fn defaults_of_the_api_server_are_no_difference() {
        check(
            &json!({"a": 1, "b": {"c": 2, "d": 3}}),
            &json!({"b": {"c": 2}}),
            true,
        );
        check(&json!({"a": 1}), &json!({"a": 2}), false);
        check(&json!({}), &json!({"a": {}, "b": []}), true);
        check(&json!({}), &json!({"a": {"b": 1}}), false);
    }

    #[test]
    fn items_are_compared_by_name_and_what_has_none_by_place() {
        let live = json!([{"name": "a", "x": 1, "y": 2}, {"name": "b"}]);
        check(&live, &json!([{"name": "a", "x": 1}]), true);
        check(&live, &json!([{"name": "a", "x": 2}]), false);
        check(&live, &json!([{"name": "c"}]), false);
        check(&json!(["a", "b"]), &json!(["a", "b"]), true);
        check(&json!(["a", "b"]), &json!(["a"]), false);
    }

    #[test]
    fn quantities_are_compared_as_such() {
        check(&json!("1"), &json!("1000m"), true);
        check(&json!("1Gi"), &json!("1024Mi"), true);
        check(&json!("1Gi"), &json!("1G"), false);
        check(&json!("true"), &json!("1"), false);
    }
}
