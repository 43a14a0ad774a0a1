//! The layer itself: what happens to a call from the client to the server and back.

use std::future::pending;
use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use kube::client::Body;
use tower::{BoxError, Layer, Service};

use super::reads::Flow;
use super::{Answer, Call, Plan, Verb, WriteFault, stream};

/// Wraps what talks HTTP in the faults of a [`Plan`].
#[derive(Clone, Debug)]
pub struct FaultLayer(pub(super) Plan);

impl<S> Layer<S> for FaultLayer {
    type Service = Faults<S>;

    fn layer(&self, inner: S) -> Faults<S> {
        Faults {
            inner,
            plan: self.0.clone(),
        }
    }
}

/// A service with faults.
#[derive(Clone, Debug)]
pub struct Faults<S> {
    inner: S,
    plan: Plan,
}

type Answered = Response<UnsyncBoxBody<Bytes, BoxError>>;

impl<S, B> Service<Request<Body>> for Faults<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    type Response = Answered;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Answered, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that is ready goes with the call.
        let next = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, next);
        Box::pin(carry_out(self.plan.clone(), inner, request))
    }
}

async fn carry_out<S, B>(
    plan: Plan,
    mut inner: S,
    mut request: Request<Body>,
) -> Result<Answered, BoxError>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError>,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let call = Call::of(&request);
    let latency = plan.0.borrow().latency;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    if plan.0.borrow().crashed {
        return pending().await;
    }
    let mut entered = None;
    plan.0.send_modify(|state| {
        *state.accesses.entry(call.access()).or_default() += 1;
        entered = state.enter(&call);
        if call.verb == Verb::List && is_whole(request.uri()) {
            state.whole_lists.push(call.clone());
        }
    });
    let (place, fault) = entered.unzip();
    let fault = fault.flatten();
    let refusal = plan.0.borrow().refusal(&call);
    match (fault, refusal) {
        (Some(WriteFault::CrashBefore), _) => return crash(&plan).await,
        (Some(WriteFault::Answer(answer)), _) | (None, Some(answer)) => {
            return refuse(answer, &call);
        }
        _ => {}
    }
    if call.verb == Verb::List
        && let Flow::Frozen(version) = plan.0.borrow().flow(&call.resource)
    {
        *request.uri_mut() = at_version(request.uri(), version)?;
    }
    let response = inner.call(request).await?;
    plan.0.send_modify(|state| {
        if let Some(write) = place.and_then(|place| state.writes.get_mut(place)) {
            write.answered = Some(response.status().as_u16());
        }
        if response.status() == http::StatusCode::FORBIDDEN {
            state.forbidden.push(call.clone());
        }
        // An apply that makes the object needs the right to make it.
        if call.apply && response.status() == http::StatusCode::CREATED {
            let mut access = call.access();
            access.verb = Verb::Create;
            *state.accesses.entry(access).or_default() += 1;
        }
    });
    match fault {
        Some(WriteFault::CrashAfter) => crash(&plan).await,
        Some(WriteFault::LostReply) => Err(io::Error::new(
            io::ErrorKind::ConnectionReset,
            "the reply is lost, as planned",
        )
        .into()),
        Some(WriteFault::AnswerThoughDone(answer)) => refuse(answer, &call),
        _ => Ok(match call.verb {
            Verb::List | Verb::Watch if response.status().is_success() => {
                response.map(|body| stream::body(plan, call, body))
            }
            _ => response.map(|body| body.map_err(Into::into).boxed_unsync()),
        }),
    }
}

async fn crash<T>(plan: &Plan) -> T {
    plan.0.send_modify(|state| state.crashed = true);
    pending().await
}

fn refuse(answer: Answer, call: &Call) -> Result<Answered, BoxError> {
    let response = answer.response(call)?;
    Ok(response.map(|bytes| {
        Full::new(bytes)
            .map_err(|never| match never {})
            .boxed_unsync()
    }))
}

fn is_whole(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    let mut parts = query.split('&');
    !parts.any(|part| part.starts_with("limit=") || part.starts_with("labelSelector="))
}

/// The same list as of a version. A page after the first has its version in its token.
fn at_version(uri: &Uri, version: u64) -> Result<Uri, BoxError> {
    let query = uri.query().unwrap_or_default();
    let mut parts: Vec<_> = query.split('&').filter(|part| !part.is_empty()).collect();
    if parts.iter().any(|part| part.starts_with("continue=")) {
        return Ok(uri.clone());
    }
    parts.retain(|part| !part.starts_with("resourceVersion"));
    let exact = format!("resourceVersion={version}&resourceVersionMatch=Exact");
    parts.push(&exact);
    Ok(format!("{}?{}", uri.path(), parts.join("&")).parse()?)
}
