//! One thing that can be done to a property of a spec.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::value::{self, place};

#[derive(Debug, Clone)]
pub(super) enum Change {
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
    /// The property's path.
    pub(super) path: String,
    pub(super) schema: Value,
    pub(super) change: Change,
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
