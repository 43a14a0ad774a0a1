//! MQTT sessions, versions 3.1.1 and 5, behind one trait.
//!
//! Only this crate knows the MQTT library. A session has one owner, which drives it, takes its
//! events and tells it what to send; it has neither locks nor tasks.
//!
//! Rooms in reading order:
//!
//! - `broker`, `options`: from a broker's settings in the configuration to a session's options.
//! - `client`, `event`, `notice`, `error`: what the owner of a session calls, and what it gets back.
//! - `claim`: how strongly the owner wants its session when another client uses the id.
//! - `session`: connects again and again, and keeps over all connections what isn't done. Its `handover`
//!   drains and deletes sessions, its `retry` decides when to connect again.
//! - `outcomes`: the table of what becomes of each packet of a broker.
//! - `inbox`: received messages until they are acknowledged.
//! - `inflight`: publications until the broker has them.
//! - `v3`: what MQTT 3.1.1 brokers cannot say and we infer: takeover, poison publications.
//! - `backoff`: pauses between connections.
//! - `connection`: one connection: its stream, its buffers, its keep-alive.
//! - `transport`, `tls`: TCP, TLS and WebSocket.
//! - `frame`, `packet`: bytes to packets and back. `malformed` tests bytes that are neither.

mod backoff;
mod broker;
mod claim;
mod client;
mod connection;
mod error;
mod event;
mod frame;
mod inbox;
mod inflight;
#[cfg(test)]
mod malformed;
mod notice;
mod options;
mod outcomes;
mod packet;
mod session;
mod tls;
mod transport;
mod v3;

pub use broker::{Broker, BrokerError};
pub use claim::Claim;
pub use client::Client;
pub use error::{Error, Refused};
pub use event::{DeliveryTag, Event, HOPS, Incoming, Publication};
pub use notice::Notice;
pub use options::Options;
pub use session::Session;
pub use tls::{TlsError, tls};
