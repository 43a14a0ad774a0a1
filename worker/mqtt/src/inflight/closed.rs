//! Which publication is to blame when the broker closes the connection without a word.

use super::Inflight;
use crate::Refused;

/// Over what the broker closed the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// Nothing was in flight, or more than one publication, or the broker has not seen it.
    Unclear,
    /// The only publication in flight, which is sent again.
    Only,
    /// The same, and it is refused, since the broker does this again and again.
    Refused,
}

impl Inflight {
    /// The broker closed the connection without a word.
    pub(crate) fn closed_by_broker(&mut self) -> Blame {
        self.closed = self.count() > 0;
        let written = self.written;
        let unwritten = self.unwritten.iter_mut().map(|(_, flight)| flight);
        let mut flights = self.sent.values_mut().chain(unwritten);
        let (Some(only), None) = (flights.next(), flights.next()) else {
            return Blame::Unclear;
        };
        if only.received || only.start >= written {
            return Blame::Unclear;
        }
        only.closes += 1;
        let (token, size, closes) = (only.token, only.size, only.closes);
        if !self.poison.refuses(size, closes) {
            return Blame::Only;
        }
        self.sent.clear();
        self.unwritten.clear();
        self.done.push((token, Err(Refused::ByClosing { size })));
        Blame::Refused
    }

    /// The broker is away: what it did before, it may have done as it went.
    pub(crate) fn not_connected(&mut self) {
        let unwritten = self.unwritten.iter_mut().map(|(_, flight)| flight);
        let flights = self.sent.values_mut().chain(unwritten);
        for flight in flights.chain(&mut self.waiting) {
            flight.closes = 0;
        }
    }
}
