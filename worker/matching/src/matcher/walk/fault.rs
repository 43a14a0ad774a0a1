//! Why a message cannot be walked, and the limits of what is.

use payload::MAX_DEPTH;

/// Most keys, lists and objects in one message: each costs a model host about a hundred bytes.
pub(crate) const MAX_PARTS: usize = 200_000;

/// Why a text cannot be read, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// Offset of the byte.
    pub(super) at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FaultKind {
    #[error("EOF while parsing a value")]
    EndInValue,
    #[error("EOF while parsing a string")]
    EndInString,
    #[error("EOF while parsing a list")]
    EndInList,
    #[error("EOF while parsing an object")]
    EndInObject,
    #[error("expected value")]
    Value,
    #[error("expected ident")]
    Word,
    #[error("expected `:`")]
    Colon,
    #[error("expected `,` or `]`")]
    ListEnd,
    #[error("expected `,` or `}}`")]
    ObjectEnd,
    #[error("trailing comma")]
    TrailingComma,
    #[error("key must be a string")]
    Key,
    #[error("invalid number")]
    Number,
    #[error("number out of range")]
    LongNumber,
    #[error("invalid escape")]
    Escape,
    #[error("control character (\\u0000-\\u001F) found while parsing a string")]
    Control,
    #[error("trailing characters")]
    Trailing,
    #[error("more than {MAX_DEPTH} levels of lists and objects")]
    TooDeep,
    #[error("more than {MAX_PARTS} keys, lists and objects")]
    TooManyParts,
}

impl Fault {
    /// For people, with the line and column in `text`.
    pub(crate) fn describe(self, text: &[u8]) -> String {
        let before = &text[..self.at.min(text.len())];
        let line = before.split(|byte| *byte == b'\n').count();
        let start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        let column = before.len() - start + usize::from(self.at < text.len());
        format!("{} at line {line} column {column}", self.kind)
    }

    /// Whether the text is over a limit rather than wrong.
    pub(crate) fn is_limit(self) -> bool {
        matches!(self.kind, FaultKind::TooDeep | FaultKind::TooManyParts)
    }
}
