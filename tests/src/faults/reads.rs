//! What happens to lists and watches of a resource.

use super::{Call, Plan, Verb};

/// How the events of a resource come through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Flow {
    #[default]
    Open,
    Paused,
    /// As if the server had stopped at a revision.
    Frozen(u64),
}

impl Plan {
    /// Holds back the events of all watches of a resource. To deliver those of one before those of
    /// another (F9), pause one until the other has come.
    pub fn pause(&self, resource: &str) {
        self.flow(resource, Flow::Paused);
    }

    /// Makes lists and watches of a resource stale: they show it as it was at a resource version, until
    /// [`resume`](Self::resume) (F8). Reads of a single object are not stale, as in an API server. A list
    /// that is streamed as a watch (`sendInitialEvents`) is held back instead.
    pub fn freeze(&self, resource: &str, resource_version: u64) {
        self.flow(resource, Flow::Frozen(resource_version));
    }

    /// Lets the events of a resource through again.
    pub fn resume(&self, resource: &str) {
        self.flow(resource, Flow::Open);
    }

    /// Puts a bookmark into the watches of a resource, as the API server does once a minute: nothing has happened up to
    /// this version.
    pub fn bookmark(&self, resource: &str, resource_version: u64) {
        let of = resource.to_owned();
        self.0
            .send_modify(|state| state.bookmarks.push((of, resource_version)));
    }

    /// The lists that were asked for whole: neither in pages nor by labels.
    pub fn whole_lists(&self) -> Vec<Call> {
        self.0.borrow().whole_lists.clone()
    }

    /// Ends the watches of a resource as too old: 410, in the stream, as after a compaction. What was
    /// held back is lost with them, and the resource is not paused any more (F6).
    pub fn expire(&self, resource: &str) {
        self.0.send_modify(|state| {
            *state.expired.entry(resource.to_owned()).or_default() += 1;
            state.flows.remove(resource);
        });
    }

    /// Breaks off the connection in the middle of the next event of a watch, or of the next list, of a
    /// resource (F7).
    pub fn cut(&self, verb: Verb, resource: &str) {
        self.0
            .send_modify(|state| state.cuts.push((verb, resource.to_owned())));
    }

    /// Whether a planned cut is still to come.
    pub fn cut_pending(&self) -> bool {
        !self.0.borrow().cuts.is_empty()
    }

    fn flow(&self, resource: &str, flow: Flow) {
        self.0.send_modify(|state| {
            state.flows.insert(resource.to_owned(), flow);
        });
    }
}
