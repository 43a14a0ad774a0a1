//! What came of numbered messages.

use std::time::Duration;

/// So long without a result means that the missing ones are lost.
const SILENCE: Duration = Duration::from_secs(20);

/// The same once the last message's result has come.
const SETTLED: Duration = Duration::from_secs(2);

/// What came of the messages of a measurement.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Check {
    pub(crate) lost: u64,
    pub(crate) repeated: u64,
    /// Results of a device behind one of a later message, where there is one device.
    pub(crate) steps_back: u64,
}

/// Counts results by their numbers.
pub(super) struct Numbers {
    /// How often each number is still to come.
    expected: Vec<u64>,
    check: Check,
    last: Option<u64>,
    one_device: bool,
    /// The number of the last message.
    end: usize,
}

impl Numbers {
    pub(super) fn new(messages: u64, numbers: u64, devices: usize) -> Self {
        let expected = (0..numbers).map(|n| (messages + numbers - 1 - n) / numbers);
        Self {
            expected: expected.collect(),
            check: Check::default(),
            last: None,
            one_device: devices == 1,
            end: usize::try_from(messages.saturating_sub(1) % numbers).unwrap_or(0),
        }
    }

    /// How long to wait for a result more.
    pub(super) fn patience(&self) -> Duration {
        if self.expected.get(self.end) == Some(&0) {
            SETTLED
        } else {
            SILENCE
        }
    }

    /// Whether the result is one of those that were missing.
    pub(super) fn came(&mut self, payload: &[u8]) -> bool {
        let Some(number) = number(payload) else {
            return false;
        };
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        let numbers = self.expected.len() as u64;
        match self.expected.get_mut(index) {
            Some(left) if *left > 0 => {
                *left -= 1;
                if self.one_device {
                    let last = self.last.replace(number).unwrap_or(numbers - 1);
                    let step = (number + numbers - last) % numbers;
                    self.check.steps_back += u64::from(step > numbers / 2);
                }
                true
            }
            _ => {
                self.check.repeated += 1;
                false
            }
        }
    }

    pub(super) fn end(mut self) -> Check {
        self.check.lost = self.expected.iter().sum();
        self.check
    }
}

/// The number in a result of the models here, or in a message itself.
pub(super) fn number(payload: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(payload).ok()?;
    let (_, rest) = text
        .rsplit_once("\"n\":")
        .or_else(|| text.rsplit_once("\"ts\":"))?;
    let rest = rest.trim_start();
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..digits].parse().ok()
}
