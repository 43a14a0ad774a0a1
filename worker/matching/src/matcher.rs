//! Which device a message belongs to.
//!
//! Pure: bytes in, device out. Comparisons mean what Python's mean on the grammar of
//! [`crds::expression`]; what Python would answer with an exception is no match and is counted.

mod compare;

use std::collections::HashMap;
use std::sync::Arc;

use crds::validated::{Condition, Operator, Path, ValidatedDevice};
use jiter::JsonValue;

pub(crate) use compare::{Miss, Place, holds, resolve};

/// The devices of one model, indexed so that a message's cost does not grow with their number.
///
/// A device with an equality condition is looked up by the text at that condition's path; only the
/// devices without one are tried one after the other.
#[derive(Debug)]
pub struct Matcher {
    devices: Vec<(Arc<str>, Vec<Condition>)>,
    /// By path, then by the text that must stand there: indices of devices, ascending.
    equal: Vec<(Path, HashMap<String, Vec<usize>>)>,
    rest: Vec<usize>,
    misses: Misses,
}

/// How often conditions could not be compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Misses {
    /// The path leads nowhere in the message.
    pub missing_key: u64,
    /// Python would have raised a `TypeError`.
    pub wrong_type: u64,
}

/// The payload is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message is not JSON: {0}")]
pub struct InvalidJson(String);

/// Decodes a payload as the matcher does: `NaN` and `Infinity` are numbers, the last of equal keys
/// counts, and nesting deeper than 200 or a lone surrogate is refused.
///
/// # Errors
/// Where and why the payload is not JSON.
pub(crate) fn decode(payload: &[u8]) -> Result<JsonValue<'_>, InvalidJson> {
    JsonValue::parse(payload, true).map_err(|error| InvalidJson(error.description(payload)))
}

impl Matcher {
    /// A matcher for the devices of one model.
    pub fn new(devices: &[ValidatedDevice]) -> Self {
        let mut equal: Vec<(Path, HashMap<String, Vec<usize>>)> = Vec::new();
        let mut rest = Vec::new();
        for (device, ValidatedDevice { conditions, .. }) in devices.iter().enumerate() {
            let key = conditions
                .iter()
                .find(|condition| condition.expression.operator == Operator::Equal);
            let Some(Condition {
                value, expression, ..
            }) = key
            else {
                rest.push(device);
                continue;
            };
            let index = equal
                .iter()
                .position(|(path, _)| *path == expression.path)
                .unwrap_or_else(|| {
                    equal.push((expression.path.clone(), HashMap::new()));
                    equal.len() - 1
                });
            equal[index]
                .1
                .entry(value.clone())
                .or_default()
                .push(device);
        }
        Self {
            devices: devices
                .iter()
                .map(|device| (device.name.as_str().into(), device.conditions.clone()))
                .collect(),
            equal,
            rest,
            misses: Misses::default(),
        }
    }

    /// The first device, in the order of the configuration, all of whose conditions hold.
    ///
    /// # Errors
    /// The payload is not JSON.
    pub fn find(&mut self, payload: &[u8]) -> Result<Option<Arc<str>>, InvalidJson> {
        let message = decode(payload)?;
        let mut first: Option<usize> = None;
        for (path, devices) in &self.equal {
            match compare::resolve(path, &message) {
                Ok(place) => {
                    let candidates = place.text().and_then(|text| devices.get(text));
                    let found = first_match(
                        candidates.into_iter().flatten(),
                        &self.devices,
                        &message,
                        &mut self.misses,
                    );
                    first = first.into_iter().chain(found).min();
                }
                Err(miss) => self.misses.count(miss),
            }
        }
        let found = first_match(self.rest.iter(), &self.devices, &message, &mut self.misses);
        first = first.into_iter().chain(found).min();
        Ok(first.map(|device| self.devices[device].0.clone()))
    }

    /// What could not be compared so far.
    pub fn misses(&self) -> Misses {
        self.misses
    }
}

fn first_match<'a>(
    candidates: impl Iterator<Item = &'a usize>,
    devices: &[(Arc<str>, Vec<Condition>)],
    message: &JsonValue,
    misses: &mut Misses,
) -> Option<usize> {
    candidates.copied().find(|device| {
        devices[*device].1.iter().all(|condition| {
            holds(&condition.value, &condition.expression, message).unwrap_or_else(|miss| {
                misses.count(miss);
                false
            })
        })
    })
}

impl Misses {
    fn count(&mut self, miss: Miss) {
        match miss {
            Miss::MissingKey => self.missing_key += 1,
            Miss::WrongType => self.wrong_type += 1,
        }
    }
}

#[cfg(test)]
mod tests;
