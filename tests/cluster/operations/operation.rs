//! What can be done to each property of a schema (in the manner of Acto, SOSP 2023).
//!
//! Of each property another value, its bounds, each choice and the longest text; of each list one item more, one less, none and
//! another order; and nothing where there may be nothing.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::value::{self, place};
use crate::plans::spec::base;

/// Properties of a laptop's configuration that a cluster refuses, and a word of what it says instead.
const REFUSED: [(&str, &str); 7] = [
    ("mqtts[].auth.username", "credentialsSecretRef"),
    ("mqtts[].auth.usernameFile", "credentialsSecretRef"),
    ("mqtts[].auth.password", "credentialsSecretRef"),
    ("mqtts[].auth.passwordFile", "credentialsSecretRef"),
    ("mqtts[].tls.caFile", "secretRef"),
    ("mqtts[].tls.certFile", "secretRef"),
    ("mqtts[].tls.keyFile", "secretRef"),
];

/// Operations that the rest of the spec does not allow, and a word of what is said.
const IMPOSSIBLE: [(&str, &str); 4] = [
    (
        "mqtts empty",
        "a sub.name is not the name of an entry in mqtts",
    ),
    (
        "funcs[].autoscaling.minReplicas most",
        "minReplicas (default 1) is more than maxReplicas",
    ),
    (
        "funcs[].autoscaling.maxReplicas least",
        "minReplicas (default 1) is more than maxReplicas",
    ),
    (
        "placement.tolerations[].key absent",
        "without a key a toleration takes all taints",
    ),
];

/// Properties that no child shows.
const STATUS_ONLY: [&str; 1] = ["expose[].desc"];

/// Operations that no child shows: a broker that no rule names.
const QUIET: [&str; 2] = ["mqtts push", "mqtts pop"];

/// Operations that admission takes and a condition tells to be wrong, and its reason; what was before goes on.
const TOLD: [(&str, &str); 1] = [("rules empty", "InvalidSpec")];

/// Properties for which no worker has to restart: they concern what is round it, or the next time that it starts.
const WITHOUT_ROLLOUT: [&str; 7] = [
    "funcs[].modelAddress",
    "funcs[].autoscaling.minReplicas",
    "funcs[].autoscaling.maxReplicas",
    "funcs[].autoscaling.targetQueueDepth",
    "funcs[].autoscaling.targetUtilization",
    "expose[].outPort",
    "expose[].desc",
];

/// Properties that need what this cluster has not: their effect is a condition, which has a test of its own.
const ELSEWHERE: [&str; 1] = ["funcs[].autoscaling.prometheusAddress"];

#[derive(Debug, Clone)]
enum Change {
    /// Another value.
    Other,
    /// A bound of a number.
    Bound(&'static str, i64),
    /// From one choice to another.
    Choice(Value, Value),
    /// A text of the greatest length.
    Longest(String),
    /// One item more.
    Push,
    /// One item less.
    Pop,
    /// A list with nothing in it.
    Empty,
    /// The same items in another order, where that means nothing.
    Reorder,
    /// Nothing, where there may be nothing.
    Absent,
}

/// One thing that can be done to a spec.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    path: String,
    schema: Value,
    change: Change,
}

