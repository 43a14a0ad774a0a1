//! Which of pyboot's three generations a configuration belongs to.

use std::fmt;

use crds::node::Node;
use crds::problem::Problem;

use crate::items;

/// A generation of pyboot's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// `deviceName` and `pointName` beside `model_address` and `model_md5`.
    Flat,
    /// Devices with `deviceParseExpression` and `pointParseExpression`.
    Expressions,
    /// Devices with `deviceAttr`: today's.
    Attributes,
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flat => "pyboot's first generation (deviceName and pointName of a model)",
            Self::Expressions => "pyboot's second generation (deviceParseExpression)",
            Self::Attributes => "pyboot's last generation (deviceAttr)",
        })
    }
}

/// Finds the generation.
///
/// # Errors
/// The text is not a configuration of models, or mixes generations, which no version of pyboot could read.
pub(crate) fn of(tree: &Node) -> Result<Generation, Problem> {
    let problem = |path: &str, node: &Node, message: &str, remedy: &str| Problem {
        path: path.to_owned(),
        position: Some(node.position),
        message: message.to_owned(),
        remedy: remedy.to_owned(),
    };
    if let Some(edge) = tree.get("edge") {
        let message = "is of pyboot's prototype, which called functions and had no models";
        let remedy = "pack the functions as models (edgemodel pack) and write funcs";
        return Err(problem("edge", edge, message, remedy));
    }
    let funcs = items(tree.get("funcs"));
    let Some(first) = funcs.first() else {
        let place = tree.get("funcs").unwrap_or(tree);
        let remedy = "give a configuration of pyboot with mqtts, rules and funcs";
        return Err(problem("funcs", place, "names no model", remedy));
    };
    let generation = of_func(first);
    for (index, func) in funcs.iter().enumerate() {
        if of_func(func) != generation {
            let message = format!("is of {}, but funcs[0] is of {generation}", of_func(func));
            let remedy = "write both alike, or divide the file";
            return Err(problem(&format!("funcs[{index}]"), func, &message, remedy));
        }
    }
    Ok(generation)
}

fn of_func(func: &Node) -> Generation {
    let has = |node: &Node, names: &[&str]| names.iter().any(|name| node.entry(name).is_some());
    let devices: Vec<_> = devices(func).collect();
    if devices
        .iter()
        .any(|device| has(device, &["deviceParseExpression", "pointParseExpression"]))
    {
        return Generation::Expressions;
    }
    if !devices.is_empty() || has(func, &["devices"]) {
        return Generation::Attributes;
    }
    if has(
        func,
        &[
            "deviceName",
            "pointName",
            "device_name",
            "point_name",
            "model_address",
            "model_md5",
        ],
    ) {
        return Generation::Flat;
    }
    Generation::Attributes
}

/// The devices of a model: `devices`, or in the second generation `device`, a list or one.
pub(crate) fn devices(func: &Node) -> impl Iterator<Item = &Node> {
    let found = func.get("devices").or_else(|| func.get("device"));
    let single = found.filter(|node| matches!(node.value, crds::node::Value::Map(_)));
    items(found).iter().chain(single)
}
