//! The frames between a worker and its model hosts.
//!
//! A frame is its body's length in four bytes, then the body: one byte that says which frame it is,
//! then its fields. Numbers are little-endian; texts and payloads carry their length in four bytes. Requests end with further
//! fields that a host may not know; see [`Extra`].
//! The codec knows no I/O: bytes are appended to a buffer on one side and fed to a [`Decoder`] on the
//! other, in pieces of any size.

mod extra;
mod field;
mod stream;

pub use extra::{CallField, DUPLICATE, Extra, ExtraWriter, LoadField, RETAINED, SAMPLE};
pub use field::Malformed;
pub use stream::{Decoder, MAX_BODY, MAX_REPLY, TooLarge};

use field::{Fields, put_bytes};

/// From the worker to a host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Request<'a> {
    /// Import the model; the first frame, sent once.
    Load {
        /// The model's name.
        model: &'a str,
        /// The folder that holds `index.py`.
        directory: &'a str,
        /// A folder of installed wheels to import from; empty for none.
        wheels: &'a str,
        /// The databases that the model may use, a list in JSON; each has `name`, `url`, `username` and `password`.
        databases: Secret<'a>,
        /// Whether the host answers [`Reply::Held`] after an exception, until a call comes that is `alone`: that call is the
        /// same one again, and none behind it may come first.
        holds: bool,
        /// Further fields: [`LoadField`].
        extra: Extra<'a>,
    },
    /// Call `handler`.
    Call {
        /// Comes back in the reply.
        id: u64,
        /// Not to be put together with others for `handler_batch`: a host died over one of them.
        alone: bool,
        /// When the message came, in seconds since 1970.
        received_at: f64,
        /// The topic that it came on.
        topic: &'a str,
        /// The device that matched.
        device: &'a str,
        /// The message.
        payload: &'a [u8],
        /// Further fields: [`CallField`].
        extra: Extra<'a>,
    },
}

/// A text that is never shown.
#[derive(Clone, Copy, PartialEq)]
pub struct Secret<'a>(pub &'a str);

