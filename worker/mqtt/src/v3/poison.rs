//! ADR 16: poison detection: finds the publication over which a broker closes the connection.
//!
//! An MQTT 3.1.1 broker cannot refuse a message. It closes the connection without a reason over one that is too
//! large or not allowed. Sent again with each connection, such a message would block all behind it forever. So after a
//! closed connection, publications are first sent one by one, and one that was alone in flight each time the broker
//! closed is refused.

/// Closed connections in a row over one publication alone that aren't a coincidence.
const CLOSES: u8 = 3;

/// See the module's description.
#[derive(Debug, Default)]
pub(crate) struct Poison {
    /// Maximum in flight; it grows with each one that is done. `None` is unbounded.
    window: Option<usize>,
    /// The smallest size over which the broker closed. From then on, publications of at least that size are sent alone,
    /// and refused at the first close.
    closed_at: Option<usize>,
    /// Whether one that has to be alone is in flight.
    alone: bool,
}

impl Poison {
    /// Begins a connection; `closed` is whether the broker closed the previous one with publications in flight.
    pub(crate) fn connected(&mut self, closed: bool) {
        self.window = closed.then_some(1);
        self.alone = false;
    }

    /// Whether a publication of `size` bytes may be sent while others are in flight.
    pub(crate) fn admits(&mut self, size: usize, in_flight: usize) -> bool {
        if in_flight == 0 {
            self.alone = self.closed_at.is_some_and(|limit| size >= limit);
            return true;
        }
        let large = self.closed_at.is_some_and(|limit| size >= limit);
        !self.alone && !large && self.window.is_none_or(|window| in_flight < window)
    }

    /// Records that the broker took a publication; `most` is the limit in flight without a suspicion.
    pub(crate) fn taken(&mut self, most: usize) {
        if std::mem::take(&mut self.alone) {
            // It takes publications of this size after all.
            self.closed_at = None;
        }
        self.window = self
            .window
            .map(|window| window + 1)
            .filter(|window| *window < most);
    }

    /// Whether a publication of `size` bytes over which the broker closed `closes` times is to be refused.
    pub(crate) fn refuses(&mut self, size: usize, closes: u8) -> bool {
        let known = self.closed_at.is_some_and(|limit| size >= limit);
        let refused = known || closes >= CLOSES;
        if refused {
            self.too_large(size);
        }
        refused
    }

    /// The broker does not take a publication of `size` bytes.
    pub(crate) fn too_large(&mut self, size: usize) {
        self.closed_at = Some(self.closed_at.map_or(size, |limit| limit.min(size)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_closed_connection_the_first_goes_alone_and_the_next_ones_by_and_by() {
        let mut poison = Poison::default();
        assert!(poison.admits(10, 500));
        poison.connected(true);
        assert!(poison.admits(10, 0));
        assert!(!poison.admits(10, 1));
        poison.taken(100);
        assert!(poison.admits(10, 1));
        assert!(!poison.admits(10, 2));
        for _ in 0..100 {
            poison.taken(100);
        }
        assert!(poison.admits(10, 99));
        poison.connected(false);
        assert!(poison.admits(10, 99));
    }

    #[test]
    fn a_size_that_was_refused_goes_alone_until_the_broker_takes_one() {
        let mut poison = Poison::default();
        assert!(!poison.refuses(1000, 2));
        assert!(poison.refuses(1000, 3));
        assert!(!poison.admits(1000, 1));
        assert!(poison.admits(999, 1));
        assert!(poison.admits(2000, 0));
        assert!(!poison.admits(1, 1), "a large one is in flight alone");
        assert!(poison.refuses(2000, 1), "the limit is known");
        poison.connected(false);
        assert!(poison.admits(1000, 0));
        poison.taken(100);
        assert!(poison.admits(1000, 1), "the broker has another limit now");
    }
}
