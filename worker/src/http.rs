//! Serves HTTP to clients that are not trusted: a limit on connections, a time for each request's head, and a time in which a
//! client must take what it is sent.
//!
//! When all places are taken, the connection that has waited longest for a request is closed for the next one, so that clients
//! that open connections and say nothing cannot keep probes out.

mod deadline;
mod places;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

pub(crate) use deadline::Deadline;
pub(crate) use places::places;

use places::{Busy, Connections};

/// Longest time for the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// Largest head of a request, with its headers.
const HEAD_BYTES: usize = 16 << 10;

/// The pause after a failure to accept a client, such as one for lack of file descriptors.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The type of a response that goes on until its client leaves.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

/// Serves `router` on one port to at most `places` clients, until it is dropped.
pub(crate) async fn serve(listener: TcpListener, router: Router, places: usize) {
    let mut tasks = JoinSet::new();
    let mut connections = Connections::new(places);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => {
                    if !connections.make_room() {
                        tracing::debug!(%address, "HTTP client turned away");
                        continue;
                    }
                    let busy = Busy::default();
                    let task = tasks.spawn(connection(stream, address, router.clone(), busy.clone()));
                    connections.add(task, busy);
                }
                Err(error) => {
                    tracing::warn!(%error, "Unable to accept an HTTP client");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = tasks.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, address: SocketAddr, router: Router, busy: Busy) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (router, busy) = (router.clone(), busy.clone());
        async move {
            busy.set(true);
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(address));
            let response = router.oneshot(request).await;
            busy.set(response.as_ref().is_ok_and(is_stream));
            response
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(Deadline::new(stream)), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, %address, "HTTP connection ended");
    }
}

/// Whether its client is served for as long as it stays.
fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind == EVENT_STREAM)
}
