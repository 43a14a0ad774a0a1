//! What an operator under test logs as an error (O5): of each alone, though many run in one process.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Span, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// The HTTP client's own lines tell of each call that failed, which is what faults are for.
const CLIENT: &str = "kube_client";

/// The lines of one operator.
#[derive(Debug, Clone, Default)]
pub(super) struct Errors(Arc<Mutex<Vec<String>>>);

impl Errors {
    /// Within this span, and in what it starts with its span, errors are kept here.
    pub(super) fn span(&self) -> Span {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            let recorder = Recorder.with_filter(LevelFilter::ERROR);
            // Fails only when a test has installed a subscriber; then nothing is recorded, and the test below fails.
            let _ = tracing::subscriber::set_global_default(Registry::default().with(recorder));
        });
        let span = tracing::error_span!("operator");
        span.with_subscriber(|(id, dispatch)| {
            let registry = dispatch.downcast_ref::<Registry>();
            if let Some(span) = registry.and_then(|registry| registry.span(id)) {
                span.extensions_mut().insert(self.clone());
            }
        });
        span
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clone()
    }
}

struct Recorder;

impl<S> Layer<S> for Recorder
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let target = event.metadata().target();
        if target.starts_with(CLIENT) {
            return;
        }
        let mut line = Line(target.to_owned());
        event.record(&mut line);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(Errors(lines)) = span.extensions().get() {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                lines.push(line.0.clone());
            }
        }
    }
}

/// An event as text.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, " {field}={value:?}");
    }
}

#[cfg(test)]
mod tests {
    use tracing::Instrument as _;

    use super::*;

    #[tokio::test]
    async fn each_operator_has_its_own_errors_and_those_of_its_tasks() {
        let (mine, other) = (Errors::default(), Errors::default());
        let (inner, outer) = (mine.span(), other.span());
        let task = async {
            tracing::warn!("not an error");
            let child = async { tracing::error!(number = 7, "broken") };
            tokio::spawn(child.in_current_span()).await
        };
        task.instrument(inner).await.expect("no panic");
        async { tracing::error!(target: "kube_client::client", "503") }
            .instrument(outer)
            .await;
        let expected = format!("{} message=broken number=7", module_path!());
        assert_eq!(mine.lines(), [expected]);
        assert_eq!(other.lines(), Vec::<String>::new());
    }
}
