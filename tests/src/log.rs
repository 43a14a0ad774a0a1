//! What the code under test logs, on the thread of a test.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::{Layer, Registry};

/// One event: its level and its fields, the message among them.
#[derive(Debug, Clone)]
pub struct Line {
    /// Such as `ERROR`.
    pub level: String,
    /// By name, as text.
    pub fields: BTreeMap<String, String>,
}

impl Line {
    /// A field, empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// Everything that is logged on this thread until it is dropped.
#[derive(Debug)]
pub struct Log {
    lines: Arc<Mutex<Vec<Line>>>,
    _guard: DefaultGuard,
}

impl Log {
    /// Begins to record.
    #[expect(clippy::new_without_default, reason = "it changes the thread")]
    pub fn new() -> Self {
        let lines = Arc::default();
        let subscriber = Registry::default().with(Recorder(Arc::clone(&lines)));
        Self {
            lines,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// What was logged so far.
    pub fn lines(&self) -> Vec<Line> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clone()
    }
}

struct Recorder(Arc<Mutex<Vec<Line>>>);

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line {
            level: event.metadata().level().to_string(),
            fields: BTreeMap::new(),
        };
        event.record(&mut line);
        let lines = self.0.lock();
        lines.unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        let (name, value) = (field.name().to_owned(), value.to_owned());
        self.fields.insert(name, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let (name, value) = (field.name().to_owned(), format!("{value:?}"));
        self.fields.insert(name, value);
    }
}
