//! Which publication is to blame when the broker ends the connection.

use super::Inflight;
use crate::Refused;
use crate::packet::{Code, Fault};

/// What the broker said as it ended the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Said<'a> {
    /// Nothing, as in MQTT 3.1.1.
    Nothing,
    /// A reason code of MQTT 5, and the reason in words.
    Code(Code, &'a str),
}

/// The publication over which the broker closed the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// Nothing was in flight, or more than one publication, or the broker has not seen it.
    Unclear,
    /// The only publication in flight, which is sent again, perhaps in a form that the broker takes.
    Only,
    /// The same, but it is refused: the broker says so, or keeps closing the connection over it.
    Refused,
}

impl Inflight {
    /// The broker ended the connection over something that it got.
    pub(crate) fn closed_by_broker(&mut self, said: Said<'_>) -> Blame {
        self.closed = self.count() > 0;
        match said {
            // Both are about what every publication has, so they are sent again without.
            Said::Code(Code::RETAIN_NOT_SUPPORTED, _) => {
                self.learned.no_retain();
                return Blame::Only;
            }
            Said::Code(Code::QOS_NOT_SUPPORTED, _) => {
                self.learned.step_down();
                return Blame::Only;
            }
            _ => {}
        }
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
        let refused = match said {
            Said::Code(Code::PACKET_TOO_LARGE, reason) => {
                self.poison.too_large(size);
                Some(Refused::ByBroker(reason.to_owned()))
            }
            Said::Code(code, reason) => (code.fault() == Fault::Publication
                || self.poison.refuses(size, closes))
            .then(|| Refused::ByBroker(reason.to_owned())),
            Said::Nothing => self
                .poison
                .refuses(size, closes)
                .then_some(Refused::ByClosing { size }),
        };
        let Some(refused) = refused else {
            return Blame::Only;
        };
        self.sent.clear();
        self.unwritten.clear();
        self.done.push((token, Err(refused)));
        Blame::Refused
    }

    /// The broker is down: it may have closed earlier connections as it stopped.
    pub(crate) fn not_connected(&mut self) {
        let unwritten = self.unwritten.iter_mut().map(|(_, flight)| flight);
        let flights = self.sent.values_mut().chain(unwritten);
        for flight in flights.chain(&mut self.waiting) {
            flight.closes = 0;
        }
    }
}
