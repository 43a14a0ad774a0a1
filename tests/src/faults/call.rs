//! What a request asks of the API server.

use std::fmt;

use futures_util::FutureExt as _;
use http::{Method, Request, header};
use kube::client::Body;

/// What is done, in the words of role rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Reads one object, or something that is not an object.
    Get,
    /// Reads all objects of a resource.
    List,
    /// Follows all objects of a resource.
    Watch,
    /// Makes one.
    Create,
    /// Replaces one.
    Update,
    /// Changes one, or applies it.
    Patch,
    /// Deletes one.
    Delete,
    /// Deletes all.
    DeleteCollection,
}

impl Verb {
    /// Whether it changes something.
    pub fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }

    /// The word in a rule.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

/// What a rule of a role has to allow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Access {
    /// What is done.
    pub verb: Verb,
    /// To what: `pods`, `deployments.apps`.
    pub resource: String,
    /// To which part of it, as `status`; empty for the whole.
    pub subresource: String,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What is done.
    pub verb: Verb,
    /// To what: `pods`, `deployments.apps`; empty where the path names no resource.
    pub resource: String,
    /// Where; empty for what is in no namespace.
    pub namespace: String,
    /// The object; empty for all of them, and where the server makes the name.
    pub name: String,
    /// The part of it, as `status`; empty for the whole.
    pub subresource: String,
    /// Whether it is a server-side apply.
    pub apply: bool,
}

impl Call {
    /// Whether it is of a verb and a resource.
    pub fn is(&self, verb: Verb, resource: &str) -> bool {
        self.verb == verb && self.resource == resource
    }

    /// What a rule has to allow for it.
    pub fn access(&self) -> Access {
        Access {
            verb: self.verb,
            resource: self.resource.clone(),
            subresource: self.subresource.clone(),
        }
    }

    /// Reads it from a request.
    pub(super) fn of(request: &Request<Body>) -> Self {
        let path = request.uri().path().trim_matches('/');
        let mut segments = path.split('/');
        let group = match segments.next() {
            Some("api") => Some(""),
            Some("apis") => segments.next(),
            _ => None,
        };
        let version = segments.next();
        let mut rest: Vec<_> = segments.collect();
        let mut namespace = String::new();
        // The parts of a namespace itself look like resources in it.
        if let ["namespaces", of, resource, ..] = rest[..]
            && !["status", "finalize"].contains(&resource)
        {
            of.clone_into(&mut namespace);
            rest.drain(..2);
        }
        let resource = match (group, version, rest.first()) {
            (Some(""), Some(_), Some(resource)) => (*resource).to_owned(),
            (Some(group), Some(_), Some(resource)) => format!("{resource}.{group}"),
            _ => String::new(),
        };
        let mut name = rest.get(1).copied().unwrap_or_default().to_owned();
        let verb = verb(request, &resource, &name);
        if verb == Verb::Create && name.is_empty() {
            name = name_in(request.body()).unwrap_or_default();
        }
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let apply =
            content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/apply"));
        Self {
            verb,
            resource,
            namespace,
            name,
            subresource: rest.get(2..).unwrap_or_default().join("/"),
            apply,
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.apply {
            "apply"
        } else {
            self.verb.as_str()
        };
        write!(f, "{verb} {}", self.resource)?;
        let parts = [&self.namespace, &self.name, &self.subresource];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        for (number, part) in parts.into_iter().enumerate() {
            write!(f, "{}{part}", if number == 0 { ' ' } else { '/' })?;
        }
        Ok(())
    }
}

fn verb(request: &Request<Body>, resource: &str, name: &str) -> Verb {
    let all = !resource.is_empty() && name.is_empty();
    let query = request.uri().query().unwrap_or_default();
    let watch = query
        .split('&')
        .any(|part| matches!(part, "watch=true" | "watch=1" | "watch"));
    match *request.method() {
        Method::POST => Verb::Create,
        Method::PUT => Verb::Update,
        Method::PATCH => Verb::Patch,
        Method::DELETE if all => Verb::DeleteCollection,
        Method::DELETE => Verb::Delete,
        _ if watch => Verb::Watch,
        _ if all => Verb::List,
        _ => Verb::Get,
    }
}

/// Only of a body that is there as a whole, as those of objects are.
fn name_in(body: &Body) -> Option<String> {
    let bytes = body.try_clone()?.collect_bytes().now_or_never()?.ok()?;
    let object: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    Some(object["metadata"]["name"].as_str()?.to_owned())
}
