//! What the status says, as tables.

mod conditions;
mod parts;
mod pods;
mod versions;
