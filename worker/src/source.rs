//! Where messages come from.

mod acks;

pub use acks::Acks;
