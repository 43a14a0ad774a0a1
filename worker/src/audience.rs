//! Who reads what the worker serves.

/// Who reads `/status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Anyone who reaches the port: no texts that come from messages, no names that a session could be taken over with.
    Anyone,
    /// Someone with the token.
    Authenticated,
}
