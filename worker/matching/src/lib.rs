//! Finds the device of a model that a message matches, and explains why it does or does not.
//!
//! Pure: bytes in, device out. Rooms in reading order:
//!
//! - `matcher`: the devices of one model, indexed.
//! - `matcher/walk`: one pass over a message's bytes, for the places that conditions ask about.
//! - `matcher/compare`: one condition against one decoded message, as Python evaluates it.
//! - `explain`: the same decisions with their reasons, as text or JSON.
//! - `said`: how a message names its device, if no model has it.
//! - `generator`: messages of devices that match, for tools and tests.

mod explain;
mod generator;
mod matcher;
mod said;

pub use explain::{
    AttributeExplanation, DeviceExplanation, Explanation, ModelExplanation, RuleExplanation,
    explain,
};
pub use generator::{Generator, number_in, time_of, topic_for};
pub use matcher::{Matcher, Misses, Undecodable, Unreadable};
pub use payload::InvalidPayload;
pub use said::Naming;
