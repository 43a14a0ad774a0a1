//! What the operator serves over HTTP: metrics and probes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use crds::contract::path;

use crate::metrics::Metrics;

/// What is served.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    /// The metrics.
    pub metrics: Metrics,
    /// Whether the operator has seen all runtimes, or waits for its turn to lead.
    pub ready: Arc<AtomicBool>,
}

/// All paths.
pub fn router(shared: Shared) -> Router {
    Router::new()
        .route(path::LIVE, get(|| async { "ok\n" }))
        .route(path::READY, get(ready))
        .route(path::METRICS, get(metrics))
        .with_state(shared)
}

async fn ready(State(shared): State<Shared>) -> (StatusCode, &'static str) {
    if shared.ready.load(Ordering::Relaxed) {
        (StatusCode::OK, "ready\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready: no list of runtimes from the API server yet\n",
        )
    }
}

async fn metrics(State(shared): State<Shared>) -> impl IntoResponse {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.metrics.render())
}
