//! Digests of model archives as the configuration writes them.

/// An MD5 digest: a check against corruption, not against forgery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Md5(pub [u8; 16]);

/// A SHA-256 digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256(pub [u8; 32]);
