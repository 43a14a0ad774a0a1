//! `/results` on `http://` ports as a sink: the results of all models as server-sent events.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::{BufMut as _, Bytes};
use futures_util::stream::unfold;

use super::live::{Live, MAX_READERS, Places};
use super::{Receipt, Sink};
use crate::http::EVENT_STREAM;
use crate::metrics::Metrics;
use crate::outbound::OutboundResult;

/// Interval of keep-alive comments: proxies and browsers close silent connections, often after 30 seconds.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// See the module's description.
#[derive(Debug)]
pub struct EventSink(Live);

impl Sink for EventSink {
    fn accept(&self, result: &OutboundResult) -> Receipt {
        self.0.send(result, |framed, line| {
            framed.put_slice(b"data: ");
            framed.put_slice(line);
            framed.put_slice(b"\n\n");
        });
        Receipt::Taken
    }
}

impl EventSink {
    /// Without readers.
    pub fn new(metrics: &Metrics) -> Self {
        Self(Live::new(metrics.event_stream.clone()))
    }

    /// What one port serves.
    pub fn router(self: Arc<Self>) -> Router {
        let places = Places::new(MAX_READERS);
        let events = async move |ConnectInfo(address): ConnectInfo<SocketAddr>| {
            self.events(&places, address.ip())
        };
        Router::new().route("/results", get(events))
    }

    fn events(&self, places: &Arc<Places>, address: IpAddr) -> Response {
        let Some(reader) = self.0.reader(places, address) else {
            tracing::warn!(MAX_READERS, "Reader of /results turned away");
            let message = "too many readers of /results; close one, or try again later\n";
            return (StatusCode::SERVICE_UNAVAILABLE, message).into_response();
        };
        let events = unfold(reader, async |mut reader| {
            let event = match tokio::time::timeout(KEEP_ALIVE, reader.next()).await {
                Ok(event) => event?,
                Err(_) => Bytes::from_static(b": keep-alive\n\n"),
            };
            Some((Ok::<_, Infallible>(event), reader))
        });
        let headers = [
            (header::CONTENT_TYPE, EVENT_STREAM),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        (headers, Body::from_stream(events)).into_response()
    }
}
