//! Conditions that could not be compared, and how many there were.

/// Why a condition could not be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Miss {
    /// Python's `KeyError` or `IndexError`.
    MissingKey,
    /// Python's `TypeError`.
    WrongType,
    /// The message could not be decoded.
    NoMessage,
}

/// How often conditions could not be compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Misses {
    /// The place is not there.
    pub missing_key: u64,
    /// Python would have raised a `TypeError`.
    pub wrong_type: u64,
}

impl Misses {
    pub(super) fn count(&mut self, miss: Miss) {
        match miss {
            Miss::MissingKey => self.missing_key += 1,
            Miss::WrongType => self.wrong_type += 1,
            // The message is reported as a whole.
            Miss::NoMessage => {}
        }
    }
}
