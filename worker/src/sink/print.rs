//! Stdout as a sink, for `run --try`: each result and dead letter with the topic that it would go to.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::sync::Arc;

use crds::validated::Template;
use message::Queue;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::live::with_line;
use super::{Receipt, Sink, enqueue};
use crate::outbound::{Kind, OutboundResult};
use crate::route::{QUEUE_BYTES, Route};

/// Most results that are printed at once.
const BATCH: usize = 64;

/// Most bytes that are printed at once, unless one result has more.
const BATCH_BYTES: usize = 1 << 20;

/// See the module's description.
#[derive(Debug)]
pub(super) struct PrintSink {
    queue: Arc<Queue<OutboundResult>>,
    stdout: Stdout,
}

impl PrintSink {
    /// The sink of one rule and model.
    pub(super) fn new(route: Route<'_>, stdout: Stdout) -> Self {
        let capacity = route.model().post_queue_size;
        Self {
            queue: Arc::new(Queue::new(capacity, QUEUE_BYTES)),
            stdout,
        }
    }
}

impl Sink for PrintSink {
    fn accept(&self, result: &OutboundResult) -> Receipt {
        enqueue(&self.queue, result)
    }

    fn queue(&self) -> Option<&Arc<Queue<OutboundResult>>> {
        Some(&self.queue)
    }

    fn start(&self, route: Route<'_>, tasks: &mut JoinSet<()>) {
        let rule = route.rule();
        let topics = Topics {
            result: rule.pub_topic.clone(),
            dead_letter: rule.dead_letter_topic.clone(),
        };
        tasks.spawn(print(self.queue.clone(), topics, self.stdout.clone()));
    }
}

/// Prints until the queue is closed and empty.
async fn print(queue: Arc<Queue<OutboundResult>>, topics: Topics, stdout: Stdout) {
    let mut batch = VecDeque::new();
    while queue.readable().await {
        queue.pop_into(&mut batch, BATCH, BATCH_BYTES);
        let mut lines = Vec::new();
        for result in &batch {
            topics.write_line(result, &mut lines);
        }
        stdout.write(lines).await;
        batch.drain(..).for_each(OutboundResult::confirm);
    }
}

/// The topics of one rule.
#[derive(Debug)]
struct Topics {
    result: Template,
    dead_letter: Option<Template>,
}

impl Topics {
    fn write_line(&self, result: &OutboundResult, lines: &mut Vec<u8>) {
        let template = match result.kind() {
            Kind::Result => Some(&self.result),
            Kind::DeadLetter => self.dead_letter.as_ref(),
        };
        match template.map(|template| template.render(result.values())) {
            Some(Ok(topic)) => lines.extend_from_slice(topic.as_bytes()),
            Some(Err(error)) => lines.extend_from_slice(format!("({error})").as_bytes()),
            // Without a topic for them, there are no dead letters.
            None => {}
        }
        lines.push(b' ');
        with_line(result.payload(), |payload| lines.extend_from_slice(payload));
        lines.push(b'\n');
    }
}

/// The process's stdout, which a reader may hold up or close.
#[derive(Debug, Clone)]
pub struct Stdout {
    /// Runs writes, since one that waits for a reader must hold up neither the data thread nor the end of the process.
    side: Handle,
    closed: Arc<Notify>,
}

impl Stdout {
    /// Written to on threads of this runtime.
    pub fn new(side: &Handle) -> Self {
        Self {
            side: side.clone(),
            closed: Arc::default(),
        }
    }

    /// Waits until a write has failed.
    pub async fn closed(&self) {
        self.closed.notified().await;
    }

    async fn write(&self, lines: Vec<u8>) {
        let write = move || {
            let mut stdout = io::stdout().lock();
            stdout.write_all(&lines)?;
            stdout.flush()
        };
        // An outer error means that the side runtime has ended, and the process is about to.
        if let Ok(Err(error)) = self.side.spawn_blocking(write).await {
            tracing::debug!(%error, "Unable to print results");
            self.closed.notify_one();
        }
    }
}