impl std::fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// From a host to the worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Response<'a> {
    /// The model is imported; calls may come.
    Ready {
        /// The interpreter's version, such as `3.11.7`.
        python: &'a str,
    },
    /// The model cannot be imported; the host ends.
    LoadFailed {
        /// One line for people.
        message: &'a str,
        /// Python's traceback; empty if there is none.
        traceback: &'a str,
    },
    /// `handler_batch` failed; the calls that were put together are made one by one, and their replies follow.
    BatchFailed {
        /// One line for people.
        message: &'a str,
        /// Python's traceback.
        traceback: &'a str,
    },
    /// What a call came to.
    Reply {
        /// Of the call.
        id: u64,
        /// How long the call took, in nanoseconds, without decoding the event; of calls that were made together, each one's
        /// part.
        nanos: u64,
        /// How it ended.
        reply: Reply<'a>,
    },
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reply<'a> {
    /// The result's bytes, ready to publish.
    Result(&'a [u8]),
    /// `handler` returned `None`.
    Empty,
    /// The payload is not JSON.
    InvalidJson(&'a str),
    /// `handler` raised.
    Exception {
        /// The exception in one line, such as `ValueError: no such sensor`.
        message: &'a str,
        /// Python's traceback.
        traceback: &'a str,
    },
    /// The result cannot be written as JSON.
    Unserializable(&'a str),
    /// The call was not made, because one before it has to be repeated.
    Held,
}

const LOAD: u8 = 1;
const CALL: u8 = 2;
const READY: u8 = 3;
const LOAD_FAILED: u8 = 4;
const RESULT: u8 = 5;
const EMPTY: u8 = 6;
const INVALID_JSON: u8 = 7;
const EXCEPTION: u8 = 8;
const UNSERIALIZABLE: u8 = 9;
const BATCH_FAILED: u8 = 10;
const HELD: u8 = 11;

impl<'a> Request<'a> {
    /// Appends the frame to `buffer`.
    ///
    /// # Errors
    /// The body is larger than [`MAX_BODY`]; `buffer` is as it was.
    pub fn encode(&self, buffer: &mut Vec<u8>) -> Result<(), TooLarge> {
        stream::frame(buffer, MAX_BODY, |buffer| match *self {
            Self::Load {
                model,
                directory,
                wheels,
                databases: Secret(databases),
                extra,
                holds,
            } => {
                buffer.push(LOAD);
                buffer.push(u8::from(holds));
                for text in [model, directory, wheels, databases] {
                    put_bytes(buffer, text.as_bytes());
                }
                extra.write(buffer);
            }
            Self::Call {
                id,
                alone,
                received_at,
                topic,
                device,
                payload,
                extra,
            } => {
                buffer.push(CALL);
                buffer.extend_from_slice(&id.to_le_bytes());
                buffer.push(u8::from(alone));
                buffer.extend_from_slice(&received_at.to_le_bytes());
                for bytes in [topic.as_bytes(), device.as_bytes(), payload] {
                    put_bytes(buffer, bytes);
                }
                extra.write(buffer);
            }
        })
    }

    /// Reads a body that a [`Decoder`] gave.
    ///
    /// # Errors
    /// The body is not a request.
    pub fn decode(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(body);
        let request = match fields.byte()? {
            LOAD => Self::Load {
                holds: fields.byte()? != 0,
                model: fields.text()?,
                directory: fields.text()?,
                wheels: fields.text()?,
                databases: Secret(fields.text()?),
                extra: Extra::read(&mut fields)?,
            },
            CALL => Self::Call {
                id: u64::from_le_bytes(fields.array()?),
                alone: fields.byte()? != 0,
                received_at: f64::from_le_bytes(fields.array()?),
                topic: fields.text()?,
                device: fields.text()?,
                payload: fields.bytes()?,
                extra: Extra::read(&mut fields)?,
            },
            other => return Err(Malformed::UnknownKind(other)),
        };
        fields.end()?;
        Ok(request)
    }
}

impl<'a> Response<'a> {
    /// Appends the frame to `buffer`.
    ///
    /// # Errors
    /// The body is larger than [`MAX_REPLY`]; `buffer` is as it was.
    pub fn encode(&self, buffer: &mut Vec<u8>) -> Result<(), TooLarge> {
        stream::frame(buffer, MAX_REPLY, |buffer| match *self {
            Self::Ready { python } => {
                buffer.push(READY);
                put_bytes(buffer, python.as_bytes());
            }
            Self::LoadFailed { message, traceback } | Self::BatchFailed { message, traceback } => {
                buffer.push(if matches!(self, Self::LoadFailed { .. }) {
                    LOAD_FAILED
                } else {
                    BATCH_FAILED
                });
                put_bytes(buffer, message.as_bytes());
                put_bytes(buffer, traceback.as_bytes());
            }
            Self::Reply { id, nanos, reply } => {
                let (kind, fields): (u8, [Option<&[u8]>; 2]) = match reply {
                    Reply::Result(bytes) => (RESULT, [Some(bytes), None]),
                    Reply::Empty => (EMPTY, [None, None]),
                    Reply::Held => (HELD, [None, None]),
                    Reply::InvalidJson(message) => (INVALID_JSON, [Some(message.as_bytes()), None]),
                    Reply::Exception { message, traceback } => (
                        EXCEPTION,
                        [Some(message.as_bytes()), Some(traceback.as_bytes())],
                    ),
                    Reply::Unserializable(message) => {
                        (UNSERIALIZABLE, [Some(message.as_bytes()), None])
                    }
                };
                buffer.push(kind);
                buffer.extend_from_slice(&id.to_le_bytes());
                buffer.extend_from_slice(&nanos.to_le_bytes());
                for bytes in fields.into_iter().flatten() {
                    put_bytes(buffer, bytes);
                }
            }
        })
    }

    /// Reads a body that a [`Decoder`] gave.
    ///
    /// # Errors
    /// The body is not a response.
    pub fn decode(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(body);
        let response = match fields.byte()? {
            READY => Self::Ready {
                python: fields.text()?,
            },
            LOAD_FAILED => Self::LoadFailed {
                message: fields.text()?,
                traceback: fields.text()?,
            },
            BATCH_FAILED => Self::BatchFailed {
                message: fields.text()?,
                traceback: fields.text()?,
            },
            kind @ (RESULT..=UNSERIALIZABLE | HELD) => Self::Reply {
                id: u64::from_le_bytes(fields.array()?),
                nanos: u64::from_le_bytes(fields.array()?),
                reply: match kind {
                    RESULT => Reply::Result(fields.bytes()?),
                    EMPTY => Reply::Empty,
                    HELD => Reply::Held,
                    INVALID_JSON => Reply::InvalidJson(fields.text()?),
                    EXCEPTION => Reply::Exception {
                        message: fields.text()?,
                        traceback: fields.text()?,
                    },
                    _ => Reply::Unserializable(fields.text()?),
                },
            },
            other => return Err(Malformed::UnknownKind(other)),
        };
        fields.end()?;
        Ok(response)
    }
}

#[cfg(test)]
mod tests;
