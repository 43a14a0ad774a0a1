//! Explains why a message does or does not match a model's devices, for users who configure them.

mod hint;
mod text;

use crds::ValidatedRuntime;
use crds::validated::{Condition, Format, ValidatedDevice, ValidatedFunc};
use jiter::JsonValue;
use payload::{InvalidPayload, decode, rendered};
use serde::Serialize;

use crate::matcher::{self, Subject};

/// What each rule and model does with one message.
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
    /// `None` without a topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receives: Option<bool>,
}

/// Which of a model's devices match.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelExplanation {
    /// The model.
    pub name: String,
    /// Why it would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Why it cannot decode the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undecodable: Option<String>,
    /// The device for which the model would get the message: the first that matches, or what `deviceKey` names.
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
    /// The attributes that were evaluated.
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
    /// If not: what the message has instead, and what may have been meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Explains a message; `topic` is where it was published, if that is known.
///
/// # Errors
/// No model can decode the payload.
pub fn explain(
    runtime: &ValidatedRuntime,
    topic: Option<&str>,
    payload: &[u8],
) -> Result<Explanation, InvalidPayload> {
    let rule = |rule: &crds::validated::ValidatedRule| RuleExplanation {
        subscription: rule.sub_topics.join(", "),
        receives: topic.map(|topic| {
            let mut filters = rule.sub_topics.iter();
            filters.any(|filter| crds::topic::reaches(topic, filter))
        }),
    };
    let mut errors = Vec::new();
    let mut model = |func: &ValidatedFunc| match message(func.decode, payload) {
        Ok(message) => model(func, subject(topic, message.as_ref())),
        Err(error) => {
            errors.push(error.clone());
            let mut explained = model(func, subject(topic, None));
            explained.undecodable = Some(error.to_string());
            explained
        }
    };
    let models: Vec<_> = runtime.funcs.iter().map(&mut model).collect();
    if errors.len() == models.len()
        && let Some(error) = errors.pop()
    {
        return Err(error);
    }
    Ok(Explanation {
        rules: runtime.rules.iter().map(rule).collect(),
        models,
    })
}

/// What a payload says to a model; `None` for bytes, which say nothing to conditions.
pub(crate) fn message(
    format: Format,
    payload: &[u8],
) -> Result<Option<JsonValue<'static>>, InvalidPayload> {
    if format == Format::Json {
        return Ok(Some(decode(payload)?.to_static()));
    }
    let Some(text) = rendered(format, payload)? else {
        return Ok(None);
    };
    Ok(Some(decode(text.as_bytes())?.to_static()))
}

pub(crate) fn subject<'m>(
    topic: Option<&'m str>,
    message: Option<&'m JsonValue<'static>>,
) -> Subject<'m> {
    Subject {
        topic: topic.unwrap_or_default(),
        message,
    }
}

fn model(func: &ValidatedFunc, subject: Subject<'_>) -> ModelExplanation {
    let devices: Vec<_> = func
        .devices
        .iter()
        .map(|one| device(one, subject))
        .collect();
    let first = devices.iter().find(|device| device.matched);
    let named = func
        .device_key
        .as_ref()
        .and_then(|place| matcher::name_of(place, subject));
    ModelExplanation {
        name: func.name.clone(),
        refused: func.digest.as_ref().err().map(ToString::to_string),
        undecodable: None,
        device: first.map(|device| named.unwrap_or_else(|| device.name.clone())),
        devices,
    }
}

fn device(device: &ValidatedDevice, subject: Subject<'_>) -> DeviceExplanation {
    let mut attributes = Vec::new();
    for condition in &device.conditions {
        let attribute = attribute(condition, subject);
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

fn attribute(condition: &Condition, subject: Subject<'_>) -> AttributeExplanation {
    let Condition {
        name,
        value,
        expression,
    } = condition;
    let matched =
        matcher::holds(value, expression.operator, &expression.place, subject) == Ok(true);
    AttributeExplanation {
        name: name.clone(),
        condition: format!("{value} {expression}"),
        matched,
        why: (!matched).then(|| hint::why(value, &expression.place, subject)),
    }
}

#[cfg(test)]
mod tests;
