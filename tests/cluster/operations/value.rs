//! The properties of a schema, and another value for each.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::plans::spec::{func, port};

/// Values that no schema gives: texts with a meaning of their own.
fn text(path: &str) -> Option<Value> {
    Some(match path {
        "mqtts[].broker" => json!("tcp://10.0.0.9:1883"),
        "mqtts[].credentialsSecretRef.name" | "mqtts[].tls.secretRef.name" => json!("broker"),
        "mqtts[].tls.serverName" => json!("broker.example"),
        "rules[].sub.topic" => json!("other/+/telemetry"),
        "rules[].pub.topic" => json!("other-results"),
        "rules[].pub.deadLetterTopic" => json!("failed"),
        "rules[].sub.clientId" | "rules[].pub.clientId" => json!("another-client"),
        "funcs[].modelAddress" => json!("https://models.example/other.zip"),
        "funcs[].modelMd5" => json!("AAAAAAAAAAAAAAAAAAAAAA=="),
        "funcs[].modelSha256" => json!("ab".repeat(32)),
        "funcs[].modelName" => json!("设备/../'model'"),
        "funcs[].python" => json!("/opt/venv/bin/python3"),
        "funcs[].devices[].deviceName" => json!("设备2"),
        "funcs[].devices[].deviceAttr[].attrName" => json!("another"),
        "funcs[].devices[].deviceAttr[].attrValue" => json!("a \"value\"\nwith 'quotes'"),
        "funcs[].devices[].deviceAttr[].attrExpression" => json!("in data_to_dict['telemetry']"),
        "expose[].name" => json!("renamed"),
        "expose[].protocolPort" => json!("tcp://:2901"),
        "expose[].desc" => json!("for people"),
        "image" => json!("registry.example/worker:2"),
        "imagePullSecrets[]" => json!("pull"),
        "placement.nodeSelector" => json!({ "zone": "hall-1" }),
        "placement.tolerations[].key" => json!("dedicated"),
        "modelCache.hostPath" => json!("/var/lib/models"),
        "modelCache.claimName" | "placement.tolerations[].value" => json!("models"),
        "modelCache.sizeLimit" => json!("2Gi"),
        "funcs[].resources.requests" => json!({ "cpu": "100m" }),
        "funcs[].resources.limits" => json!({ "memory": "1Gi" }),
        path if path.contains(".auth.") || path.ends_with("File") => json!("text"),
        _ => return None,
    })
}

/// Every property without properties of its own: path and schema.
pub(super) fn leaves(schema: &Value, path: &str) -> Vec<(String, Value)> {
    if let Some(fields) = schema["properties"].as_object() {
        let child = |name: &String| {
            if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            }
        };
        return fields
            .iter()
            .flat_map(|(name, field)| leaves(field, &child(name)))
            .collect();
    }
    if schema["items"].is_object() {
        return leaves(&schema["items"], &format!("{path}[]"));
    }
    vec![(path.to_owned(), schema.clone())]
}

/// What must be there before the property at `path` can be changed alone.
pub(super) fn beginning(path: &str, mut spec: Value) -> Value {
    if path.starts_with("mqtts[].tls") {
        spec["mqtts"][0]["broker"] = "ssl://10.0.0.1:8883".into();
    }
    if path.contains("deviceAttr[]") {
        spec["funcs"][0]["devices"][0]["deviceAttr"] = json!([{
            "attrName": "deviceName", "attrValue": "value",
            "attrExpression": "== data_to_dict['deviceInfo']['deviceName']",
        }]);
    }
    if path.starts_with("placement.tolerations[]") {
        spec["placement"]["tolerations"] =
            json!([{ "key": "key", "operator": "Equal", "value": "value", "effect": "NoExecute" }]);
    }
    if path.ends_with("tolerations[].operator") {
        spec["placement"]["tolerations"] = json!([{ "key": "key", "operator": "Exists" }]);
    }
    if path.starts_with("funcs[].autoscaling") && !path.ends_with("class") {
        spec["funcs"][0]["autoscaling"] =
            json!({ "class": "hpa", "minReplicas": 2, "maxReplicas": 3 });
    }
    spec
}

/// `spec` with another value at `path`.
pub(super) fn changed(path: &str, schema: &Value, mut spec: Value) -> anyhow::Result<Value> {
    match path {
        // A name that others refer to.
        "mqtts[].name" => {
            let text = spec.to_string().replace("\"plant\"", "\"works\"");
            return Ok(serde_json::from_str(&text)?);
        }
        "rules[].sub.name" | "rules[].pub.name" => {
            let second = json!({ "name": "second", "broker": "tcp://10.0.0.3:1883" });
            spec["mqtts"].as_array_mut().context("a list")?.push(second);
        }
        "expose[].outPort" => {
            spec["expose"][0]["outPort"] = port(3);
            return Ok(spec);
        }
        _ => {}
    }
    let place = place(&mut spec, path)?;
    let now = place.clone();
    *place = if path.ends_with(".sub.name") || path.ends_with(".pub.name") {
        json!("second")
    } else if let Some(value) = text(path) {
        value
    } else if let Some(choices) = schema["enum"].as_array() {
        let other = choices
            .iter()
            .rev()
            .find(|one| **one != now && *one != "keda");
        other.context("there is no other choice")?.clone()
    } else if schema["x-kubernetes-int-or-string"] == true {
        json!("7s")
    } else {
        match schema["type"].as_str() {
            Some("boolean") => json!(now != true),
            Some("integer") => number(schema, &now)?,
            _ => anyhow::bail!("no other value is known for {schema}; give one in `text`"),
        }
    };
    Ok(spec)
}

/// A number in the bounds that is neither the present one nor a usual default.
fn number(schema: &Value, now: &Value) -> anyhow::Result<Value> {
    let bound = |name: &str| {
        schema[name]
            .as_f64()
            .with_context(|| format!("{name} is missing"))
    };
    let (least, most) = (bound("minimum")?, bound("maximum")?);
    let numbers = [least + 2.0, least + 1.0, least, most];
    let mut numbers = numbers.into_iter().filter(|one| *one <= most);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "bounds are small whole numbers"
    )]
    let found = numbers
        .find(|one| now.as_f64() != Some(*one))
        .map(|one| one as i64);
    Ok(found.context("there is no other number")?.into())
}

/// The place of a path in the first entries of lists, made where it is not there.
fn place<'a>(spec: &'a mut Value, path: &str) -> anyhow::Result<&'a mut Value> {
    let mut place = spec;
    for part in path.split('.') {
        let (name, list) = part
            .strip_suffix("[]")
            .map_or((part, false), |name| (name, true));
        if place.is_null() {
            *place = json!({});
        }
        place = &mut place[name];
        if list {
            if place.is_null() {
                *place = json!([]);
            }
            let items = place.as_array_mut().context("not a list")?;
            if items.is_empty() {
                items.push(Value::Null);
            }
            place = &mut items[0];
        }
    }
    Ok(place)
}

/// Whole changes for walks: one more and one less of each list.
pub(super) fn pushes(number: u8) -> Vec<(&'static str, Value)> {
    vec![
        ("funcs", func(&format!("extra{number}"), 100 + number)),
        (
            "mqtts",
            json!({ "name": format!("extra{number}"), "broker": "tcp://10.0.0.7:1883" }),
        ),
    ]
}
