//! Attributes that say, on a field or type of the configuration, what a cluster's API server checks.
//!
//! Each is a schemars transform, such as `#[schemars(transform = text(1, 1024))]`, and writes keywords of
//! a CRD into the schema. Here are the bounds of texts, lists and maps; [`rule`] has what a bound cannot
//! say. [`strip`] removes them from the schema of a laptop, where a file of any size is fine and
//! [`crate::validate`] explains mistakes better.
//!
//! An API server keeps an object of at most 1.5 MB (etcd's limit, with the field managers' records) and
//! estimates the cost of every rule from these bounds, so every text, list and map needs one.

pub(crate) mod rule;

use schemars::Schema;
use schemars::transform::Transform;
use serde_json::Value;

/// The keywords that constraints write, in the order of the CRD.
pub(crate) const KEYWORDS: [&str; 8] = [
    "minLength",
    "maxLength",
    "maxItems",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "maxProperties",
    "pattern",
    "x-kubernetes-validations",
];

/// A text of `least` to `most` characters.
pub(crate) fn text(least: usize, most: usize) -> impl Transform {
    move |schema: &mut Schema| {
        if least > 0 {
            write(schema, "minLength", least);
        }
        write(schema, "maxLength", most);
    }
}

/// A name: as long as the longest of Kubernetes' own, a DNS subdomain.
pub(crate) fn name(schema: &mut Schema) {
    text(1, 253).transform(schema);
}

/// An MQTT topic or a broker's address. MQTT would allow topics of 65,535 bytes.
pub(crate) fn topic(schema: &mut Schema) {
    text(1, 1024).transform(schema);
}

/// A file or directory.
pub(crate) fn path(schema: &mut Schema) {
    text(1, 1024).transform(schema);
}

/// A quantity such as `500m`, or a time span.
pub(crate) fn quantity(schema: &mut Schema) {
    text(1, 32).transform(schema);
}

/// A word for machines, such as a reason or the type of a condition.
pub(crate) fn word(schema: &mut Schema) {
    text(1, 128).transform(schema);
}

/// A text that matches `regex`: for fields with so many values that a rule would cost too much.
pub(crate) fn pattern(regex: &'static str) -> impl Transform {
    move |schema: &mut Schema| write(schema, "pattern", regex)
}

/// A list of at most `most` entries, with one owner.
pub(crate) fn list(most: usize) -> impl Transform {
    move |schema: &mut Schema| {
        write(schema, "maxItems", most);
        write(schema, "x-kubernetes-list-type", "atomic");
    }
}

/// A list of at most `most` entries that `key` tells apart; each may have its own owner.
pub(crate) fn list_by(key: &'static str, most: usize) -> impl Transform {
    move |schema: &mut Schema| {
        write(schema, "maxItems", most);
        write(schema, "x-kubernetes-list-type", "map");
        write(schema, "x-kubernetes-list-map-keys", vec![key]);
    }
}

/// A map of at most `most` entries.
pub(crate) fn map(most: usize) -> impl Transform {
    move |schema: &mut Schema| write(schema, "maxProperties", most)
}

/// Applies `constraint` to each entry of a list, or to each value of a map.
pub(crate) fn each(mut constraint: impl Transform) -> impl Transform {
    move |schema: &mut Schema| {
        for name in ["items", "additionalProperties"] {
            let inner = schema.get_mut(name);
            if let Some(inner) = inner.and_then(|inner| <&mut Schema>::try_from(inner).ok()) {
                constraint.transform(inner);
            }
        }
    }
}

/// Removes what constraints have written into `schema`, not into those within it.
pub(crate) fn strip(schema: &mut Schema) {
    if let Some(fields) = schema.as_object_mut() {
        fields.retain(|name, _| !KEYWORDS.contains(&name.as_str()));
    }
}

fn write(schema: &mut Schema, keyword: &str, value: impl Into<Value>) {
    schema.insert(keyword.to_owned(), value.into());
}
