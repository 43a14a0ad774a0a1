//! The status page for browsers: the state of each model, with links to the rest.

use std::fmt::Write as _;

use message::Settled;

use crate::status::{ModelState, ModelView, Shared};

const HEAD: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
<meta http-equiv=\"refresh\" content=\"5\"><title>edgemodel</title>\
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;\
border-bottom:1px solid #8884}td.n{text-align:right;font-variant-numeric:tabular-nums}</style>\n";

/// Renders it.
pub(super) fn render(shared: &Shared) -> String {
    let mut rows = String::new();
    for model in shared.models() {
        row(&mut rows, model);
    }
    let state = if shared.ready() { "ready" } else { "not ready" };
    format!(
        "{HEAD}<h1>edgemodel</h1>\n<p>Version {}, {state}.</p>\n\
         <table><tr><th>Model<th>State<th>Received<th>Published<th>Failed<th>In flight\
         <th>Waiting for the model<th>Waiting for the broker</tr>\n{rows}</table>\n\
         <p><a href=\"/status\">Status</a> · <a href=\"/metrics\">Metrics</a> · \
         <a href=\"/queue_size_metrics\">Queue sizes</a></p>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
    )
}

fn row(rows: &mut String, model: &ModelView) {
    let state = match model.state() {
        ModelState::Loading => "loading".to_owned(),
        ModelState::Serving => "serving".to_owned(),
        ModelState::Refused {
            reason, message, ..
        } => format!("{reason}: {message}"),
    };
    let queues = model.queues();
    let failed =
        model.ledger.settled(Settled::Failed) + model.ledger.settled(Settled::DeadLettered);
    let numbers = [
        model.ledger.received(),
        model.ledger.settled(Settled::Published),
        failed,
        model.ledger.in_flight(),
        queues.for_model() as u64,
        queues.post.depth as u64,
    ];
    let _ = write!(
        rows,
        "<tr><td>{}<td>{}",
        escape(&model.name),
        escape(&state)
    );
    for number in numbers {
        let _ = write!(rows, "<td class=\"n\">{number}");
    }
    rows.push_str("</tr>\n");
}

/// Escapes HTML, since a model's name may be any text.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
