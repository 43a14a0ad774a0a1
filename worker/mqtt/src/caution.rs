//! Finds the publication over which a broker closes the connection.
//!
//! A broker of MQTT 3.1.1 cannot refuse a message: one that is larger than it takes, or not allowed, makes
//! it close the connection without a word. Sent again with each connection, such a message would hold back
//! all behind it for ever. So after a closed connection publications go out one by one at first, and one
//! that was alone on its way each time the broker closed is refused.

/// So many closed connections in a row over one publication alone are no chance.
const CLOSES: u8 = 3;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Caution {
    /// Most on their way at once; it grows with each one that is done. `None` is no bound.
    window: Option<usize>,
    /// The smallest size over which the broker closed: as large ones go alone from then on, and are refused
    /// at once.
    closed_at: Option<usize>,
    /// Whether one that has to be alone is on its way.
    alone: bool,
}

impl Caution {
    /// A connection begins; `closed` is whether the broker had closed the one before with publications on
    /// their way.
    pub(super) fn connected(&mut self, closed: bool) {
        self.window = closed.then_some(1);
        self.alone = false;
    }

    /// Whether a publication of `size` bytes may go out while others are on their way.
    pub(super) fn admits(&mut self, size: usize, on_the_way: usize) -> bool {
        if on_the_way == 0 {
            self.alone = self.closed_at.is_some_and(|limit| size >= limit);
            return true;
        }
        let large = self.closed_at.is_some_and(|limit| size >= limit);
        !self.alone && !large && self.window.is_none_or(|window| on_the_way < window)
    }

    /// The broker took a publication; `most` is how many may be on their way in good times.
    pub(super) fn taken(&mut self, most: usize) {
        if std::mem::take(&mut self.alone) {
            // It takes as large ones after all.
            self.closed_at = None;
        }
        self.window = self
            .window
            .map(|window| window + 1)
            .filter(|window| *window < most);
    }

    /// Whether a publication of `size` bytes over which the broker closed `closes` times is to be refused.
    pub(super) fn refuses(&mut self, size: usize, closes: u8) -> bool {
        let known = self.closed_at.is_some_and(|limit| size >= limit);
        let refused = known || closes >= CLOSES;
        if refused {
            self.closed_at = Some(self.closed_at.map_or(size, |limit| limit.min(size)));
        }
        refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_closed_connection_the_first_goes_alone_and_the_next_ones_by_and_by() {
        let mut caution = Caution::default();
        assert!(caution.admits(10, 500));
        caution.connected(true);
        assert!(caution.admits(10, 0));
        assert!(!caution.admits(10, 1));
        caution.taken(100);
        assert!(caution.admits(10, 1));
        assert!(!caution.admits(10, 2));
        for _ in 0..100 {
            caution.taken(100);
        }
        assert!(caution.admits(10, 99));
        caution.connected(false);
        assert!(caution.admits(10, 99));
    }

    #[test]
    fn a_size_that_was_refused_goes_alone_until_the_broker_takes_one() {
        let mut caution = Caution::default();
        assert!(!caution.refuses(1000, 2));
        assert!(caution.refuses(1000, 3));
        assert!(!caution.admits(1000, 1));
        assert!(caution.admits(999, 1));
        assert!(caution.admits(2000, 0));
        assert!(!caution.admits(1, 1), "a large one is on its way alone");
        assert!(caution.refuses(2000, 1), "the limit is known");
        caution.connected(false);
        assert!(caution.admits(1000, 0));
        caution.taken(100);
        assert!(caution.admits(1000, 1), "the broker has another limit now");
    }
}
