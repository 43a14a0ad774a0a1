//! The steps of draining a session: without its subscriptions, until the broker holds nothing for it.
//!
//! MQTT has no word for "that was all". But a broker takes a connection's packets one after the other, and
//! sends what it holds as soon as there is room for it: when everything is acknowledged, and a ping that was
//! sent after the last acknowledgement is answered with no message in between, it holds nothing more.

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::session) enum Drain {
    /// The session isn't drained.
    #[default]
    No,
    /// It is to be, and the broker has not been told on this connection.
    Asked,
    /// UNSUBSCRIBE was written, with this id.
    Unsubscribing(u16),
    /// No new messages come.
    Unsubscribed,
    /// A ping was written when everything was acknowledged.
    Pinged {
        /// Answers to pings that there are when this one is answered.
        pongs: u64,
        /// Messages that had come.
        messages: u64,
    },
    /// The broker holds nothing, and the owner knows.
    Done,
}

/// What has been seen of the session so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// Whether every message that came is acknowledged.
    pub(super) acknowledged: bool,
    /// Answers to pings on this connection.
    pub(super) pongs: u64,
    /// Messages that came.
    pub(super) messages: u64,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing yet.
    Wait,
    /// End the subscriptions.
    Unsubscribe,
    /// Ask the broker for a sign.
    Ping,
    /// Tell the owner that the session is drained.
    Report,
}

impl Drain {
    /// Begins, unless it has begun already.
    pub(super) fn start(&mut self) -> bool {
        let first = *self == Self::No;
        if first {
            *self = Self::Asked;
        }
        first
    }

    /// Whether the session is being drained, or is.
    pub(in crate::session) fn started(self) -> bool {
        self != Self::No
    }

    /// The broker has no such session. Whether this ends the drain.
    pub(super) fn gone(&mut self) -> bool {
        let ends = *self == Self::Asked;
        if ends {
            *self = Self::Done;
        }
        ends
    }

    /// A connection is gone: what was said on it is to be said again.
    pub(super) fn disconnected(&mut self) {
        if !matches!(self, Self::No | Self::Done) {
            *self = Self::Asked;
        }
    }

    /// UNSUBSCRIBE was written.
    pub(super) fn unsubscribing(&mut self, id: u16) {
        *self = Self::Unsubscribing(id);
    }

    /// The session has no subscriptions, and UNSUBSCRIBE must name one.
    pub(super) fn nothing_to_unsubscribe(&mut self) {
        *self = Self::Unsubscribed;
    }

    /// Whether an UNSUBACK with this packet id is awaited.
    pub(in crate::session) fn awaits(self, id: u16) -> bool {
        self == Self::Unsubscribing(id)
    }

    /// UNSUBACK came.
    pub(in crate::session) fn unsubscribed(&mut self, id: u16) {
        if *self == Self::Unsubscribing(id) {
            *self = Self::Unsubscribed;
        }
    }

    /// A ping was written, which is answered by the answer number `pongs`.
    pub(super) fn pinged(&mut self, pongs: u64, messages: u64) {
        *self = Self::Pinged { pongs, messages };
    }

    /// Decides what to do next.
    pub(super) fn step(&mut self, seen: Seen) -> Step {
        match *self {
            Self::Asked => return Step::Unsubscribe,
            Self::Pinged { messages, .. } if seen.messages > messages => {
                // The broker still had some: its answer proves nothing.
                *self = Self::Unsubscribed;
            }
            Self::Pinged { pongs, .. } if seen.pongs >= pongs => {
                *self = Self::Done;
                return Step::Report;
            }
            _ => {}
        }
        if *self == Self::Unsubscribed && seen.acknowledged {
            Step::Ping
        } else {
            Step::Wait
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PINGED: Drain = Drain::Pinged {
        pongs: 3,
        messages: 10,
    };

    #[test]
    fn each_state_leads_to_the_next_step() {
        let table = [
            ("not drained", Drain::No, true, 0, 0, Step::Wait, Drain::No),
            (
                "asked",
                Drain::Asked,
                false,
                0,
                0,
                Step::Unsubscribe,
                Drain::Asked,
            ),
            (
                "no UNSUBACK",
                Drain::Unsubscribing(1),
                true,
                0,
                0,
                Step::Wait,
                Drain::Unsubscribing(1),
            ),
            (
                "messages in work",
                Drain::Unsubscribed,
                false,
                0,
                9,
                Step::Wait,
                Drain::Unsubscribed,
            ),
            (
                "all acknowledged",
                Drain::Unsubscribed,
                true,
                0,
                9,
                Step::Ping,
                Drain::Unsubscribed,
            ),
            (
                "an earlier ping's answer",
                PINGED,
                true,
                2,
                10,
                Step::Wait,
                PINGED,
            ),
            (
                "no message before the answer",
                PINGED,
                true,
                3,
                10,
                Step::Report,
                Drain::Done,
            ),
            (
                "a message before the answer",
                PINGED,
                false,
                3,
                11,
                Step::Wait,
                Drain::Unsubscribed,
            ),
            (
                "the same, acknowledged",
                PINGED,
                true,
                3,
                11,
                Step::Ping,
                Drain::Unsubscribed,
            ),
            ("drained", Drain::Done, true, 9, 99, Step::Wait, Drain::Done),
        ];
        for (what, before, acknowledged, pongs, messages, step, after) in table {
            let mut drain = before;
            let seen = Seen {
                acknowledged,
                pongs,
                messages,
            };
            assert_eq!((drain.step(seen), drain), (step, after), "{what}");
        }
    }

    #[test]
    fn a_lost_connection_means_beginning_again_unless_it_is_over() {
        let table = [
            (Drain::No, Drain::No),
            (Drain::Unsubscribing(1), Drain::Asked),
            (Drain::Unsubscribed, Drain::Asked),
            (PINGED, Drain::Asked),
            (Drain::Done, Drain::Done),
        ];
        for (before, after) in table {
            let mut drain = before;
            drain.disconnected();
            assert_eq!(drain, after, "{before:?}");
        }
    }

    #[test]
    fn only_the_answer_to_our_unsubscribe_counts() {
        let mut drain = Drain::Unsubscribing(7);
        drain.unsubscribed(8);
        assert_eq!(drain, Drain::Unsubscribing(7));
        drain.unsubscribed(7);
        assert_eq!(drain, Drain::Unsubscribed);
    }
}
