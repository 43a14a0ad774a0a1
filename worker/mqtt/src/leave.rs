//! How a session is left for good: without its subscriptions, and with nothing that the broker still holds
//! for it.
//!
//! MQTT has no word for "that was all". But a broker takes a connection's packets one after the other, and
//! sends what it holds as soon as there is room for it: when everything is acknowledged, and a ping that was
//! sent after the last acknowledgement is answered with no message in between, it holds nothing more.

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Leave {
    /// The session is not to be left.
    #[default]
    No,
    /// It is, and the broker has not been told on this connection.
    Asked,
    /// UNSUBSCRIBE was written, with this id.
    Unsubscribing(u16),
    /// No new messages come.
    Unsubscribed,
    /// A ping was written when everything was acknowledged.
    Asking {
        /// So many answers there are when it is answered.
        pongs: u64,
        /// So many messages had come.
        messages: u64,
    },
    /// The broker holds nothing, which the owner was told.
    Done,
}

impl Leave {
    /// A connection is gone: what was said on it is to be said again.
    pub(super) fn disconnected(&mut self) {
        if !matches!(self, Self::No | Self::Done) {
            *self = Self::Asked;
        }
    }

    /// The answer to the ping is there, or a message that came before it: whether that was all.
    pub(super) fn look(&mut self, pongs: u64, messages: u64) -> bool {
        let Self::Asking {
            pongs: wanted,
            messages: before,
        } = *self
        else {
            return false;
        };
        if messages > before {
            *self = Self::Unsubscribed;
        } else if pongs >= wanted {
            *self = Self::Done;
        }
        *self == Self::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKING: Leave = Leave::Asking {
        pongs: 3,
        messages: 10,
    };

    #[test]
    fn an_answer_without_a_message_before_it_is_the_end() {
        let mut leave = ASKING;
        assert!(!leave.look(2, 10), "an earlier ping's answer");
        assert!(leave.look(3, 10));
        leave.disconnected();
        assert_eq!(leave, Leave::Done);
    }

    #[test]
    fn a_message_before_the_answer_means_asking_again() {
        let mut leave = ASKING;
        assert!(!leave.look(3, 11));
        assert_eq!(leave, Leave::Unsubscribed);
    }

    #[test]
    fn a_lost_connection_means_beginning_again() {
        let mut leave = ASKING;
        leave.disconnected();
        assert_eq!(leave, Leave::Asked);
        let mut leave = Leave::No;
        leave.disconnected();
        assert_eq!(leave, Leave::No);
    }
}
