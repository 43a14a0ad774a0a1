//! Finds the device that a message matches.
//!
//! Pure: bytes in, device out. On the grammar of [`crds::expression`], comparisons give the same results as in
//! Python; where Python would raise an exception, the message doesn't match and a counter is incremented.

mod compare;
mod condition;
mod index;
mod miss;
mod number;
mod seen;
mod walk;

use std::collections::HashMap;
use std::sync::Arc;

use crds::validated::{self, Format, ValidatedDevice, ValidatedFunc};
use jiter::JsonValue;
use payload::{InvalidJson, InvalidPayload, rendered};

use condition::Test;
use index::Index;
use seen::{Message, Source};
use walk::{Fault, Notes, Wanted};

pub use miss::Misses;

pub(crate) use compare::{Subject, Target, follow, holds, resolve};
pub(crate) use miss::Miss;

/// The devices of one model, indexed so that the cost of a message does not grow with their number.
///
/// A device with an equality condition is looked up by the value at that condition's place; only the
/// devices without one are tried one after the other. No tree is built of a message: see [`walk`].
#[derive(Debug)]
pub struct Matcher {
    devices: Vec<(Arc<str>, Vec<Test>)>,
    equal: Vec<Index>,
    rest: Vec<usize>,
    /// The place that names the device.
    device_key: Option<Source>,
    format: Format,
    wanted: Wanted,
    notes: Notes,
    misses: Misses,
}

/// A message that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Undecodable {
    /// The device that it belongs to by its topic alone; `None` if it belongs to none.
    pub device: Option<Arc<str>>,
    /// Why it cannot be decoded.
    pub error: Unreadable,
}

/// Why a message cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The payload is not what `decode` says.
    #[error(transparent)]
    Invalid(InvalidPayload),
    /// The payload is nested too deeply or has too many keys.
    #[error("the message has {0}")]
    OverLimit(String),
}

impl Matcher {
    /// The matcher of a model.
    pub fn of(func: &ValidatedFunc) -> Self {
        Self {
            format: func.decode,
            ..Self::new(&func.devices).with_device_key(func.device_key.as_ref())
        }
    }

    /// A matcher for devices that JSON messages name.
    pub fn new(devices: &[ValidatedDevice]) -> Self {
        let mut wanted = Wanted::default();
        let mut equal: Vec<Index> = Vec::new();
        let mut indexed: HashMap<Source, usize> = HashMap::new();
        let mut rest = Vec::new();
        let mut tested = Vec::with_capacity(devices.len());
        for (device, ValidatedDevice { name, conditions }) in devices.iter().enumerate() {
            let tests = conditions.iter().map(|one| Test::new(one, &mut wanted));
            let tests: Vec<_> = tests.collect();
            let key = tests.iter().find(|test| test.is_equality());
            if let Some(Test { source, value, .. }) = key {
                let index = *indexed.entry(*source).or_insert_with(|| {
                    equal.push(Index::new(*source));
                    equal.len() - 1
                });
                equal[index].add(value, device);
            } else {
                rest.push(device);
            }
            tested.push((name.as_str().into(), tests));
        }
        Self {
            devices: tested,
            equal,
            rest,
            device_key: None,
            format: Format::Json,
            wanted,
            notes: Notes::default(),
            misses: Misses::default(),
        }
    }

    /// Names the device of a message by what stands at `place`, if there is one.
    #[must_use]
    pub fn with_device_key(mut self, place: Option<&validated::Place>) -> Self {
        self.device_key = place.map(|place| Source::new(place, &mut self.wanted));
        self
    }

    /// The first device, in the order of the configuration, all of whose conditions hold.
    ///
    /// # Errors
    /// The payload cannot be decoded, or is over a limit.
    pub fn find(&mut self, topic: &str, payload: &[u8]) -> Result<Option<Arc<str>>, Undecodable> {
        let text = rendered(self.format, payload);
        let walked = match &text {
            Ok(Some(text)) => walk::walk(&self.wanted, text, &mut self.notes)
                .map(Some)
                .map_err(|fault| unreadable(fault, text.as_bytes())),
            // Bytes: only the topic tells about them.
            Ok(None) => Ok(None),
            Err(error) => Err(Unreadable::Invalid(error.clone())),
        };
        let message = Message {
            topic,
            walked: walked.as_ref().ok().and_then(Option::as_ref),
        };
        let found = first(
            &self.devices,
            &self.equal,
            &self.rest,
            message,
            &mut self.misses,
        );
        let device = found.map(|index| {
            let named = self.device_key.and_then(|source| {
                name_at(source, message)
                    .map_err(|miss| self.misses.count(miss))
                    .ok()
            });
            named.unwrap_or_else(|| self.devices[index].0.clone())
        });
        match walked {
            Ok(_) => Ok(device),
            Err(error) => Err(Undecodable { device, error }),
        }
    }

    /// Conditions that could not be compared so far.
    pub fn misses(&self) -> Misses {
        self.misses
    }
}

fn unreadable(fault: Fault, text: &[u8]) -> Unreadable {
    let description = fault.describe(text);
    if fault.is_limit() {
        Unreadable::OverLimit(description)
    } else if text.is_empty() {
        Unreadable::Invalid(InvalidJson::Empty.into())
    } else {
        Unreadable::Invalid(InvalidJson::Other(description).into())
    }
}

/// The device that the message names at `place`.
pub(crate) fn name_of(place: &validated::Place, subject: Subject<'_>) -> Option<String> {
    let name = match resolve(place, subject).ok()? {
        Target::Value(JsonValue::Int(int)) => int.to_string(),
        target => target.text()?.to_owned(),
    };
    is_name(&name).then_some(name)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_DEVICE
}

/// Longest name of a device that a message gives, in bytes: it is kept for each message that waits.
const MAX_DEVICE: usize = 256;

/// The device's name at a place: a text or a whole number.
fn name_at(source: Source, message: Message<'_>) -> Result<Arc<str>, Miss> {
    let name = message.at(source)?.name().ok_or(Miss::WrongType)?;
    if is_name(&name) {
        Ok(name.into())
    } else {
        Err(Miss::WrongType)
    }
}

fn first(
    devices: &[(Arc<str>, Vec<Test>)],
    equal: &[Index],
    rest: &[usize],
    message: Message<'_>,
    misses: &mut Misses,
) -> Option<usize> {
    let mut first: Option<usize> = None;
    for index in equal {
        match message.at(index.source) {
            Ok(seen) => {
                let candidates = index.candidates(&seen);
                let found = first_match(candidates, devices, message, misses);
                first = first.into_iter().chain(found).min();
            }
            Err(miss) => misses.count(miss),
        }
    }
    let found = first_match(rest, devices, message, misses);
    first.into_iter().chain(found).min()
}

fn first_match(
    candidates: &[usize],
    devices: &[(Arc<str>, Vec<Test>)],
    message: Message<'_>,
    misses: &mut Misses,
) -> Option<usize> {
    candidates.iter().copied().find(|device| {
        devices[*device].1.iter().all(|test| {
            test.holds(message).unwrap_or_else(|miss| {
                misses.count(miss);
                false
            })
        })
    })
}

#[cfg(test)]
mod tests;
