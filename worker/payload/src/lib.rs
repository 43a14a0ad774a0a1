//! What the bytes of a message or a file say. Pure: bytes in, a value or a text out.
//!
//! Rooms in reading order:
//!
//! - `encoding`: which encoding bytes are in, as Python's `json.loads(bytes)` decides it.
//! - `json`: JSON as Python reads it, lone surrogates included.
//! - `cbor`, `msgpack`, `csv`: the other formats, as JSON; `render` is what they are made with.
//! - `format`: each format of `decode` as JSON, for matching.
//! - `excerpt`: the beginning of a payload for people.

mod cbor;
mod csv;
mod encoding;
mod excerpt;
mod format;
mod json;
mod msgpack;
mod render;

pub use encoding::{NotUtf8, json_text, utf8};
pub use excerpt::excerpt;
pub use format::{InvalidPayload, rendered};
pub use json::{InvalidJson, MAX_DEPTH, decode, with_stand_ins};
