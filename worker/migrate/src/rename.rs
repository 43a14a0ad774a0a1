//! Today's fields for those of older generations.

use crds::node::{Node, Value};

use crate::generation::{self, Generation};

/// Where pyboot's first generation looked, as an expression.
const DEVICE: &str = "== data_to_dict['deviceInfo']['deviceName']";
/// See [`DEVICE`].
const POINT: &str = "in data_to_dict['telemetry']";

/// Old names and today's.
const OF_FUNC: [(&str, &str); 9] = [
    ("model_address", "modelAddress"),
    ("model_md5", "modelMd5"),
    ("model_name", "modelName"),
    ("modelAmd64Address", "modelAddress"),
    ("modelAmd64Md5", "modelMd5"),
    ("modelArm64Address", "modelAddress"),
    ("modelArm64Md5", "modelMd5"),
    ("device_name", "deviceName"),
    ("point_name", "pointName"),
];

/// Rewrites a tree.
pub(crate) fn to_todays(tree: &mut Node, generation: Generation) {
    rename(tree, "brokers", "mqtts");
    let Some(funcs) = entry(tree, "funcs") else {
        return;
    };
    for func in list(funcs) {
        for (old, new) in OF_FUNC {
            rename(func, old, new);
        }
        match generation {
            Generation::Flat => flat(func),
            Generation::Expressions => expressions(func),
            Generation::Attributes => attributes(func),
        }
    }
}

fn flat(func: &mut Node) {
    let (device, point) = (remove(func, "deviceName"), remove(func, "pointName"));
    let Some(device) = device.filter(|device| device.value != Value::Null) else {
        return;
    };
    let mut conditions = vec![attribute(
        "deviceName",
        &device,
        Some(text(DEVICE, &device)),
    )];
    let empty = |point: &Node| {
        matches!(&point.value, Value::Null) || point.value == Value::Text(String::new())
    };
    if let Some(point) = point.filter(|point| !empty(point)) {
        let expression = Some(text(POINT, &point));
        conditions.push(attribute("pointName", &point, expression));
    }
    let devices = Value::List(vec![described(device, conditions)]);
    push(func, "devices", devices);
}

fn expressions(func: &mut Node) {
    let devices: Vec<_> = generation::devices(func).cloned().collect();
    remove(func, "device");
    remove(func, "devices");
    let devices = devices.into_iter().map(|mut device| {
        let position = device.position;
        let name = remove(&mut device, "deviceName");
        let name = name.unwrap_or(Node {
            position,
            value: Value::Null,
        });
        let mut conditions = vec![attribute(
            "deviceName",
            &name,
            remove(&mut device, "deviceParseExpression"),
        )];
        if let Some(point) = remove(&mut device, "pointName") {
            conditions.push(attribute(
                "pointName",
                &point,
                remove(&mut device, "pointParseExpression"),
            ));
        }
        described(name, conditions)
    });
    let devices = Value::List(devices.collect());
    push(func, "devices", devices);
}

/// Early files of the last generation had `device` for `deviceAttr`, and no name.
fn attributes(func: &mut Node) {
    let Some(devices) = entry(func, "devices") else {
        return;
    };
    for (index, device) in list(devices).iter_mut().enumerate() {
        rename(device, "device", "deviceAttr");
        if device.get("deviceName").is_none() && matches!(device.value, Value::Map(_)) {
            remove(device, "deviceName");
            let attributes = crate::items(device.get("deviceAttr"));
            let named = |attribute: &&Node| {
                attribute
                    .get("attrName")
                    .is_some_and(|name| name.value == Value::Text("deviceName".to_owned()))
            };
            let name = attributes
                .iter()
                .find(named)
                .and_then(|attribute| attribute.get("attrValue"));
            let name = name
                .cloned()
                .unwrap_or_else(|| text(&format!("device {}", index + 1), device));
            push(device, "deviceName", name.value);
        }
    }
}

fn described(name: Node, attributes: Vec<Node>) -> Node {
    let position = name.position;
    let attributes = Node {
        position,
        value: Value::List(attributes),
    };
    map(
        position,
        vec![("deviceName", name), ("deviceAttr", attributes)],
    )
}

fn attribute(name: &str, value: &Node, expression: Option<Node>) -> Node {
    let mut entries = vec![
        ("attrName", text(name, value)),
        ("attrValue", value.clone()),
    ];
    entries.extend(expression.map(|expression| ("attrExpression", expression)));
    map(value.position, entries)
}

fn map(position: crds::problem::Position, entries: Vec<(&str, Node)>) -> Node {
    let entry = |(name, node): (&str, Node)| (name.to_owned(), node.position, node);
    Node {
        position,
        value: Value::Map(entries.into_iter().map(entry).collect()),
    }
}

fn text(text: &str, at: &Node) -> Node {
    Node {
        position: at.position,
        value: Value::Text(text.to_owned()),
    }
}

fn list(node: &mut Node) -> &mut [Node] {
    match &mut node.value {
        Value::List(items) => items,
        _ => &mut [],
    }
}

fn entry<'a>(node: &'a mut Node, name: &str) -> Option<&'a mut Node> {
    let Value::Map(entries) = &mut node.value else {
        return None;
    };
    entries
        .iter_mut()
        .find(|(key, _, _)| key == name)
        .map(|(_, _, node)| node)
}

fn push(node: &mut Node, name: &str, value: Value) {
    let position = node.position;
    if let Value::Map(entries) = &mut node.value {
        entries.push((name.to_owned(), position, Node { position, value }));
    }
}

fn remove(node: &mut Node, name: &str) -> Option<Node> {
    let Value::Map(entries) = &mut node.value else {
        return None;
    };
    let index = entries.iter().position(|(key, _, _)| key == name)?;
    Some(entries.remove(index).2)
}

/// Does nothing if the new name exists already, as with an address for each architecture.
fn rename(node: &mut Node, old: &str, new: &str) {
    if node.entry(new).is_some() {
        return;
    }
    if let Value::Map(entries) = &mut node.value {
        for (key, _, _) in entries {
            if key == old {
                new.clone_into(key);
            }
        }
    }
}
