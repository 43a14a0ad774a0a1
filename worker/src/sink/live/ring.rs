//! The last results, for readers that come and go: bounded in number and in bytes, and shared by all readers.

use std::collections::VecDeque;

use bytes::Bytes;

/// Results that are kept for a slow reader, and their bytes.
const RESULTS: usize = 1024;
const BYTES: usize = 4 << 20;

/// Largest result that is streamed: each reader may hold one that is kept no more.
pub(super) const LARGEST: usize = 1 << 20;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Ring {
    results: VecDeque<Bytes>,
    bytes: usize,
    /// Number of the oldest that is kept; they count up.
    first: u64,
}

/// What a reader finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The next result, after so many that it missed.
    Result(Bytes, u64),
    /// It has all there are.
    Nothing,
}

impl Ring {
    /// The number of the next result.
    pub(super) fn end(&self) -> u64 {
        self.first + self.results.len() as u64
    }

    /// Keeps a result, and forgets the oldest if need be. One that is too large counts as missed.
    pub(super) fn push(&mut self, result: Bytes) {
        let result = if result.len() > LARGEST {
            Bytes::new()
        } else {
            result
        };
        self.bytes += result.len();
        self.results.push_back(result);
        while self.results.len() > RESULTS || self.bytes > BYTES {
            if let Some(oldest) = self.results.pop_front() {
                self.bytes -= oldest.len();
                self.first += 1;
            }
        }
    }

    /// What comes next for the reader at `position`, which moves on.
    pub(super) fn next(&self, position: &mut u64) -> Next {
        let mut missed = self.first.saturating_sub(*position);
        *position += missed;
        loop {
            let index = usize::try_from(*position - self.first).unwrap_or(usize::MAX);
            match self.results.get(index) {
                Some(result) => {
                    *position += 1;
                    if !result.is_empty() {
                        return Next::Result(result.clone(), missed);
                    }
                    missed += 1;
                }
                None if missed > 0 => return Next::Result(Bytes::new(), missed),
                None => return Next::Nothing,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sized(size: usize) -> Bytes {
        vec![b'x'; size].into()
    }

    #[test]
    fn row_8_what_is_kept_is_bounded_in_bytes_and_number() {
        let mut ring = Ring::default();
        for _ in 0..100 {
            ring.push(sized(LARGEST));
        }
        assert_eq!((ring.bytes, ring.results.len()), (BYTES, BYTES / LARGEST));
        for _ in 0..5000 {
            ring.push(sized(1));
        }
        assert_eq!((ring.bytes, ring.results.len()), (RESULTS, RESULTS));
        assert_eq!(ring.end(), 5100);
    }

    #[test]
    fn a_reader_gets_each_result_once_and_hears_how_many_it_missed() {
        let mut ring = Ring::default();
        let mut position = ring.end();
        assert_eq!(ring.next(&mut position), Next::Nothing);
        ring.push(sized(1));
        ring.push(sized(2));
        assert_eq!(ring.next(&mut position), Next::Result(sized(1), 0));
        assert_eq!(ring.next(&mut position), Next::Result(sized(2), 0));
        assert_eq!(ring.next(&mut position), Next::Nothing);
        for _ in 0..RESULTS + 3 {
            ring.push(sized(3));
        }
        assert_eq!(ring.next(&mut position), Next::Result(sized(3), 3));
        assert_eq!(ring.next(&mut position), Next::Result(sized(3), 0));
    }

    #[test]
    fn row_8_a_result_that_is_too_large_is_missed_by_all() {
        let mut ring = Ring::default();
        let mut position = 0;
        ring.push(sized(LARGEST + 1));
        assert_eq!(ring.next(&mut position), Next::Result(Bytes::new(), 1));
        assert_eq!(ring.next(&mut position), Next::Nothing);
        ring.push(sized(LARGEST + 1));
        ring.push(sized(1));
        assert_eq!(ring.next(&mut position), Next::Result(sized(1), 1));
    }
}
