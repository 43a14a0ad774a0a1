//! What the worker serves over HTTP: the console, metrics, probes, status and pyboot's queue sizes. Reads only.

mod access;

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json};
use axum::routing::get;
use axum::{Extension, Router, middleware};
use crds::contract::path;
use serde_json::{Value, json};

use crate::audience::Audience;
use crate::console::Console;
use crate::peers::Peers;
use crate::sink::EventSink;
use crate::status::Shared;

pub use access::Access;

/// The Prometheus text exposition format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All paths of one port; those of an exposed port serve results, too.
pub fn router(
    shared: Arc<Shared>,
    console: Arc<Console>,
    peers: Option<Peers>,
    results: Option<Arc<EventSink>>,
    access: Access,
) -> Router {
    let results = results.map(EventSink::router).unwrap_or_default();
    Router::new()
        .route(path::LIVE, get(|| async { "ok\n" }))
        .route(path::READY, get(ready))
        .route(path::METRICS, get(metrics))
        .route(path::STATUS, get(status))
        .route(
            path::QUEUE_SIZES,
            get(move |State(shared): State<Arc<Shared>>, query| queue_sizes(shared, peers, query)),
        )
        .fallback(not_found)
        .with_state(shared)
        .merge(console.router())
        .merge(results)
        .layer(middleware::from_fn(
            move |request: Request, next: middleware::Next| {
                access::check(access.clone(), request, next)
            },
        ))
}

async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, &'static str) {
    if shared.ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready, see /status\n")
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, METRICS_TYPE)],
        shared.render_metrics(),
    )
}

async fn status(
    State(shared): State<Arc<Shared>>,
    Extension(audience): Extension<Audience>,
) -> Json<Value> {
    Json(shared.document(audience))
}

#[derive(Debug, serde::Deserialize)]
struct Scope {
    /// Whether to ask this worker only, not its peers.
    #[serde(default)]
    local: bool,
}

/// pyboot's document with the same keys; process names are model names. With peers it covers all workers, and lists
/// those that did not answer.
async fn queue_sizes(
    shared: Arc<Shared>,
    peers: Option<Peers>,
    Query(scope): Query<Scope>,
) -> Json<Value> {
    let mut models: Vec<_> = shared
        .models()
        .iter()
        .map(|model| {
            let queues = model.queues();
            json!({
                "sub_process_name": model.name,
                "pre_queue": queues.for_model(),
                "post_queue": queues.post.depth,
            })
        })
        .collect();
    let Some(peers) = peers.filter(|_| !scope.local) else {
        return Json(json!({ "queue_size_metrics": models }));
    };
    let (others, unreachable) = peers.queue_sizes().await;
    models.extend(others);
    Json(json!({ "queue_size_metrics": models, "unreachable": unreachable }))
}

async fn not_found() -> (StatusCode, &'static str) {
    (
        StatusCode::NOT_FOUND,
        "not found; try /, /metrics, /status, /queue_size_metrics, /healthz and /readyz\n",
    )
}
