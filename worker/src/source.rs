//! Where messages come from. An [`Intake`](crate::intake::Intake) reads a source; what follows does not know which kind
//! of source it is. A new kind is a new file here.

mod acks;
mod mqtt;

use message::Message;

use crate::shutdown::Phase;

pub use self::mqtt::{History, MqttSource};

/// Brings the messages of one rule, and hears of those that are done through the handle in each delivery.
pub trait Source: Send {
    /// Tells the source how far a shutdown is, and whether there is room for messages. Called before each
    /// [`Source::drive`].
    fn prepare(&mut self, phase: Phase, room: bool);

    /// Makes progress until there may be a message. Cancel-safe: everything lives in the source.
    fn drive(&mut self) -> impl Future<Output = ()> + Send;

    /// The next message that was read. Its delivery is open, so it counts in the ledger from here on.
    fn next_message(&mut self) -> Option<Message>;

    /// Whether no more messages come in the phase that the source is in.
    fn is_dry(&self) -> bool;

    /// Acknowledges what is done and ends.
    fn close(self) -> impl Future<Output = ()> + Send;
}
