//! An object as the API server has it.

use kube::ResourceExt as _;
use kube::core::{DynamicObject, TypeMeta};
use serde_json::Value;

use crate::desired::Identity;
use crate::kind::Kind;

/// An object that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The whole of it.
    pub body: Value,
}

/// Who controls an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// Its UID.
    pub uid: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl Observed {
    /// From the API server's answer.
    pub fn new(kind: Kind, mut object: DynamicObject) -> Self {
        // Items of a list do not carry their kind.
        object.types.get_or_insert_with(|| {
            let resource = kind.resource();
            TypeMeta {
                api_version: resource.api_version,
                kind: resource.kind,
            }
        });
        let (name, uid) = (object.name_any(), object.uid().unwrap_or_default());
        let body = serde_json::to_value(object).unwrap_or_default();
        Self {
            kind,
            name,
            uid,
            body,
        }
    }

    /// The object that controls it.
    pub fn owner(&self) -> Option<Owner<'_>> {
        let owners = self.body["metadata"]["ownerReferences"].as_array()?;
        let owner = owners.iter().find(|owner| owner["controller"] == true)?;
        Some(Owner {
            uid: owner["uid"].as_str()?,
            kind: owner["kind"].as_str()?,
            name: owner["name"].as_str()?,
        })
    }

    /// Whether the runtime controls it. Labels do not prove that, since users can copy them.
    pub fn is_of(&self, identity: &Identity) -> bool {
        self.owner().is_some_and(|owner| owner.uid == identity.uid)
    }

    /// Whether it is being deleted.
    pub fn is_terminating(&self) -> bool {
        self.body["metadata"]["deletionTimestamp"].is_string()
    }

    /// An annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.body["metadata"]["annotations"][name].as_str()
    }

    /// A label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.body["metadata"]["labels"][name].as_str()
    }
}
