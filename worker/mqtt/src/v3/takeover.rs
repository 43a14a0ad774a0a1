//! ADR 13: tells from the timing of closed connections that another client took the session over.

use std::time::Duration;

/// A connection that the broker closes sooner than this may have been taken over. The other client connects within a
/// moment, or within seconds on a busy machine.
const SHORT: Duration = Duration::from_secs(5);
/// A session with a connection that lasted this long counts as established.
const SETTLED: Duration = Duration::from_secs(1);
/// Short connections in a row that mean a takeover, if the broker closed each without a reason and accepted the
/// next one at once: MQTT 3.1.1 cannot say that another client uses our id. A broker that keeps restarting also refuses
/// some connections.
const SHORT_IN_A_ROW: u32 = 3;
/// The same for a session that has never had a longer connection: the other client was there before. This session
/// insists until the other, which counts to three, gives way.
const SHORT_IN_A_ROW_AT_FIRST: u32 = 12;

/// What a connection that the broker closed without a reason probably means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// It lasted long enough to be an ordinary lost connection.
    Lost,
    /// It may have been taken over: reconnect at once, since growing pauses would make the other client's connections
    /// look long.
    Suspicious,
    /// Another client took it over.
    TakenOver,
}

/// Counts short connections in a row.
#[derive(Debug, Default)]
pub(crate) struct Takeover {
    short: u32,
    /// Whether a connection was established for long.
    settled: bool,
    /// Whether another client has taken the session over since it last worked.
    taken_over: bool,
}

impl Takeover {
    /// Records that the broker closed a connection without a reason after `lasted`.
    pub(crate) fn closed(&mut self, lasted: Duration) -> Closed {
        self.ended(lasted);
        let newcomer = !self.settled && !self.taken_over;
        if lasted >= SHORT {
            self.short = 0;
            return Closed::Lost;
        }
        self.short += 1;
        let patience = if newcomer {
            SHORT_IN_A_ROW_AT_FIRST
        } else {
            SHORT_IN_A_ROW
        };
        if self.short < patience {
            Closed::Suspicious
        } else {
            Closed::TakenOver
        }
    }

    /// Records that a connection ended in another way after `lasted`.
    pub(crate) fn lost(&mut self, lasted: Duration) {
        self.ended(lasted);
    }

    /// A session that has just begun stays new until its contest is over: on a busy machine the other client may take
    /// seconds to come back.
    fn ended(&mut self, lasted: Duration) {
        let in_contest = self.short > 0 && lasted < SHORT;
        self.settled |= lasted >= SETTLED && !in_contest;
    }

    /// Records that the broker refused a connection: it is restarting, so connections it closed before prove nothing.
    pub(crate) fn not_connected(&mut self) {
        self.short = 0;
    }

    /// Records that another client took the session over.
    pub(crate) fn taken_over(&mut self) {
        self.short = 0;
        self.taken_over = true;
    }

    /// Records that the session works.
    pub(crate) fn reset(&mut self) {
        self.short = 0;
        self.taken_over = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: Duration = Duration::ZERO;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// Seconds that connections lasted before the broker closed them, and what the last of them means.
    #[test]
    fn short_connections_in_a_row_are_a_takeover() {
        use Closed::{Lost, Suspicious, TakenOver};
        let table: &[(&str, &[f64], Closed)] = &[
            (
                "a session that has just begun insists",
                &[0.05; 11],
                Suspicious,
            ),
            ("but not without end", &[0.05; 12], TakenOver),
            (
                "also when the other takes seconds to come back",
                &[0.5, 4.3, 0.05, 0.05],
                Suspicious,
            ),
            ("a long connection is lost like any other", &[10.0], Lost),
            (
                "one that served counts to three",
                &[10.0, 0.05, 0.05],
                Suspicious,
            ),
            (
                "one that served stays away",
                &[10.0, 0.05, 0.05, 0.05],
                TakenOver,
            ),
            (
                "the other may need seconds to come back",
                &[10.0, 0.01, 1.2, 2.1],
                TakenOver,
            ),
            (
                "a second is enough to have served",
                &[1.0, 0.05, 0.05],
                TakenOver,
            ),
            (
                "a long one in between begins again",
                &[0.05, 5.0, 0.05, 0.05],
                Suspicious,
            ),
            (
                "and from then on it has served",
                &[0.05, 5.0, 0.05, 0.05, 0.05],
                TakenOver,
            ),
        ];
        for (what, lasted, expected) in table {
            let mut takeover = Takeover::default();
            let found = lasted
                .iter()
                .map(|lasted| takeover.closed(seconds(*lasted)));
            assert_eq!(found.last(), Some(*expected), "{what}");
        }
    }

    /// In a rolling update, the new worker would otherwise be the one to stay away: its first connection is
    /// short, while the old one's was long.
    #[test]
    fn of_two_that_close_each_other_the_old_one_stays_away() {
        let (mut old, mut new) = (Takeover::default(), Takeover::default());
        old.closed(seconds(10.0));
        for _ in 1..SHORT_IN_A_ROW {
            assert_eq!(new.closed(ZERO), Closed::Suspicious);
            assert_eq!(old.closed(ZERO), Closed::Suspicious);
        }
        assert_eq!(new.closed(ZERO), Closed::Suspicious);
        assert_eq!(old.closed(ZERO), Closed::TakenOver);
    }

    #[test]
    fn a_session_that_was_taken_over_once_does_not_insist_again() {
        let mut takeover = Takeover::default();
        takeover.taken_over();
        assert_eq!(takeover.closed(ZERO), Closed::Suspicious);
        assert_eq!(takeover.closed(ZERO), Closed::Suspicious);
        assert_eq!(takeover.closed(ZERO), Closed::TakenOver);
        takeover.reset();
        for _ in 1..SHORT_IN_A_ROW_AT_FIRST {
            assert_eq!(takeover.closed(ZERO), Closed::Suspicious, "it works again");
        }
    }

    /// Workers must not stay away from a broker that had a bad minute.
    #[test]
    fn a_broker_that_restarts_again_and_again_is_not_a_takeover() {
        let mut takeover = Takeover::default();
        takeover.lost(seconds(1.0));
        for _ in 0..10 {
            assert_eq!(takeover.closed(ZERO), Closed::Suspicious);
            takeover.not_connected();
        }
    }
}