/// What an operation comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// A child shows it (O7).
    Shows,
    /// No child shows it.
    Quiet,
    /// No child shows it, and a condition tells why, by this reason.
    Told(&'static str),
    /// Admission refuses it, with this word.
    Refused(&'static str),
}

impl Operation {
    pub(super) fn name(&self) -> String {
        let path = &self.path;
        match &self.change {
            Change::Other => path.clone(),
            Change::Bound(which, _) => format!("{path} {which}"),
            Change::Choice(from, to) => format!("{path} {from} to {to}"),
            Change::Longest(_) => format!("{path} longest"),
            Change::Push => format!("{path} push"),
            Change::Pop => format!("{path} pop"),
            Change::Empty => format!("{path} empty"),
            Change::Reorder => format!("{path} reorder"),
            Change::Absent => format!("{path} absent"),
        }
    }

    /// The property's path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Whether it gives the property another value, and nothing more particular.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.change, Change::Other)
    }

    /// Whether it ends alike in each namespace.
    pub(super) fn is_comparable(&self) -> bool {
        match self.change {
            // A port has but one holder.
            Change::Bound(..) => self.path != "expose[].outPort",
            // A client id that nobody gave holds the namespace's name.
            Change::Absent => !self.path.ends_with(".clientId"),
            _ => true,
        }
    }

    /// Whether workers go on as they are.
    pub(super) fn is_without_rollout(&self) -> bool {
        WITHOUT_ROLLOUT.contains(&self.path.as_str())
    }

    pub(super) fn effect(&self) -> Effect {
        let name = self.name();
        let of_path = REFUSED.iter().find(|(of, _)| *of == self.path);
        let of_name = IMPOSSIBLE.iter().find(|(of, _)| *of == name);
        if let Some((_, word)) = of_path.or(of_name) {
            Effect::Refused(word)
        } else if let Some((_, reason)) = TOLD.iter().find(|(of, _)| *of == name) {
            Effect::Told(reason)
        } else if STATUS_ONLY.contains(&self.path.as_str())
            || QUIET.contains(&name.as_str())
            || matches!(self.change, Change::Reorder)
        {
            Effect::Quiet
        } else {
            Effect::Shows
        }
    }

    /// Whether it is taken and nothing is wrong with it.
    pub(super) fn is_valid(&self) -> bool {
        matches!(self.effect(), Effect::Shows | Effect::Quiet)
    }

    /// The spec that it begins with, made of `spec`.
    pub(super) fn beginning(&self, spec: Value) -> anyhow::Result<Value> {
        let mut spec = value::beginning(&self.path, spec)?;
        match &self.change {
            Change::Bound(_, bound) => {
                let other = value::other(&self.path, &self.schema, &json!(bound))?;
                self.put(spec, Some(other))
            }
            Change::Longest(_) => self.put(spec, None),
            Change::Choice(from, _) => self.put(spec, Some(from.clone())),
            Change::Absent if self.path == "funcs[].modelMd5" => {
                *place(&mut spec, "funcs[].modelSha256")? = json!("cd".repeat(32));
                Ok(spec)
            }
            Change::Reorder if self.path == "mqtts" => {
                let mut spec = self.push(spec, 1)?;
                // Workers only hear of brokers that rules name.
                *place(&mut spec, "rules[].pub.name")? = json!("extra1");
                Ok(spec)
            }
            Change::Pop | Change::Reorder if self.items(&mut spec)?.len() < 2 => self.push(spec, 1),
            Change::Empty if self.items(&mut spec)?.is_empty() => self.push(spec, 1),
            _ => Ok(spec),
        }
    }

    /// `spec` after it. `number` tells one item that is added from another.
    pub(super) fn apply(&self, mut spec: Value, number: u8) -> anyhow::Result<Value> {
        let value = match &self.change {
            Change::Other => None,
            Change::Bound(_, bound) => Some(json!(bound)),
            Change::Choice(_, to) => Some(to.clone()),
            Change::Longest(text) => Some(json!(text)),
            Change::Push => return self.push(spec, number),
            Change::Pop => {
                self.items(&mut spec)?.pop();
                return Ok(spec);
            }
            Change::Empty => Some(json!([])),
            Change::Reorder => {
                self.items(&mut spec)?.reverse();
                return Ok(spec);
            }
            Change::Absent => {
                let (parent, name) = self.path.rsplit_once('.').unwrap_or(("", &self.path));
                if let Some(fields) = place(&mut spec, parent)?.as_object_mut() {
                    fields.remove(name);
                }
                return Ok(spec);
            }
        };
        self.put(spec, value)
    }

    fn push(&self, mut spec: Value, number: u8) -> anyhow::Result<Value> {
        let item = value::item(&self.path, number)?;
        self.items(&mut spec)?.push(item);
        Ok(spec)
    }

    /// The list, made where it is not there.
    fn items<'a>(&self, spec: &'a mut Value) -> anyhow::Result<&'a mut Vec<Value>> {
        let place = place(spec, &self.path)?;
        if place.is_null() {
            *place = json!([]);
        }
        place.as_array_mut().context("no list")
    }

    /// `spec` with a value at the path, or another than it has.
    fn put(&self, mut spec: Value, value: Option<Value>) -> anyhow::Result<Value> {
        let now = place(&mut spec, &self.path)?.clone();
        let value = match value {
            Some(value) => value,
            None if self.path == "mqtts[].name" => json!("works"),
            None => value::other(&self.path, &self.schema, &now)?,
        };
        if self.path == "mqtts[].name" {
            // Others refer to it.
            let text = spec.to_string();
            let text = text.replace(&now.to_string(), &value.to_string());
            return Ok(serde_json::from_str(&text)?);
        }
        if ["rules[].sub.name", "rules[].pub.name"].contains(&self.path.as_str()) {
            let second = json!({ "name": "second", "broker": "tcp://10.0.0.3:1883" });
            spec["mqtts"]
                .as_array_mut()
                .context("no list")?
                .push(second);
        }
        *place(&mut spec, &self.path)? = value;
        Ok(spec)
    }
}

/// Every operation on the spec of the CustomResourceDefinition.
pub(super) fn all() -> anyhow::Result<Vec<Operation>> {
    let schema = crds::custom_resource::openapi();
    let mut found = Vec::new();
    collect(&schema["properties"]["spec"], "", true, &mut found)?;
    found.retain(|operation| !ELSEWHERE.contains(&operation.path.as_str()));
    Ok(found)
}

fn collect(
    schema: &Value,
    path: &str,
    required: bool,
    found: &mut Vec<Operation>,
) -> anyhow::Result<()> {
    let mut add = |change: Change| {
        found.push(Operation {
            path: path.to_owned(),
            schema: schema.clone(),
            change,
        });
    };
    if let Some(fields) = schema["properties"].as_object() {
        let needed = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, field) in fields {
            let needed = needed.iter().any(|one| one == name);
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            collect(field, &path, needed, found)?;
        }
        return Ok(());
    }
    if schema["items"].is_object() {
        add(Change::Push);
        add(Change::Pop);
        add(Change::Empty);
        if schema["x-kubernetes-list-type"] == "map" {
            add(Change::Reorder);
        }
        return collect(&schema["items"], &format!("{path}[]"), true, found);
    }
    add(Change::Other);
    if schema["type"] == "integer" {
        let [least, most] = value::bounds(schema)?;
        add(Change::Bound("least", least));
        add(Change::Bound("most", most));
    }
    let choices = value::choices(schema);
    for (index, from) in choices.iter().enumerate() {
        for to in &choices[index + 1..] {
            add(Change::Choice(from.clone(), to.clone()));
        }
    }
    if let Some([first, last]) = value::frame(path) {
        let length = schema["maxLength"].as_u64();
        let length = length.with_context(|| format!("{path} has no greatest length"))?;
        let room = usize::try_from(length)? - first.len() - last.len();
        add(Change::Longest(format!(
            "{first}{}{last}",
            "x".repeat(room)
        )));
    }
    let mut begin = value::beginning(path, base())?;
    if !required && !place(&mut begin, path)?.is_null() {
        add(Change::Absent);
    }
    Ok(())
}
