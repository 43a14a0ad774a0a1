//! Which device a message belongs to.
//!
//! Pure: bytes in, device out. Comparisons mean what Python's mean on the grammar of
//! [`crds::expression`]; what Python would answer with an exception is no match and is counted.

mod compare;
mod walk;

use std::collections::HashMap;
use std::sync::Arc;

use crds::validated::{Condition, Operator, ValidatedDevice};
use jiter::JsonValue;

use walk::{Fault, Member, Notes, Place, Walked, Wanted};

pub(crate) use compare::{Miss, Target, holds, resolve};

/// The devices of one model, indexed so that a message's cost does not grow with their number.
///
/// A device with an equality condition is looked up by the text at that condition's path; only the
/// devices without one are tried one after the other. No tree is built of a message: see [`walk`].
#[derive(Debug)]
pub struct Matcher {
    devices: Vec<(Arc<str>, Vec<Test>)>,
    /// By place, then by the text that must stand there: indices of devices, ascending.
    equal: Vec<(Place, ByText)>,
    rest: Vec<usize>,
    wanted: Wanted,
    notes: Notes,
    misses: Misses,
}

/// Indices of devices, ascending, by the text that one of their conditions wants.
type ByText = HashMap<Box<[u8]>, Vec<usize>>;

/// A condition whose path is a place.
#[derive(Debug)]
struct Test {
    place: Place,
    comparison: Comparison,
    value: Box<str>,
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Text(Operator),
    In(Member),
    NotIn(Member),
}

/// How often conditions could not be compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Misses {
    /// The path leads nowhere in the message.
    pub missing_key: u64,
    /// Python would have raised a `TypeError`.
    pub wrong_type: u64,
}

/// Why no device can be looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The payload is not JSON.
    #[error(transparent)]
    InvalidJson(#[from] InvalidJson),
    /// The payload is nested too deeply or has too many keys.
    #[error("the message has {0}")]
    OverLimit(String),
}

/// The payload is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message is not JSON: {0}")]
pub struct InvalidJson(String);

/// Decodes a payload for people; a [`Matcher`] reads it without building a tree.
///
/// # Errors
/// Where and why the payload is not JSON.
pub(crate) fn decode(payload: &[u8]) -> Result<JsonValue<'_>, InvalidJson> {
    JsonValue::parse(payload, true).map_err(|error| InvalidJson(error.description(payload)))
}

impl Matcher {
    /// A matcher for the devices of one model.
    pub fn new(devices: &[ValidatedDevice]) -> Self {
        let mut wanted = Wanted::default();
        let mut equal: Vec<(Place, ByText)> = Vec::new();
        let mut indexed: HashMap<Place, usize> = HashMap::new();
        let mut rest = Vec::new();
        let mut tested = Vec::with_capacity(devices.len());
        for (device, ValidatedDevice { name, conditions }) in devices.iter().enumerate() {
            let tests = conditions.iter().map(|one| Test::new(one, &mut wanted));
            let tests: Vec<_> = tests.collect();
            let key = tests
                .iter()
                .find(|test| matches!(test.comparison, Comparison::Text(Operator::Equal)));
            if let Some(Test { place, value, .. }) = key {
                let index = *indexed.entry(*place).or_insert_with(|| {
                    equal.push((*place, HashMap::new()));
                    equal.len() - 1
                });
                let same = equal[index].1.entry(value.as_bytes().into());
                same.or_default().push(device);
            } else {
                rest.push(device);
            }
            tested.push((name.as_str().into(), tests));
        }
        Self {
            devices: tested,
            equal,
            rest,
            wanted,
            notes: Notes::default(),
            misses: Misses::default(),
        }
    }

    /// The first device, in the order of the configuration, all of whose conditions hold.
    ///
    /// # Errors
    /// The payload is not JSON, or over a limit.
    pub fn find(&mut self, payload: &[u8]) -> Result<Option<Arc<str>>, Unreadable> {
        let message = walk::walk(&self.wanted, payload, &mut self.notes)
            .map_err(|fault| unreadable(fault, payload))?;
        let mut first: Option<usize> = None;
        for (place, devices) in &self.equal {
            match message.at(*place) {
                Ok(found) => {
                    let candidates = found.text().and_then(|text| devices.get(text));
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

fn unreadable(fault: Fault, payload: &[u8]) -> Unreadable {
    let description = fault.describe(payload);
    if fault.is_limit() {
        Unreadable::OverLimit(description)
    } else {
        InvalidJson(description).into()
    }
}

fn first_match<'a>(
    candidates: impl Iterator<Item = &'a usize>,
    devices: &[(Arc<str>, Vec<Test>)],
    message: &Walked<'_>,
    misses: &mut Misses,
) -> Option<usize> {
    candidates.copied().find(|device| {
        devices[*device].1.iter().all(|test| {
            test.holds(message).unwrap_or_else(|miss| {
                misses.count(miss);
                false
            })
        })
    })
}

impl Test {
    fn new(condition: &Condition, wanted: &mut Wanted) -> Self {
        let place = wanted.place(&condition.expression.path);
        let comparison = match condition.expression.operator {
            Operator::In => Comparison::In(wanted.member(place, &condition.value)),
            Operator::NotIn => Comparison::NotIn(wanted.member(place, &condition.value)),
            operator => Comparison::Text(operator),
        };
        Self {
            place,
            comparison,
            value: condition.value.as_str().into(),
        }
    }

    fn holds(&self, message: &Walked<'_>) -> Result<bool, Miss> {
        let found = message.at(self.place)?;
        match self.comparison {
            Comparison::In(member) => found.contains(&self.value, member),
            Comparison::NotIn(member) => found.contains(&self.value, member).map(|found| !found),
            Comparison::Text(operator) => compare::texts(&self.value, operator, found.text()),
        }
    }
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
