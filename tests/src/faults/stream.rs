//! The bodies of lists and watches, line by line: held back, broken off or ended as a plan says.

use std::collections::VecDeque;
use std::io;

use bytes::{Bytes, BytesMut};
use futures_util::stream::unfold;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::BoxError;

use super::reads::Flow;
use super::state::State;
use super::{Answer, Call, Plan, Verb};

/// A body that goes through a plan.
pub(super) fn body<B>(plan: Plan, call: Call, body: B) -> UnsyncBoxBody<Bytes, BoxError>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let changes = plan.0.subscribe();
    let expirations = plan.0.borrow().expirations(&call.resource);
    let bookmarks = plan.0.borrow().bookmarks.len();
    let reader = Reader {
        plan,
        call,
        changes,
        expirations,
        bookmarks,
        body,
        rest: BytesMut::new(),
        lines: VecDeque::new(),
        cut: false,
        over: false,
    };
    let frames = unfold(reader, async |mut reader| {
        let item = reader.next().await?;
        Some((item.map(Frame::data), reader))
    });
    StreamBody::new(frames).boxed_unsync()
}

struct Reader<B> {
    plan: Plan,
    call: Call,
    changes: watch::Receiver<State>,
    expirations: u64,
    /// How many of the plan's bookmarks are behind it.
    bookmarks: usize,
    body: B,
    rest: BytesMut,
    lines: VecDeque<Bytes>,
    cut: bool,
    over: bool,
}

impl<B> Reader<B>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    async fn next(&mut self) -> Option<Result<Bytes, BoxError>> {
        if self.cut && !self.over {
            self.over = true;
            let error = io::Error::new(io::ErrorKind::UnexpectedEof, "broken off, as planned");
            return Some(Err(error.into()));
        }
        while !self.over {
            if self.call.verb == Verb::Watch && self.is_expired() {
                self.over = true;
                let status = Answer::EXPIRED.body(&self.call);
                let event = json!({"type": "ERROR", "object": status});
                return Some(Ok(Bytes::from(format!("{event}\n"))));
            }
            if let Some(bookmark) = self.bookmark() {
                return Some(Ok(bookmark));
            }
            if self.may_pass()
                && let Some(line) = self.lines.pop_front()
            {
                return Some(Ok(self.perhaps_cut(line)));
            }
            // What is held back waits in the connection, but for a line that has been read.
            let held = !self.lines.is_empty() || self.changes.borrow().crashed;
            tokio::select! {
                changed = self.changes.changed() => changed.ok()?,
                frame = self.body.frame(), if !held => match frame {
                    Some(Ok(frame)) => self.take(&frame.into_data().unwrap_or_default()),
                    Some(Err(error)) => return Some(Err(error.into())),
                    None if self.rest.is_empty() => return None,
                    None => self.lines.push_back(self.rest.split().freeze()),
                },
            }
        }
        None
    }

    fn take(&mut self, data: &[u8]) {
        self.rest.extend_from_slice(data);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            self.lines.push_back(self.rest.split_to(end + 1).freeze());
        }
    }

    /// The next bookmark that is planned for it.
    fn bookmark(&mut self) -> Option<Bytes> {
        let state = self.changes.borrow();
        let (of, version) = state.bookmarks.get(self.bookmarks)?.clone();
        self.bookmarks += 1;
        drop(state);
        if self.call.verb != Verb::Watch || of != self.call.resource {
            return self.bookmark();
        }
        let metadata = json!({"resourceVersion": version.to_string()});
        let object = json!({"apiVersion": "v1", "kind": "Bookmark", "metadata": metadata});
        let event = json!({"type": "BOOKMARK", "object": object});
        Some(Bytes::from(format!("{event}\n")))
    }

    fn is_expired(&self) -> bool {
        self.changes.borrow().expirations(&self.call.resource) != self.expirations
    }

    /// Lists are not held: a paused watch is one that does not hear, and lists as of a frozen version are
    /// asked for as such.
    fn may_pass(&self) -> bool {
        let state = self.changes.borrow();
        if state.crashed {
            return false;
        }
        match state.flow(&self.call.resource) {
            _ if self.call.verb == Verb::List => true,
            Flow::Open => true,
            Flow::Paused => false,
            Flow::Frozen(at) => {
                let line = self.lines.front();
                line.and_then(|line| version(line))
                    .is_none_or(|version| version <= at)
            }
        }
    }

    /// Of a line that is to be broken off, the half.
    fn perhaps_cut(&mut self, mut line: Bytes) -> Bytes {
        let mut cut = false;
        self.plan.0.send_if_modified(|state| {
            cut = state.take_cut(&self.call);
            cut
        });
        if cut {
            self.cut = true;
            line.truncate(line.len() / 2);
        }
        line
    }
}

fn version(event: &[u8]) -> Option<u64> {
    let event: Value = serde_json::from_slice(event).ok()?;
    let version = &event["object"]["metadata"]["resourceVersion"];
    version.as_str()?.parse().ok()
}
