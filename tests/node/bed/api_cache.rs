//! What stands between the kubelet and its API server, so that a node starts its pods without a cloud, as KubeEdge's
//! MetaManager and OpenYurt's YurtHub do: answers to reads are kept on disk and brought up to date as watches tell of
//! changes. While the API server does not answer, reads get what is kept, watches stay open and silent, and writes fail.

mod store;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode, Uri};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::write;
use store::{Kept, Store};

/// How often an API server that is away is tried again for those that watch.
const AGAIN: Duration = Duration::from_millis(200);

/// Fields of a query that say how to answer, not what is asked for.
const MANNERS: [&str; 8] = [
    "allowWatchBookmarks",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeout",
    "timeoutSeconds",
    "watch",
];

/// A running cache; ended when it is dropped. What it knows is on disk.
pub(super) struct ApiCache {
    address: SocketAddr,
    cache: Cache,
    task: JoinSet<()>,
}

impl ApiCache {
    /// Starts one that talks to the API server as a kubeconfig says.
    ///
    /// # Errors
    /// The kubeconfig cannot be read, or there is no free port.
    pub(super) async fn start(folder: &Path, kubeconfig: &Path) -> anyhow::Result<Self> {
        let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
        let options = KubeConfigOptions::default();
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
        // That the API server is away is to be known at once.
        config.default_retry = false;
        let cache = Cache {
            client: Client::try_from(config)?,
            store: Store::open(folder.join("api-cache"))?,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut started = Self {
            address,
            cache,
            task: JoinSet::new(),
        };
        started.serve(listener);
        Ok(started)
    }

    /// Ends it and starts it again in the same place, as a reboot does.
    ///
    /// # Errors
    /// Somebody else has taken its port.
    pub(super) async fn restart(&mut self) -> anyhow::Result<()> {
        self.task.shutdown().await;
        self.serve(TcpListener::bind(self.address).await?);
        Ok(())
    }

    /// Writes a kubeconfig for whom it serves. It speaks for them, so they need no token.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn kubeconfig(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cache", "cluster": {"server": format!("http://{}", self.address)}}],
            "contexts": [{"name": "cache", "context": {"cluster": "cache"}}],
            "current-context": "cache",
        });
        write(folder, "api-cache.kubeconfig", &format!("{config:#}\n"))
    }

    fn serve(&mut self, listener: TcpListener) {
        let router = Router::new().fallback(answer);
        let router = router.with_state(self.cache.clone());
        self.task.spawn(async move {
            // Ends only when it is dropped.
            let _ = axum::serve(listener, router).await;
        });
    }
}

impl fmt::Debug for ApiCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its client shows nothing of itself.
        f.debug_struct("ApiCache")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Cache {
    client: Client,
    store: Store,
}

async fn answer(State(cache): State<Cache>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (uri, headers) = (&parts.uri, &parts.headers);
    if parts.method != Method::GET {
        let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let answer = cache.forward(parts.method, uri, headers, body.to_vec());
        return answer.await.map_or_else(|error| away(&error), pass);
    }
    let what = wanted(uri);
    if is_watch(uri) {
        let answer = cache.forward(Method::GET, uri, headers, Vec::new()).await;
        return match answer {
            Ok(answer) => cache.follow(what, headers, answer),
            Err(_) => cache.hold(headers),
        };
    }
    match cache.read(uri, &what, headers).await {
        Ok(answer) => answer,
        Err(error) => match cache.store.get(&what, accepted(headers)) {
            Some(kept) => respond(StatusCode::OK, Some(&kept.content_type), kept.body.into()),
            None => away(&error),
        },
    }
}

impl Cache {
    /// Asks the API server.
    async fn forward(
        &self,
        method: Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: Vec<u8>,
    ) -> anyhow::Result<http::Response<Body>> {
        let mut request = http::Request::builder().method(method).uri(uri.clone());
        for name in [ACCEPT, CONTENT_TYPE] {
            if let Some(value) = headers.get(&name) {
                request = request.header(name, value);
            }
        }
        let answer = self.client.send(request.body(body.into())?).await?;
        // One that is starting or ending is away as well.
        let status = answer.status();
        anyhow::ensure!(!status.is_server_error(), "the API server answers {status}");
        Ok(answer)
    }

