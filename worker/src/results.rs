//! The results stage: turns outcomes into results and dead letters, and offers them to the sinks of their rule.

mod accounts;
mod dead_letter;
mod set_aside;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _};
use message::{Failure, Job, Message, Outcome, Settled};

use crate::outbound::{Account as _, Origin, OutboundResult};
use crate::sink::{Receipt, Sink};

pub use accounts::Accounts;

/// Takes the outcomes of one model.
#[derive(Debug)]
pub struct Results {
    accounts: Arc<Accounts>,
    /// The sinks of each rule.
    sinks: Vec<Arc<[Arc<dyn Sink>]>>,
}

impl Results {
    /// Results of a model for these sinks, by rule.
    pub fn new(accounts: Accounts, sinks: Vec<Vec<Arc<dyn Sink>>>) -> Self {
        Self {
            accounts: Arc::new(accounts),
            sinks: sinks.into_iter().map(Arc::from).collect(),
        }
    }

    /// The sinks of one rule.
    pub fn sinks_of(&self, rule: usize) -> &[Arc<dyn Sink>] {
        &self.sinks[rule]
    }

    /// The sinks of all rules; a shared one occurs once for each.
    pub fn sinks(&self) -> impl Iterator<Item = &Arc<dyn Sink>> {
        self.sinks.iter().flat_map(|sinks| sinks.iter())
    }

    /// Settles a message without a result.
    pub fn settle(&self, message: Message, settled: Settled) {
        self.accounts.settle(message, settled);
    }

    /// Ends a message of `device` that cannot be decoded. Waits while a sink of dead letters is full.
    pub async fn reject(&self, message: Message, device: Arc<str>, failure: &Failure) {
        let origin = Origin { message, device };
        let letter = self.accounts.fail(origin, failure);
        if let Some(room) = letter.and_then(|letter| self.offer(letter)) {
            room.await;
        }
    }

    /// Ends a message that the worker died over. Where its rule has no dead letters, it is kept in a file of `folder`.
    pub async fn set_aside(&self, message: Message, failure: &Failure, folder: Option<PathBuf>) {
        let device = Arc::default();
        let origin = Origin { message, device };
        if let Some(folder) = folder
            && !self.accounts.has_dead_letters(&origin)
        {
            let letter = self.accounts.letter(&origin, failure);
            let written = tokio::task::spawn_blocking(move || set_aside::write(&folder, &letter));
            match written.await.unwrap_or_else(|error| Err(error.into())) {
                Ok(file) => tracing::warn!(file = %file.display(), "Message set aside"),
                Err(error) => tracing::error!(%error, "Failed to set a message aside"),
            }
        }
        let letter = self.accounts.fail(origin, failure);
        if let Some(room) = letter.and_then(|letter| self.offer(letter)) {
            room.await;
        }
    }

    /// Ends a message that is in a loop. It gets no dead letter, since that could loop too.
    pub fn cut(&self, message: Message, hops: u8) {
        self.accounts.cut(message, hops);
    }

    /// Offers a result to each sink of its rule. A sink that must confirm holds it; the message is settled when all of
    /// them have confirmed. A future when a sink is full.
    fn offer(&self, result: OutboundResult) -> Option<BoxFuture<'static, ()>> {
        let sinks = &self.sinks[result.rule()];
        for (index, sink) in sinks.iter().enumerate() {
            match sink.accept(&result) {
                Receipt::Taken => {}
                Receipt::Full => return Some(offer_from(sinks.clone(), index, result).boxed()),
                Receipt::Ended => {
                    dropped(sink);
                    return None;
                }
            }
        }
        result.confirm();
        None
    }
}

/// Offers a result to the sinks from `first` on, which is full, and waits for room.
async fn offer_from(sinks: Arc<[Arc<dyn Sink>]>, first: usize, result: OutboundResult) {
    sinks[first].room(result.size()).await;
    for sink in &sinks[first..] {
        loop {
            match sink.accept(&result) {
                Receipt::Taken => break,
                Receipt::Full => sink.room(result.size()).await,
                Receipt::Ended => {
                    dropped(sink);
                    return;
                }
            }
        }
    }
    result.confirm();
}

/// The worker is stopping: the message stays unacknowledged, and its source delivers it again.
fn dropped(sink: &Arc<dyn Sink>) {
    tracing::debug!(?sink, "Result dropped at shutdown");
}

impl hosts::Outcomes for Results {
    fn finish(&self, job: Job, outcome: Outcome) -> Option<BoxFuture<'static, ()>> {
        let (message, device) = job.into_message();
        let origin = Origin { message, device };
        let result = match outcome {
            Outcome::Empty => {
                self.accounts.show(&origin, None);
                self.settle(origin.message, Settled::Empty);
                return None;
            }
            Outcome::Result(payload) => {
                self.accounts.show(&origin, Some(&payload));
                Some(self.accounts.result(origin, payload))
            }
            Outcome::Failed(failure) => self.accounts.fail(origin, &failure),
        };
        self.offer(result?)
    }
}

#[cfg(test)]
mod tests;
