//! Which devices a value at a place may belong to, whatever their number.

use std::collections::HashMap;

use crds::validated::Operand;

use super::number::NumberKey;
use super::seen::{Seen, Source};

/// Devices by what must stand at a place: indices of devices, ascending.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) source: Source,
    texts: HashMap<Box<[u8]>, Vec<usize>>,
    numbers: HashMap<NumberKey, Vec<usize>>,
}

impl Index {
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            texts: HashMap::new(),
            numbers: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, value: &Operand, device: usize) {
        let devices = match value {
            Operand::Text(text) => self.texts.entry(text.as_bytes().into()).or_default(),
            Operand::Number(number) => self.numbers.entry((*number).into()).or_default(),
        };
        devices.push(device);
    }

    /// The devices for which `seen` may be the value, as long as their conditions hold.
    pub(super) fn candidates(&self, seen: &Seen<'_>) -> &[usize] {
        let devices = match seen.text() {
            Some(text) => self.texts.get(text),
            None if self.numbers.is_empty() => None,
            None => seen
                .scalar()
                .and_then(|value| self.numbers.get(&NumberKey::of(&value)?)),
        };
        devices.map_or(&[], Vec::as_slice)
    }
}
