//! One child: applied if it is not as it should be, and never when another owner has it.

use serde_json::Value;

use super::{Action, Write};
use crate::desired::{Child, Identity, labels};
use crate::difference;
use crate::kind::Kind;
use crate::observe::{Observation, Observed};
use crate::outcome::ApplyError;

/// What to do about `child`.
pub(super) fn action<'a>(
    identity: &Identity,
    observed: &'a Observation,
    child: &Child,
) -> Action<'a> {
    let object = match observed.object(child.kind, &child.name) {
        Ok(Some(object)) => object,
        Ok(None) => return Action::Apply(write(child, None)),
        Err(failure) => {
            return Action::Block(ApplyError::of(child.kind, &child.name, failure.clone()));
        }
    };
    if let Some(error) = obstruction(identity, object) {
        Action::Block(error)
    } else if difference::covers(&object.body, &child.body) {
        Action::Keep(object)
    } else {
        Action::Apply(write(child, Some(object)))
    }
}

/// `child` as it is applied over what is there.
pub(super) fn write(child: &Child, object: Option<&Observed>) -> Write {
    let mut body = child.body.clone();
    if let Some(object) = object {
        body["metadata"]["uid"] = object.uid.clone().into();
        keep_scale(&mut body, object);
    }
    Write {
        kind: child.kind,
        name: child.name.clone(),
        body,
        exists: object.is_some(),
    }
}

fn obstruction(identity: &Identity, object: &Observed) -> Option<ApplyError> {
    let (kind, name) = (object.kind, object.name.clone());
    let terminating = |owner| ApplyError::Terminating {
        kind,
        name: name.clone(),
        owner,
    };
    let owner = match object.owner() {
        Some(owner) if owner.uid == identity.uid => {
            return object.is_terminating().then(|| terminating("this runtime"));
        }
        Some(owner) if owner.kind == "EdgeModelRuntime" && owner.name == identity.name => {
            return Some(terminating("a deleted runtime of the same name"));
        }
        Some(owner) => format!("controlled by {} {:?}", owner.kind, owner.name),
        None => "not controlled by this runtime".to_owned(),
    };
    Some(ApplyError::NameConflict { kind, name, owner })
}

/// Giving up a field by server-side apply removes it, and a Deployment without `replicas` has one pod. Where an
/// autoscaler decides the number, ours is kept until the autoscaler has written one of its own.
fn keep_scale(body: &mut Value, object: &Observed) {
    if object.kind != Kind::Deployment || body["spec"].get("replicas").is_some() {
        return;
    }
    let managers = object.body["metadata"]["managedFields"].as_array();
    let owners = managers.into_iter().flatten();
    let owners = owners.filter(|entry| entry["fieldsV1"]["f:spec"].get("f:replicas").is_some());
    let mut owners = owners.map(|entry| entry["manager"].as_str());
    if owners.all(|manager| manager == Some(labels::OPERATOR)) {
        body["spec"]["replicas"] = object.body["spec"]["replicas"].clone();
    }
}
