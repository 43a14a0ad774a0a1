//! Other values for the properties of a schema.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::plans::spec::{func, port};

/// Values that no schema gives: texts with a meaning of their own.
fn text(path: &str) -> Option<Value> {
    Some(match path {
        "mqtts[].broker" => json!("tcp://10.0.0.9:1883"),
        "mqtts[].credentialsSecretRef.name"
        | "mqtts[].tls.secretRef.name"
        | "databases[].credentialsSecretRef.name"
        | "funcs[].modelCredentialsSecretRef.name" => json!("broker"),
        "databases[].url" => json!("mysql+pymysql://db/plant"),
        "funcs[].databases[]" => json!("other"),
        "mqtts[].tls.serverName" => json!("broker.example"),
        "rules[].sub.topic" => json!("other/+/telemetry"),
        "rules[].sub.topics[]" => json!("second/+/telemetry"),
        "rules[].pub.topic" => json!("other-results"),
        "rules[].pub.deadLetterTopic" => json!("failed"),
        "rules[].sub.clientId" | "rules[].pub.clientId" => json!("another-client"),
        "funcs[].modelAddress" => json!("https://models.example/other.zip"),
        "funcs[].modelS3.endpoint" => json!("https://minio.example:9000"),
        "funcs[].modelS3.region" => json!("eu-plant-1"),
        "funcs[].modelMd5" => json!("AAAAAAAAAAAAAAAAAAAAAA=="),
        "funcs[].modelSha256" => json!("ab".repeat(32)),
        "funcs[].modelName" => json!("设备/../'model'"),
        "funcs[].sandbox.read[]" | "funcs[].sandbox.write[]" => json!("/data/other"),
        "funcs[].sandbox.memory" => json!("500Mi"),
        "funcs[].python" => json!("/opt/venv/bin/python3"),
        "funcs[].deviceKey" => json!("data_to_dict['id']"),
        "funcs[].devices[].deviceName" => json!("设备2"),
        "funcs[].devices[].deviceAttr[].attrName" => json!("another"),
        "funcs[].devices[].deviceAttr[].attrValue" => json!("a \"value\"\nwith 'quotes'"),
        "funcs[].devices[].deviceAttr[].attrExpression" => json!("in data_to_dict['telemetry']"),
        "expose[].name" | "databases[].name" => json!("renamed"),
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

/// What a text of its greatest length is made of: what it begins and ends with, about as many `x` as there is room for.
/// None where lengths mean nothing.
pub(super) fn frame(path: &str) -> Option<[&'static str; 2]> {
    Some(match path {
        "mqtts[].name"
        | "rules[].sub.topic"
        | "rules[].pub.topic"
        | "rules[].pub.deadLetterTopic"
        | "rules[].sub.clientId"
        | "rules[].pub.clientId"
        | "funcs[].modelName"
        | "funcs[].devices[].deviceName"
        | "funcs[].devices[].deviceAttr[].attrName"
        | "funcs[].devices[].deviceAttr[].attrValue"
        | "expose[].name"
        | "expose[].desc"
        | "placement.tolerations[].value" => ["", ""],
        "funcs[].modelAddress" => ["http://models.example/", ".zip"],
        "funcs[].python" | "modelCache.hostPath" => ["/", ""],
        "funcs[].devices[].deviceAttr[].attrExpression" => ["== data_to_dict['", "']"],
        "image" => ["registry.example/", ":1"],
        _ => return None,
    })
}

/// One more item for the list at `path`, which may have one already.
pub(super) fn item(path: &str, number: u8) -> anyhow::Result<Value> {
    let name = format!("extra{number}");
    Ok(match path {
        "funcs" => func(&name, 100 + number),
        "mqtts" => json!({ "name": name, "broker": "tcp://10.0.0.7:1883" }),
        "rules" => json!({
            "sub": { "name": "plant", "topic": format!("{name}/#"), "clientId": format!("{name}-sub") },
            "pub": { "name": "plant", "topic": format!("results/{name}"), "clientId": format!("{name}-pub") },
        }),
        "expose" => json!({ "name": name, "protocolPort": "tcp://:2901", "outPort": port(4) }),
        "funcs[].devices" => json!({ "deviceName": name, "deviceAttr": [] }),
        "funcs[].devices[].deviceAttr" => json!({
            "attrName": name, "attrValue": "7",
            "attrExpression": "== data_to_dict['deviceInfo']['deviceTypeId']",
        }),
        "funcs[].sandbox.read" | "funcs[].sandbox.write" => json!(format!("/data/{name}")),
        "rules[].sub.topics" => json!(format!("more-{name}/telemetry")),
        "databases" => database(&name),
        "funcs[].databases" => json!("other"),
        "imagePullSecrets" => json!(name),
        "placement.tolerations" => json!({ "key": name, "operator": "Exists" }),
        _ => anyhow::bail!("no item is known for the list {path}; give one in `item`"),
    })
}

/// What must be there before the property at `path` can be changed alone.
pub(super) fn beginning(path: &str, mut spec: Value) -> anyhow::Result<Value> {
    let mut put = |at: &str, value: Value| {
        *place(&mut spec, at)? = value;
        anyhow::Ok(())
    };
    if path.starts_with("databases[]") {
        put("databases", json!([database("plant")]))?;
        if !path.ends_with("name") || path.contains("Secret") {
            put("funcs[].databases", json!(["plant"]))?;
        }
    }
    if path.starts_with("funcs[].databases") {
        put("databases", json!([database("plant"), database("other")]))?;
        put("funcs[].databases", json!(["plant"]))?;
    }
    if path.starts_with("funcs[].modelS3") {
        put("funcs[].modelAddress", "s3://models/beta.zip".into())?;
    }
    if path == "funcs[].decode" {
        // In other formats than JSON there is no place that a device without attributes is known by.
        let attribute =
            json!({ "attrName": "topic", "attrValue": "a", "attrExpression": "== topic[1]" });
        let device = json!({ "deviceName": "device", "deviceAttr": [attribute] });
        put("funcs[].devices", json!([device]))?;
    }
    if path.starts_with("mqtts[].tls") {
        put("mqtts[].broker", "ssl://10.0.0.1:8883".into())?;
    }
    if path.contains("deviceAttr[]") {
        // Only a number has the type of one.
        let value = if path.ends_with("attrType") {
            "7"
        } else {
            "value"
        };
        let attribute = json!({
            "attrName": "deviceName", "attrValue": value,
            "attrExpression": "== data_to_dict['deviceInfo']['deviceName']",
        });
        put("funcs[].devices[].deviceAttr", json!([attribute]))?;
    }
    if path.ends_with("tolerations[].operator") {
        let toleration = json!({ "key": "key", "operator": "Exists" });
        put("placement.tolerations", json!([toleration]))?;
    } else if path.starts_with("placement.tolerations[]") {
        let toleration =
            json!({ "key": "key", "operator": "Equal", "value": "value", "effect": "NoExecute" });
        put("placement.tolerations", json!([toleration]))?;
    }
    if path.starts_with("funcs[].autoscaling") && !path.ends_with("class") {
        let autoscaling = json!({ "class": "hpa", "minReplicas": 2, "maxReplicas": 3 });
        put("funcs[].autoscaling", autoscaling)?;
    }
    Ok(spec)
}

fn database(name: &str) -> Value {
    json!({ "name": name, "url": "postgresql+pg8000://db/plant" })
}

/// The place of a path in the first entries of lists, made where it is not there.
pub(super) fn place<'a>(spec: &'a mut Value, path: &str) -> anyhow::Result<&'a mut Value> {
    let mut place = spec;
    for part in path.split('.').filter(|part| !part.is_empty()) {
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

/// A value other than the present one, `now`.
pub(super) fn other(path: &str, schema: &Value, now: &Value) -> anyhow::Result<Value> {
    if path == "expose[].outPort" {
        return Ok(port(3));
    }
    if path.ends_with(".sub.name") || path.ends_with(".pub.name") {
        return Ok("second".into());
    }
    if let Some(value) = text(path) {
        return Ok(value);
    }
    if let Some(last) = choices(schema).into_iter().rfind(|one| one != now) {
        return Ok(last);
    }
    if schema["x-kubernetes-int-or-string"] == true {
        return Ok("7s".into());
    }
    match schema["type"].as_str() {
        Some("boolean") => Ok(json!(*now != true)),
        Some("integer") => number(schema, now),
        _ => anyhow::bail!("no other value is known for {schema}; give one in `text`"),
    }
}

/// What an enumeration allows, but for what this cluster has not.
pub(super) fn choices(schema: &Value) -> Vec<Value> {
    let all = schema["enum"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|one| *one != "keda").collect()
}

/// The least and the greatest of a number.
pub(super) fn bounds(schema: &Value) -> anyhow::Result<[i64; 2]> {
    let bound = |name: &str| {
        let bound = schema[name].as_f64();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "bounds are small whole numbers"
        )]
        bound
            .map(|bound| bound as i64)
            .with_context(|| format!("{name} is missing"))
    };
    Ok([bound("minimum")?, bound("maximum")?])
}

/// A number in the bounds that is neither the present one nor a usual default.
fn number(schema: &Value, now: &Value) -> anyhow::Result<Value> {
    let [least, most] = bounds(schema)?;
    let numbers = [least + 2, least + 1, least, most];
    let mut numbers = numbers.into_iter().filter(|one| *one <= most);
    let found = numbers.find(|one| now.as_i64() != Some(*one));
    Ok(found.context("there is no other number")?.into())
}
