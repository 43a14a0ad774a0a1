//! Which message has which results.
//!
//! A message's time tells its number, so a result that holds it anywhere is known to be that message's. A model
//! that does not return it leaves only the order, in which results answer the oldest open message.

mod summary;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use matching::number_in;
use tokio::time::Instant;

use super::histogram::Histogram;
use super::to_f64;

pub use summary::{MatchedBy, Summary};

#[derive(Debug)]
struct Open {
    since: Instant,
    device: Arc<str>,
    /// Results that are still to come.
    left: u32,
}

/// What a result is to its message.
enum Taken {
    /// One of those that it waits for; since when, and its device.
    InTime(Instant, Arc<str>),
    /// A result that is no longer expected.
    Late,
    /// One more than there should be.
    Again,
}

#[derive(Debug)]
pub(super) struct Tally {
    started: Instant,
    /// Number of the first message, and of the first in `open`.
    first: u64,
    front: u64,
    /// Messages from `front` on; those that are done stand until all before them are.
    open: VecDeque<Open>,
    unanswered: u64,
    /// Messages before `front` that were given up.
    given_up: HashSet<u64>,
    /// The last message of each device that has a result.
    last: HashMap<Arc<str>, u64>,
    sent: u64,
    refused: u64,
    numbered: u64,
    unnumbered: u64,
    dead_lettered: u64,
    duplicates: u64,
    out_of_order: u64,
    others: u64,
    last_sent: Instant,
    last_result: Option<Instant>,
    times: Histogram,
}

impl Tally {
    /// `first` is the number of the first message.
    pub(super) fn new(started: Instant, first: u64) -> Self {
        Self {
            started,
            first,
            front: first,
            open: VecDeque::new(),
            unanswered: 0,
            given_up: HashSet::new(),
            last: HashMap::new(),
            sent: 0,
            refused: 0,
            numbered: 0,
            unnumbered: 0,
            dead_lettered: 0,
            duplicates: 0,
            out_of_order: 0,
            others: 0,
            last_sent: started,
            last_result: None,
            times: Histogram::default(),
        }
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Messages that wait for results.
    pub(super) fn open(&self) -> u64 {
        self.unanswered
    }

    pub(super) fn last_sent(&self) -> Instant {
        self.last_sent
    }

    pub(super) fn last_result(&self) -> Option<Instant> {
        self.last_result
    }

    pub(super) fn sent_one(&mut self, at: Instant, device: Arc<str>, results: u32) {
        self.open.push_back(Open {
            since: at,
            device,
            left: results,
        });
        self.unanswered += u64::from(results > 0);
        self.sent += 1;
        self.last_sent = self.last_sent.max(at);
        self.retire();
    }

    pub(super) fn refused(&mut self) {
        self.refused += 1;
    }

    /// Waits no longer for what is open.
    pub(super) fn give_up(&mut self) {
        for (number, open) in (self.front..).zip(self.open.drain(..)) {
            if open.left > 0 {
                self.given_up.insert(number);
            }
        }
        self.front = self.first + self.sent;
        self.unanswered = 0;
    }

    pub(super) fn result(&mut self, now: Instant, payload: &[u8]) {
        match number_in(payload, self.first..self.first + self.sent) {
            Some(number) => {
                self.numbered += 1;
                self.last_result = Some(now);
                self.answered(now, number);
            }
            None if self.numbered > 0 => self.others += 1,
            None => {
                self.unnumbered += 1;
                self.last_result = Some(now);
                let oldest = self.open.iter().position(|open| open.left > 0);
                match oldest {
                    Some(index) => self.answered(now, self.front + index as u64),
                    None => self.duplicates += 1,
                }
            }
        }
    }

    pub(super) fn dead_letter(&mut self, now: Instant, payload: &[u8]) {
        let numbers = self.first..self.first + self.sent;
        let Some(number) = number_in(payload, numbers) else {
            self.others += 1;
            return;
        };
        self.last_result = Some(now);
        match self.take_one(number) {
            Taken::InTime(..) | Taken::Late => self.dead_lettered += 1,
            Taken::Again => self.duplicates += 1,
        }
    }

    fn answered(&mut self, now: Instant, number: u64) {
        let (since, device) = match self.take_one(number) {
            Taken::InTime(since, device) => (since, device),
            Taken::Late => return,
            Taken::Again => {
                self.duplicates += 1;
                return;
            }
        };
        self.times.add(now.saturating_duration_since(since));
        let last = self.last.entry(device).or_insert(number);
        if *last > number {
            self.out_of_order += 1;
        }
        *last = number.max(*last);
    }

    /// Counts one result of a message.
    fn take_one(&mut self, number: u64) -> Taken {
        let Some(index) = number.checked_sub(self.front) else {
            let late = self.given_up.remove(&number);
            return if late { Taken::Late } else { Taken::Again };
        };
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let open = self.open.get_mut(index).filter(|open| open.left > 0);
        let Some(open) = open else {
            return Taken::Again;
        };
        open.left -= 1;
        self.unanswered -= u64::from(open.left == 0);
        let taken = Taken::InTime(open.since, open.device.clone());
        self.retire();
        taken
    }

    fn retire(&mut self) {
        while self.open.front().is_some_and(|open| open.left == 0) {
            self.open.pop_front();
            self.front += 1;
        }
    }

    pub(super) fn summary(&self) -> Summary {
        let results = self.numbered + self.unnumbered;
        let end = self.last_result.unwrap_or(self.started);
        let seconds = (end - self.started).as_secs_f64();
        Summary {
            sent: self.sent,
            refused: self.refused,
            results,
            dead_lettered: self.dead_lettered,
            missing: self.unanswered + self.given_up.len() as u64,
            duplicates: self.duplicates,
            out_of_order: self.out_of_order,
            others: self.others,
            matched_by: match (self.numbered, self.unnumbered) {
                (0, 0) => MatchedBy::Nothing,
                (0, _) => MatchedBy::Order,
                _ => MatchedBy::Number,
            },
            seconds,
            results_per_second: if seconds > 0.0 {
                to_f64(results) / seconds
            } else {
                0.0
            },
            p50_ms: self.times.quantile(0.5),
            p99_ms: self.times.quantile(0.99),
            p999_ms: self.times.quantile(0.999),
        }
    }
}

#[cfg(test)]
mod tests;