    /// Asks the API server for what does not go on, and keeps the answer.
    async fn read(&self, uri: &Uri, what: &str, headers: &HeaderMap) -> anyhow::Result<Response> {
        let answer = self.forward(Method::GET, uri, headers, Vec::new()).await?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        let content_type = parts.headers.get(CONTENT_TYPE);
        if let (StatusCode::OK, Some(content_type)) = (parts.status, content_type) {
            let kept = Kept {
                content_type: content_type.clone(),
                body: body.to_vec(),
            };
            self.store.put(what, accepted(headers), &kept)?;
        }
        Ok(respond(parts.status, content_type, body.into()))
    }

    /// Passes on what a watch tells, and keeps a new list with each change.
    fn follow(&self, what: String, headers: &HeaderMap, answer: http::Response<Body>) -> Response {
        // Changes that come during a read make for one more.
        let (changed, mut changes) = mpsc::channel(1);
        let (cache, headers) = (self.clone(), headers.clone());
        tokio::spawn(async move {
            while changes.recv().await.is_some() {
                let Ok(uri) = what.parse() else { return };
                // What is kept is the last that was heard.
                let _ = cache.read(&uri, &what, &headers).await;
            }
        });
        pass(answer.map(|body| {
            body.map_frame(move |frame| {
                // It is full when a change waits already.
                let _ = changed.try_send(());
                frame
            })
        }))
    }

    /// Is silent until the API server is back; the watch is then made anew.
    fn hold(&self, headers: &HeaderMap) -> Response {
        let cache = self.clone();
        let back = futures_util::stream::once(async move { cache.until_back().await });
        let silence = back.filter_map(async |()| None::<Result<bytes::Bytes, std::io::Error>>);
        let first = accepted(headers).split(',').next().unwrap_or_default();
        let content_type = match first {
            "application/vnd.kubernetes.protobuf" => {
                "application/vnd.kubernetes.protobuf;stream=watch"
            }
            _ => "application/json",
        };
        let content_type = HeaderValue::from_static(content_type);
        let body = axum::body::Body::from_stream(silence);
        respond(StatusCode::OK, Some(&content_type), body)
    }

    async fn until_back(&self) {
        let mut tries = tokio::time::interval(AGAIN);
        let (uri, headers) = (Uri::from_static("/livez"), HeaderMap::new());
        loop {
            tries.tick().await;
            let answer = self.forward(Method::GET, &uri, &headers, Vec::new()).await;
            if answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                return;
            }
        }
    }
}

fn away(error: &anyhow::Error) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}")).into_response()
}

fn pass<B>(answer: http::Response<B>) -> Response
where
    B: http_body::Body<Data = bytes::Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    let (parts, body) = answer.into_parts();
    let content_type = parts.headers.get(CONTENT_TYPE);
    respond(parts.status, content_type, axum::body::Body::new(body))
}

fn respond(
    status: StatusCode,
    content_type: Option<&HeaderValue>,
    body: axum::body::Body,
) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response
            .headers_mut()
            .insert(CONTENT_TYPE, content_type.clone());
    }
    response
}

fn accepted(headers: &HeaderMap) -> &str {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.unwrap_or_default()
}

fn is_watch(uri: &Uri) -> bool {
    fields(uri).any(|(name, value)| name == "watch" && matches!(&*value, "true" | "1"))
}

/// What is asked for, however it is to be answered.
fn wanted(uri: &Uri) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let fields = fields(uri).filter(|(name, _)| !MANNERS.contains(&&**name));
    query.extend_pairs(fields);
    match query.finish() {
        none if none.is_empty() => uri.path().to_owned(),
        query => format!("{}?{query}", uri.path()),
    }
}

fn fields(uri: &Uri) -> url::form_urlencoded::Parse<'_> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}
