//! Sources of messages. An [`Intake`](crate::intake::Intake) reads a source without knowing its kind. A new kind is a
//! new file here.

mod acks;
mod mqtt;
mod strikes;

use message::Message;

use crate::shutdown::Phase;

pub use self::mqtt::{History, MqttSource};
pub use self::strikes::Strikes;

/// Reads the messages of one rule, and is notified of settled ones through the handle in each delivery.
pub trait Source: Send {
    /// Sets the phase of the shutdown, and whether there is room for messages. Called before each
    /// [`Source::drive`].
    fn prepare(&mut self, phase: Phase, room: bool);

    /// Makes progress until there may be a message. Cancel-safe, since all state lives in the source.
    fn drive(&mut self) -> impl Future<Output = ()> + Send;

    /// The next message that was read, with an open delivery, so the ledger counts it.
    fn next_message(&mut self) -> Option<Message>;

    /// Whether the source has no more messages in its phase.
    fn is_dry(&self) -> bool;

    /// Acknowledges settled messages and closes the source.
    fn close(self) -> impl Future<Output = ()> + Send;
}
