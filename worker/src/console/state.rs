//! The worker's state as the console shows it: a server-sent event once a second for each viewer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::unfold;
use serde_json::{Value, json};
use tokio::time::{Interval, MissedTickBehavior};

use super::history::Point;
use super::{Console, UPDATE, VIEWERS, devices};
use crate::audience::Audience;
use crate::http::EVENT_STREAM;
use crate::status::ModelState;

/// A viewer, for as long as it stays.
struct Viewer {
    console: Arc<Console>,
    audience: Audience,
    wanted: Wanted,
    ticks: Interval,
    /// The last point of the history that it has.
    since: u64,
    /// The last example of its model that it has.
    exchange: u64,
    _place: tokio::sync::OwnedSemaphorePermit,
}

/// What a viewer wants beside what all pages show.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Wanted {
    /// The model whose devices it looks at.
    devices: Option<String>,
    /// The model whose messages it looks at.
    messages: Option<String>,
}

/// Sends the state until the viewer leaves.
pub(super) async fn stream(
    State(console): State<Arc<Console>>,
    Extension(audience): Extension<Audience>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let Ok(place) = console.viewers.clone().try_acquire_owned() else {
        tracing::warn!(VIEWERS, "Viewer of the console turned away");
        let message = "too many viewers; close a page, or try again later\n";
        return (StatusCode::SERVICE_UNAVAILABLE, message).into_response();
    };
    let mut ticks = tokio::time::interval(UPDATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let viewer = Viewer {
        console,
        audience,
        wanted,
        ticks,
        since: 0,
        exchange: 0,
        _place: place,
    };
    let events = unfold(viewer, async |mut viewer| {
        viewer.ticks.tick().await;
        let event = format!("data: {}\n\n", viewer.next());
        Some((Ok::<_, Infallible>(event), viewer))
    });
    let headers = [
        (header::CONTENT_TYPE, EVENT_STREAM),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, Body::from_stream(events)).into_response()
}

impl Viewer {
    /// The state now, with the points of the history that are new.
    fn next(&mut self) -> Value {
        let mut document = self.console.document(self.audience);
        self.add_devices(&mut document);
        self.add_messages(&mut document);
        let history = self.console.history.points(self.since);
        let last = history.iter().flatten().map(Point::at).max();
        self.since = last.unwrap_or(self.since);
        document["history"] = json!(history);
        document
    }

    fn add_devices(&self, document: &mut Value) {
        let Some(wanted) = &self.wanted.devices else {
            return;
        };
        let console = &self.console;
        let runtime = console.runtime();
        let mut models = console.shared.models().iter().zip(&runtime.funcs);
        if let Some((model, func)) = models.find(|(model, _)| model.name == *wanted) {
            document["devices"] = json!({
                "model": model.name,
                "seen": devices::document(model, func, self.audience),
            });
        }
        document["unclaimed"] = console.unclaimed.document(self.audience);
    }

    /// The examples that are new; none without authentication.
    fn add_messages(&mut self, document: &mut Value) {
        let Some(wanted) = &self.wanted.messages else {
            return;
        };
        let mut models = self.console.shared.models().iter();
        if self.audience == Audience::Authenticated
            && let Some(model) = models.find(|model| model.name == *wanted)
        {
            let new = model.exchanges.after(self.exchange);
            self.exchange = new.last().map_or(self.exchange, |last| last.number);
            let new: Vec<_> = new.iter().map(|one| &**one).collect();
            document["messages"] = json!({ "model": model.name, "new": new });
        }
    }
}

impl Console {
    /// What `/status` says, and what to do about refused models.
    fn document(&self, audience: Audience) -> Value {
        let mut document = self.shared.document(audience);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        document["now"] = json!(now.map_or(0.0, |now| now.as_secs_f64()));
        document["authenticated"] = json!(audience == Audience::Authenticated);
        for (index, model) in self.shared.models().iter().enumerate() {
            if let ModelState::Refused { reason, .. } = model.state() {
                document["models"][index]["state"]["remedy"] = json!(reason.facts().remedy);
            }
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::Request;
    use futures_util::StreamExt as _;
    use tower::ServiceExt as _;

    use super::*;

    fn console() -> Router {
        let shared = crate::status::example();
        let runtime = crate::status::example_runtime();
        let console = Console::new(shared, runtime).router();
        console.layer(Extension(Audience::Anyone))
    }

    async fn get(router: &Router, path: &str) -> Response {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn viewers_get_the_state_at_once_and_one_too_many_is_turned_away() {
        let router = console();
        let mut viewers = Vec::new();
        for _ in 0..VIEWERS {
            let response = get(&router, "/console/state").await;
            assert_eq!(response.headers()[header::CONTENT_TYPE], EVENT_STREAM);
            let mut body = response.into_body().into_data_stream();
            let event = body.next().await.unwrap().unwrap();
            let text = std::str::from_utf8(&event).unwrap();
            let data = text.strip_prefix("data: ").unwrap().trim_end();
            let state: Value = serde_json::from_str(data).unwrap();
            assert_eq!(state["models"][0]["name"], "industry");
            assert_eq!(state["authenticated"], false);
            viewers.push(body);
        }
        assert_eq!(get(&router, "/console/state").await.status(), 503);
        viewers.pop();
        assert_eq!(get(&router, "/console/state").await.status(), 200);
    }

    #[tokio::test]
    async fn files_have_a_type_and_a_policy() {
        for path in [
            "/",
            "/console/app.js",
            "/console/console.css",
            "/console/vendor/preact.js",
        ] {
            let response = get(&console(), path).await;
            assert_eq!(response.status(), 200, "{path}");
            let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str();
            assert!(policy.unwrap().contains("default-src 'none'"), "{path}");
        }
        assert_eq!(get(&console(), "/console/nothing.js").await.status(), 404);
    }
}
