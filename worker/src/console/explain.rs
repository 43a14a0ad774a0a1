//! Why a model gets a message that a viewer pastes, or does not.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};

use matching::DeviceExplanation;

use super::Console;

/// Most devices of a model that are explained to a viewer: those that match, then others.
const DEVICES: usize = 200;

#[derive(Debug, serde::Deserialize)]
pub(super) struct Message {
    /// The topic that it comes on, if the viewer says.
    topic: Option<String>,
}

pub(super) async fn explain(
    State(console): State<Arc<Console>>,
    Query(message): Query<Message>,
    payload: Bytes,
) -> Response {
    let Ok(_one) = console.explanations.acquire().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let topic = message.topic.filter(|topic| !topic.is_empty());
    let shared = console.clone();
    let explained = tokio::task::spawn_blocking(move || {
        matching::explain(&shared.runtime(), topic.as_deref(), &payload)
    });
    match explained.await {
        Ok(Ok(mut explanation)) => {
            for model in &mut explanation.models {
                shorten(&mut model.devices);
            }
            Json(explanation).into_response()
        }
        Ok(Err(error)) => (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n")).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn shorten(devices: &mut Vec<DeviceExplanation>) {
    if devices.len() > DEVICES {
        devices.sort_by_key(|device| !device.matched);
        devices.truncate(DEVICES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_devices_those_that_match_are_kept() {
        let device = |index: usize| DeviceExplanation {
            name: index.to_string(),
            matched: index == 999,
            attributes: Vec::new(),
        };
        let mut devices: Vec<_> = (0..1000).map(device).collect();
        shorten(&mut devices);
        assert_eq!(devices.len(), DEVICES);
        assert_eq!((&*devices[0].name, &*devices[1].name), ("999", "0"));
    }
}
