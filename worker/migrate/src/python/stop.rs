//! Why an expression has no value.

/// Python's exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "Python's names")]
pub(crate) enum Raised {
    KeyError,
    IndexError,
    TypeError,
    NameError,
    ValueError,
    AttributeError,
}

impl Raised {
    /// Its name in Python.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KeyError => "KeyError",
            Self::IndexError => "IndexError",
            Self::TypeError => "TypeError",
            Self::NameError => "NameError",
            Self::ValueError => "ValueError",
            Self::AttributeError => "AttributeError",
        }
    }
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Python raises an exception.
    Raised(Raised),
    /// This program cannot tell what Python does.
    NotUnderstood(String),
}
