//! An API server in memory: enough of it to take what the operator writes and to refuse what a test says.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tower::service_fn;

/// Plural and name.
type Key = (String, String);

/// A call that is answered with a failure, as often as it is made.
struct Refusal {
    verb: &'static str,
    /// What its path ends with.
    path: String,
    status: Value,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<Key, Value>,
    refusals: Vec<Refusal>,
    /// Writes, in their order.
    writes: Vec<String>,
    /// Reads of one object or a list of a kind.
    reads: Vec<String>,
}

/// The API server.
#[derive(Clone, Default)]
pub(super) struct FakeApi(Arc<Mutex<State>>);

impl FakeApi {
    pub(super) fn client(&self) -> Client {
        let api = self.clone();
        let service = service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        });
        Client::new(service, "plant")
    }

    /// Puts an object there as it is.
    pub(super) fn put(&self, plural: &str, object: Value) {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let key = (plural.to_owned(), name);
        self.state().objects.insert(key, object);
    }

    /// Changes an object as others would.
    pub(super) fn change(&self, plural: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let key = (plural.to_owned(), name.to_owned());
        change(self.state().objects.get_mut(&key).unwrap());
    }

    /// The objects of a kind, by name.
    pub(super) fn all(&self, plural: &str) -> Vec<Value> {
        let state = self.state();
        let objects = state.objects.iter();
        let objects = objects.filter(|((kind, _), _)| kind == plural);
        objects.map(|(_, object)| object.clone()).collect()
    }

    /// Refuses calls of `verb` to paths that end with `path` from now on.
    pub(super) fn refuse(&self, verb: &'static str, path: &str, code: u16, message: &str) {
        let status = failure(code, message);
        self.refuse_with(verb, path, status);
    }

    pub(super) fn refuse_with(&self, verb: &'static str, path: &str, status: Value) {
        self.state().refusals.push(Refusal {
            verb,
            path: path.to_owned(),
            status,
        });
    }

    /// Refuses nothing any more.
    pub(super) fn accept(&self) {
        self.state().refusals.clear();
    }

    /// The writes since the last time, in their order.
    pub(super) fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.state().writes)
    }

    /// The reads since the last time, in their order.
    pub(super) fn reads(&self) -> Vec<String> {
        std::mem::take(&mut self.state().reads)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let path = head.uri.path().to_owned();
        let answer = self
            .state()
            .call(&head.method, &path, head.uri.query(), body);
        let code = match answer["kind"].as_str() {
            Some("Status") => answer["code"].as_u64().unwrap_or(200),
            _ => 200,
        };
        Response::builder()
            .status(u16::try_from(code).unwrap())
            .body(Body::from(answer.to_string().into_bytes()))
            .unwrap()
    }
}

impl State {
    fn call(&mut self, method: &Method, path: &str, query: Option<&str>, body: Value) -> Value {
        let mut parts = path.trim_start_matches('/').split('/');
        let mut rest: Vec<_> = match parts.next() {
            Some("api") => parts.skip(1).collect(),
            _ => parts.skip(2).collect(),
        };
        if rest.first() == Some(&"namespaces") {
            rest.drain(..2);
        }
        let (plural, name, sub) = (rest[0], rest.get(1).copied(), rest.get(2).copied());
        if plural == "events" {
            return body;
        }
        let verb = match (method, name) {
            (&Method::GET, Some(_)) => "get",
            (&Method::GET, None) => "list",
            (&Method::PATCH, _) => "apply",
            (&Method::DELETE, _) => "delete",
            other => panic!("{other:?}"),
        };
        let call = [Some(plural), name, sub];
        let call = call.into_iter().flatten().collect::<Vec<_>>().join("/");
        let mut refusals = self.refusals.iter();
        let refusal = refusals.find(|one| one.verb == verb && call.ends_with(&one.path));
        let refusal = refusal.map(|one| one.status.clone());
        let log = match verb {
            "get" | "list" => &mut self.reads,
            _ => &mut self.writes,
        };
        let refused = refusal.as_ref().map_or("", |_| " (refused)");
        log.push(format!("{verb} {call}{refused}"));
        if let Some(status) = refusal {
            return status;
        }
        let key = (plural.to_owned(), name.unwrap_or_default().to_owned());
        match verb {
            "list" => self.list(plural, query.unwrap_or_default()),
            "get" => self.objects.get(&key).cloned().unwrap_or_else(not_found),
            "delete" => match self.objects.get(&key) {
                Some(found) if found["metadata"]["uid"] == body["preconditions"]["uid"] => {
                    self.objects.remove(&key);
                    json!({ "kind": "Status", "apiVersion": "v1", "status": "Success", "code": 200 })
                }
                Some(_) => failure(409, "the UID in the precondition does not match"),
                None => not_found(),
            },
            _ if sub == Some("status") => {
                let runtime = self.objects.get_mut(&key).unwrap();
                runtime["status"] = body["status"].clone();
                runtime.clone()
            }
            _ => self.apply(key, &body),
        }
    }

    fn list(&self, plural: &str, query: &str) -> Value {
        let selector = query
            .split('&')
            .find_map(|one| one.strip_prefix("labelSelector="));
        let selector = selector.map(|text| text.replace("%3D", "=").replace("%2F", "/"));
        let items: Vec<_> = self
            .objects
            .iter()
            .filter(|((kind, _), object)| {
                let labels = &object["metadata"]["labels"];
                let matches = selector.as_deref().is_none_or(|selector| {
                    let (key, value) = selector.split_once('=').unwrap();
                    labels[key] == value
                });
                kind == plural && matches
            })
            .map(|(_, object)| object.clone())
            .collect();
        json!({ "apiVersion": "v1", "kind": "List", "metadata": { "resourceVersion": "7" }, "items": items })
    }

    fn apply(&mut self, key: Key, body: &Value) -> Value {
        let uid = format!("uid-{}", key.1);
        let mut object = match self.objects.get(&key) {
            Some(live) => {
                let wanted = &body["metadata"]["uid"];
                if !wanted.is_null() && *wanted != live["metadata"]["uid"] {
                    return failure(409, "uid mismatch");
                }
                live.clone()
            }
            None => json!({ "metadata": { "uid": uid, "generation": 0 } }),
        };
        let before = object["spec"].clone();
        merge(&mut object, body);
        if object["spec"] != before {
            let generation = object["metadata"]["generation"].as_u64().unwrap_or(0);
            object["metadata"]["generation"] = (generation + 1).into();
        }
        self.objects.insert(key, object.clone());
        object
    }
}

/// Fields of `applied` replace those of `live`; what only `live` has stays.
fn merge(live: &mut Value, applied: &Value) {
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) => {
            for (key, value) in applied {
                merge(live.entry(key).or_insert(Value::Null), value);
            }
        }
        (live, applied) => *live = applied.clone(),
    }
}

/// A Status as the API server gives it.
pub(super) fn failure(code: u16, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message, "reason": "",
    })
}

fn not_found() -> Value {
    let mut status = failure(404, "not found");
    status["reason"] = "NotFound".into();
    status
}
