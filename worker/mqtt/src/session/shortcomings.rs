//! Decides what a broker's greeting means for messages that cannot be delivered at once.

use crate::Notice;
use crate::packet::Limits;

/// The receive maximum of a mosquitto whose `max_inflight_messages` is not set.
const MOSQUITTO_DEFAULT: u16 = 20;

/// Seconds that stand for a session that never expires.
const NEVER: u32 = u32::MAX;

/// What becomes of a session at the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// It has no subscriptions, so there is nothing to lose.
    Empty,
    /// It ends with its connection.
    NotAsked,
    /// The broker has it, or it is new.
    Present,
    /// The broker had it, and has it no more.
    Lost,
}

/// What users should know after the greeting.
pub(super) fn shortcomings(kept: Kept, limits: Limits) -> Vec<Notice> {
    let mut notices = Vec::new();
    if kept == Kept::Empty {
        return notices;
    }
    if kept == Kept::Lost {
        notices.push(Notice::SessionLost);
    }
    if let Some(seconds) = limits.session_expiry
        && seconds < NEVER
        && kept != Kept::NotAsked
    {
        notices.push(Notice::SessionExpires(seconds));
    }
    if limits.receive_maximum == Some(MOSQUITTO_DEFAULT) {
        notices.push(Notice::MosquittoDefaults);
    }
    notices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d14_a_session_tells_what_its_broker_loses() {
        let expiry = |seconds| Limits {
            session_expiry: Some(seconds),
            ..Limits::default()
        };
        let defaults = Limits {
            receive_maximum: Some(20),
            ..Limits::default()
        };
        let none = Limits::default();
        let table = [
            ("all is well", Kept::Present, none, vec![]),
            (
                "no expiry",
                Kept::Present,
                expiry(0),
                vec![Notice::SessionExpires(0)],
            ),
            (
                "an hour",
                Kept::Present,
                expiry(3600),
                vec![Notice::SessionExpires(3600)],
            ),
            ("never", Kept::Present, expiry(NEVER), vec![]),
            (
                "mosquitto",
                Kept::Present,
                defaults,
                vec![Notice::MosquittoDefaults],
            ),
            ("lost", Kept::Lost, none, vec![Notice::SessionLost]),
            ("a replica", Kept::NotAsked, expiry(0), vec![]),
            (
                "a replica at mosquitto",
                Kept::NotAsked,
                defaults,
                vec![Notice::MosquittoDefaults],
            ),
            ("a publisher", Kept::Empty, defaults, vec![]),
        ];
        for (what, kept, limits, expected) in table {
            assert_eq!(shortcomings(kept, limits), expected, "{what}");
        }
    }
}
