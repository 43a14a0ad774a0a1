//! MQTT sessions, versions 3.1.1 and 5, behind one trait.
//!
//! Only this crate knows which library speaks MQTT. A session has one owner, who drives it, takes its
//! events and tells it what to send; there are no locks and no tasks inside.
//!
//! Rooms in reading order:
//!
//! - `broker`, `options`: from a broker's settings in the configuration to a session's options.
//! - `client`, `event`, `error`: what the owner of a session calls, and what it gets back.
//! - `session`: connects again and again, and keeps over all connections what isn't done.
//! - `inbox`: received messages until they are acknowledged.
//! - `outbox`, `caution`: publications until the broker has them.
//! - `leave`: how a session is left for good.
//! - `backoff`: when a session connects again.
//! - `connection`: one connection: its stream, its buffers, its keep-alive.
//! - `transport`, `tls`: TCP, TLS and WebSocket.
//! - `frame`, `packet`, `refusal`: bytes to packets and back.

mod backoff;
mod broker;
mod caution;
mod client;
mod connection;
mod error;
mod event;
mod frame;
#[cfg(test)]
mod hostile;
mod inbox;
mod leave;
mod options;
mod outbox;
mod packet;
mod refusal;
mod session;
mod tls;
mod transport;

pub use broker::{Broker, BrokerError};
pub use client::Client;
pub use error::{Error, Refused};
pub use event::{DeliveryTag, Event, Incoming, Publication};
pub use options::Options;
pub use session::Session;
pub use tls::{TlsError, tls};
