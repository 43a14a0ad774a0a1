//! Unacknowledged publications, found by token without a map: tokens are consecutive, so a token's index is its distance
//! from the first.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// See the module's description.
#[derive(Debug)]
pub(super) struct Pending<T> {
    /// Oldest first; `None` for one that is done while an older one is not.
    items: VecDeque<Option<(T, Instant)>>,
    /// The token of the first.
    first: u64,
    open: usize,
    /// The first token that is still in time.
    in_time: u64,
}

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self {
            items: VecDeque::new(),
            first: 0,
            open: 0,
            in_time: 0,
        }
    }
}

impl<T> Pending<T> {
    /// Adds a publication that begins `now`, and returns its token.
    pub(super) fn add(&mut self, item: T, now: Instant) -> u64 {
        self.items.push_back(Some((item, now)));
        self.open += 1;
        self.first + self.items.len() as u64 - 1
    }

    /// Removes the publication with this token, if present.
    pub(super) fn take(&mut self, token: u64) -> Option<T> {
        let index = usize::try_from(token.checked_sub(self.first)?).ok()?;
        let taken = self.items.get_mut(index)?.take();
        self.open -= usize::from(taken.is_some());
        while let Some(None) = self.items.front() {
            self.items.pop_front();
            self.first += 1;
        }
        taken.map(|(item, _)| item)
    }

    /// Whether it is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.open == 0
    }

    /// How many have become late by `now` since the last call, and when the next one will.
    pub(super) fn late(&mut self, timeout: Duration, now: Instant) -> (u64, Option<Instant>) {
        let mut late = 0;
        loop {
            match self.deadline(timeout) {
                Some(deadline) if deadline <= now => {
                    self.in_time += 1;
                    late += 1;
                }
                next => return (late, next),
            }
        }
    }

    /// When the oldest that is still in time will be late.
    fn deadline(&mut self, timeout: Duration) -> Option<Instant> {
        self.in_time = self.in_time.max(self.first);
        loop {
            let index = usize::try_from(self.in_time - self.first).ok()?;
            match self.items.get(index)? {
                Some((_, since)) => return Some(*since + timeout),
                None => self.in_time += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_taken_once_and_in_any_order() {
        let mut pending = Pending::default();
        let now = Instant::now();
        let tokens = ['a', 'b', 'c'].map(|item| pending.add(item, now));
        assert_eq!(tokens, [0, 1, 2]);
        assert_eq!(pending.take(1), Some('b'));
        assert_eq!(pending.take(1), None);
        assert_eq!(pending.take(0), Some('a'));
        assert_eq!(pending.take(0), None, "already removed");
        assert_eq!(pending.add('d', now), 3);
        assert_eq!(pending.take(9), None, "never added");
        assert!(!pending.is_empty());
        assert_eq!((pending.take(3), pending.take(2)), (Some('d'), Some('c')));
        assert!(pending.is_empty());
    }

    #[test]
    fn each_is_late_once() {
        let mut pending = Pending::default();
        let start = Instant::now();
        let second = Duration::from_secs(1);
        for (item, after) in [('a', 0), ('b', 1), ('c', 2)] {
            pending.add(item, start + after * second);
        }
        let timeout = 2 * second;
        assert_eq!(pending.late(timeout, start), (0, Some(start + timeout)));
        // One that is done is never late.
        pending.take(0);
        assert_eq!(
            pending.late(timeout, start + 3 * second),
            (1, Some(start + 4 * second))
        );
        assert_eq!(
            pending.late(timeout, start + 3 * second),
            (0, Some(start + 4 * second))
        );
        assert_eq!(pending.late(timeout, start + 9 * second), (1, None));
        assert_eq!(pending.take(2), Some('c'), "a late one is still pending");
    }
}
