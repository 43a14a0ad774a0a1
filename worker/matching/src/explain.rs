//! Why a message does or does not belong to a model: for people who set up devices.

mod hint;
mod text;

use crds::ValidatedRuntime;
use crds::validated::{Condition, ValidatedDevice, ValidatedFunc};
use jiter::JsonValue;
use serde::Serialize;

use crate::matcher::{self, InvalidJson};

/// What every rule and model would do with one message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The rules, in the order of the configuration.
    pub rules: Vec<RuleExplanation>,
    /// The models, in the order of the configuration.
    pub models: Vec<ModelExplanation>,
}

/// Whether a rule would receive the message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleExplanation {
    /// The filter that it subscribes to.
    pub subscription: String,
    /// Absent when no topic was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receives: Option<bool>,
}

/// Which of a model's devices match.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelExplanation {
    /// The model.
    pub name: String,
    /// Why it would not be served at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The device for which the model would get the message: the first that matches.
    pub device: Option<String>,
    /// All its devices.
    pub devices: Vec<DeviceExplanation>,
}

/// Whether a device matches: its attributes up to the first that does not hold.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceExplanation {
    /// The device.
    pub name: String,
    /// Whether all its attributes hold.
    pub matched: bool,
    /// Those that were looked at.
    pub attributes: Vec<AttributeExplanation>,
}

/// Whether an attribute holds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttributeExplanation {
    /// The attribute's name.
    pub name: String,
    /// What pyboot would have evaluated.
    pub condition: String,
    /// Whether it holds.
    pub matched: bool,
    /// If not: what stands in the message, and what may have been meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Explains a message; `topic` is where it was published, if that is known.
///
/// # Errors
/// The payload is not JSON.
pub fn explain(
    runtime: &ValidatedRuntime,
    topic: Option<&str>,
    payload: &[u8],
) -> Result<Explanation, InvalidJson> {
    let message = matcher::decode(payload)?;
    let rule = |rule: &crds::validated::ValidatedRule| RuleExplanation {
        subscription: rule.sub_topic.clone(),
        receives: topic.map(|topic| crds::topic::reaches(topic, &rule.sub_topic)),
    };
    Ok(Explanation {
        rules: runtime.rules.iter().map(rule).collect(),
        models: runtime
            .funcs
            .iter()
            .map(|func| model(func, &message))
            .collect(),
    })
}

fn model(func: &ValidatedFunc, message: &JsonValue) -> ModelExplanation {
    let devices: Vec<_> = func
        .devices
        .iter()
        .map(|one| device(one, message))
        .collect();
    let first = devices.iter().find(|device| device.matched);
    ModelExplanation {
        name: func.name.clone(),
        refused: func.digest.as_ref().err().map(ToString::to_string),
        device: first.map(|device| device.name.clone()),
        devices,
    }
}

fn device(device: &ValidatedDevice, message: &JsonValue) -> DeviceExplanation {
    let mut attributes = Vec::new();
    for condition in &device.conditions {
        let attribute = attribute(condition, message);
        let matched = attribute.matched;
        attributes.push(attribute);
        if !matched {
            break;
        }
    }
    DeviceExplanation {
        name: device.name.clone(),
        matched: attributes.iter().all(|attribute| attribute.matched),
        attributes,
    }
}

fn attribute(condition: &Condition, message: &JsonValue) -> AttributeExplanation {
    let Condition {
        name,
        value,
        expression,
    } = condition;
    let matched = matcher::holds(value, expression, message) == Ok(true);
    AttributeExplanation {
        name: name.clone(),
        condition: format!("{value:?} {expression}"),
        matched,
        why: (!matched).then(|| hint::why(value, expression, message)),
    }
}

#[cfg(test)]
mod tests;
