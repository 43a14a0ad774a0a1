//! Why a connection ended.

use std::io;

use crate::Error;
use crate::packet::Code;

/// Why a connection ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The broker closed it without a word.
    Closed,
    /// The broker ended it by a DISCONNECT of MQTT 5, with the reason in words.
    Dismissed(Code, String),
    Lost(String),
    Protocol(String),
}

impl Ended {
    pub(super) fn io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Lost(error.to_string()),
        }
    }

    pub(crate) fn into_error(self, broker: String) -> Error {
        match self {
            Self::Closed => Error::Lost {
                broker,
                reason: "the broker closed it".to_owned(),
            },
            Self::Dismissed(_, reason) => Error::Lost {
                broker,
                reason: format!("the broker closed it: {reason}"),
            },
            Self::Lost(reason) => Error::Lost { broker, reason },
            Self::Protocol(reason) => Error::Protocol { broker, reason },
        }
    }
}
