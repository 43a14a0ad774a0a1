//! What a plan knows.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::reads::Flow;
use super::{Access, Answer, Call, Verb, Write, WriteFault};

#[derive(Debug)]
pub(super) struct State {
    pub(super) counts: fn(&Call) -> bool,
    pub(super) faults: BTreeMap<usize, WriteFault>,
    pub(super) writes: Vec<Write>,
    /// With the number of calls.
    pub(super) accesses: BTreeMap<Access, usize>,
    pub(super) forbidden: Vec<Call>,
    pub(super) crashed: bool,
    pub(super) latency: Duration,
    pub(super) refusals: Vec<(Verb, String, Answer)>,
    pub(super) flows: HashMap<String, Flow>,
    /// How often the watches of a resource were told that they are too old.
    pub(super) expired: HashMap<String, u64>,
    pub(super) cuts: Vec<(Verb, String)>,
    /// Of which resource, and at which version; those of before a watch are not its own.
    pub(super) bookmarks: Vec<(String, u64)>,
    pub(super) whole_lists: Vec<Call>,
}

impl State {
    pub(super) fn new(counts: fn(&Call) -> bool) -> Self {
        Self {
            counts,
            faults: BTreeMap::new(),
            writes: Vec::new(),
            accesses: BTreeMap::new(),
            forbidden: Vec::new(),
            crashed: false,
            latency: Duration::ZERO,
            refusals: Vec::new(),
            flows: HashMap::new(),
            expired: HashMap::new(),
            cuts: Vec::new(),
            bookmarks: Vec::new(),
            whole_lists: Vec::new(),
        }
    }

    /// Counts a write if it is one that counts, and gives its place and what is to happen to it.
    pub(super) fn enter(&mut self, call: &Call) -> Option<(usize, Option<WriteFault>)> {
        if !call.verb.writes() || !(self.counts)(call) {
            return None;
        }
        let fault = self.faults.get(&(self.writes.len() + 1)).copied();
        self.writes.push(Write {
            call: call.clone(),
            fault,
            answered: None,
        });
        Some((self.writes.len() - 1, fault))
    }

    pub(super) fn refusal(&self, call: &Call) -> Option<Answer> {
        let mut refusals = self.refusals.iter().rev();
        let found = refusals.find(|(verb, resource, _)| call.is(*verb, resource));
        found.map(|(_, _, answer)| *answer)
    }

    pub(super) fn flow(&self, resource: &str) -> Flow {
        self.flows.get(resource).copied().unwrap_or_default()
    }

    pub(super) fn expirations(&self, resource: &str) -> u64 {
        self.expired.get(resource).copied().unwrap_or_default()
    }

    /// Takes a planned cut, once.
    pub(super) fn take_cut(&mut self, call: &Call) -> bool {
        let found = self
            .cuts
            .iter()
            .position(|(verb, resource)| call.is(*verb, resource));
        found.map(|place| self.cuts.remove(place)).is_some()
    }
}
