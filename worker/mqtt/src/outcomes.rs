//! The table of outcomes: what becomes of each packet that a broker may send, by what it meets in the session.
//!
//! A broker that breaks the standard costs at most the message concerned. What is broken is told once.

use crate::packet::{Inbound, PACKET_ID, Sections};

/// A kind of packet, as far as the outcome depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    ConnAck,
    Publish,
    Unreadable,
    PubAck,
    PubAckRefusing,
    PubRec,
    PubRecRefusing,
    PubRel,
    PubComp,
    SubAck,
    UnsubAck,
    PingResp,
    Disconnect,
    Foreign,
}

/// What a packet meets in the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met {
    /// CONNECT was sent, and CONNACK hasn't come.
    Greeting,
    /// Nothing waits for it.
    Nothing,
    /// What was asked and isn't answered.
    Asked,
    /// A publication at QoS 1 under its packet id.
    AtLeastOnce,
    /// A publication at QoS 2 under its packet id, before PUBREC.
    ExactlyOnce,
    /// The same after PUBREC.
    Released,
    /// A message at QoS 2 under its packet id, which the owner has.
    Owned,
    /// The same after our PUBREC.
    Received,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The connection stands.
    Begin,
    /// The connection ends, as nothing can follow.
    Break,
    /// The owner gets the message.
    Deliver,
    /// The message is acknowledged and thrown away.
    Discard,
    /// PUBREC is sent again.
    ReceiveAgain,
    /// PUBCOMP is sent.
    Complete,
    /// The publication is done.
    Done,
    /// The same, and the broker has no QoS 2.
    DoneAtQos1,
    /// The publication is refused.
    Refuse,
    /// PUBREL is sent.
    Release,
    /// The same, and the publication is done.
    ReleaseDone,
    /// The subscription is answered.
    Subscribed,
    /// The subscription is ended.
    Unsubscribed,
    /// The broker lives.
    Alive,
    /// The broker ends the connection.
    End,
    /// Nothing.
    Skip,
}

/// What is broken: it follows the packet's name.
pub(crate) type Broken = Option<(&'static str, &'static str, Sections)>;

/// What becomes of a packet of this kind that meets `met`.
#[expect(
    clippy::match_same_arms,
    reason = "a table, in the order of the packets"
)]
pub(crate) fn outcome(kind: Kind, met: Met) -> (Outcome, Broken) {
    use Kind as K;
    use Met as M;
    use Outcome as O;
    let fine = |outcome| (outcome, None);
    let told = |outcome, packet, what, sections| (outcome, Some((packet, what, sections)));
    let first = Sections::both("3.2");
    let puback = Sections::both("4.3.2");
    let pubrec = Sections::both("4.3.3");
    match (kind, met) {
        (K::ConnAck, M::Greeting) => fine(O::Begin),
        (K::Disconnect, _) => fine(O::End),
        (_, M::Greeting) => told(O::Break, "packet", "before CONNACK", first),
        (K::ConnAck, _) => told(O::Skip, "CONNACK", "for the second time", first),

        (K::Publish | K::Unreadable, M::Owned) => fine(O::Skip),
        (K::Publish | K::Unreadable, M::Received) => fine(O::ReceiveAgain),
        (K::Publish, _) => fine(O::Deliver),
        (K::Unreadable, _) => fine(O::Discard),
        (K::PubRel, M::Owned) => told(O::Complete, "PUBREL", "before our PUBREC", pubrec),
        (K::PubRel, _) => fine(O::Complete),

        (K::PubAck, M::AtLeastOnce) => fine(O::Done),
        // The owner learns that the broker has no QoS 2.
        (K::PubAck, M::ExactlyOnce) => fine(O::DoneAtQos1),
        (K::PubAck, M::Released) => told(O::Done, "PUBACK", "after PUBREC", pubrec),
        (K::PubAckRefusing, M::AtLeastOnce) => fine(O::Refuse),
        (K::PubAckRefusing, M::ExactlyOnce) => {
            told(O::Refuse, "PUBACK", "for a message at QoS 2", pubrec)
        }
        (K::PubAckRefusing, M::Released) => told(O::Refuse, "PUBACK", "after PUBREC", pubrec),

        (K::PubRec, M::AtLeastOnce) => {
            told(O::ReleaseDone, "PUBREC", "for a message at QoS 1", puback)
        }
        // One of nothing that was sent, as after a broker's restart, is released too: the broker waits for it.
        (K::PubRec, _) => fine(O::Release),
        (K::PubRecRefusing, M::AtLeastOnce) => {
            told(O::Refuse, "PUBREC", "for a message at QoS 1", puback)
        }
        (K::PubRecRefusing, M::ExactlyOnce) => fine(O::Refuse),
        (K::PubRecRefusing, M::Released) => told(O::Refuse, "PUBREC", "after PUBREC", pubrec),

        (K::PubComp, M::Released) => fine(O::Done),
        (K::PubComp, M::ExactlyOnce) => told(O::Skip, "PUBCOMP", "before PUBREC", pubrec),
        (K::PubComp, M::AtLeastOnce) => told(O::Skip, "PUBCOMP", "for a message at QoS 1", puback),
        // An acknowledgement of nothing that was sent, as after a broker's restart.
        (K::PubAck | K::PubAckRefusing | K::PubRecRefusing | K::PubComp, _) => fine(O::Skip),

        (K::SubAck, M::Asked) => fine(O::Subscribed),
        (K::SubAck, _) => told(O::Skip, "SUBACK", "for no SUBSCRIBE", PACKET_ID),
        (K::UnsubAck, M::Asked) => fine(O::Unsubscribed),
        (K::UnsubAck, _) => told(O::Skip, "UNSUBACK", "for no UNSUBSCRIBE", PACKET_ID),
        (K::PingResp, _) => fine(O::Alive),
        // The reader told of it.
        (K::Foreign, _) => fine(O::Skip),
    }
}

impl Kind {
    pub(crate) fn of(packet: &Inbound) -> Self {
        match packet {
            Inbound::ConnAck { .. } => Self::ConnAck,
            Inbound::Publish(_) => Self::Publish,
            Inbound::Unreadable { .. } => Self::Unreadable,
            Inbound::PubAck { refused: None, .. } => Self::PubAck,
            Inbound::PubAck { .. } => Self::PubAckRefusing,
            Inbound::PubRec { refused: None, .. } => Self::PubRec,
            Inbound::PubRec { .. } => Self::PubRecRefusing,
            Inbound::PubRel { .. } => Self::PubRel,
            Inbound::PubComp { .. } => Self::PubComp,
            Inbound::SubAck { .. } => Self::SubAck,
            Inbound::UnsubAck { .. } => Self::UnsubAck,
            Inbound::PingResp => Self::PingResp,
            Inbound::Close | Inbound::Disconnect { .. } => Self::Disconnect,
            Inbound::Foreign => Self::Foreign,
        }
    }
}
