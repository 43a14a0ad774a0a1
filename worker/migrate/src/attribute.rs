//! Conditions in edgemodel's grammar, for what pyboot evaluated as Python.

use crds::expression::{Expression, Operator, Path, Place, Step};
use serde_json::{Map, Value as Json, json};

use crate::document::Reader;
use crate::generation::Generation;
use crate::python::{self, Comparison, Expr, Unreadable};

mod condition;

use condition::conditions;

const NOT_WRITABLE: &str = "cannot be written as a condition of edgemodel; put it into the model, which returns None for other messages";

/// Rewrites the conditions of a document, and records the changes.
pub(crate) fn translate(config: &mut Json, generation: Generation, reader: &mut Reader<'_>) {
    let funcs = config["funcs"].as_array_mut().into_iter().flatten();
    for (func, entry) in funcs.enumerate() {
        let devices = entry["devices"].as_array_mut().into_iter().flatten();
        for (device, entry) in devices.enumerate() {
            let Some(attributes) = entry["deviceAttr"].as_array_mut() else {
                continue;
            };
            let path = format!("funcs[{func}].devices[{device}].deviceAttr");
            let alone = attributes.len() == 1;
            let mut translated = Vec::new();
            for (index, attribute) in std::mem::take(attributes).into_iter().enumerate() {
                let path = format!("{path}[{index}].attrExpression");
                translated.extend(one(attribute, alone, generation, &path, reader));
            }
            *attributes = translated;
        }
    }
}

/// The attributes that replace one: none, one, or several that must all hold.
fn one(
    attribute: Json,
    alone: bool,
    generation: Generation,
    path: &str,
    reader: &mut Reader<'_>,
) -> Vec<Json> {
    let (Some(value), Some(written)) = (
        attribute["attrValue"].as_str(),
        attribute["attrExpression"].as_str(),
    ) else {
        return vec![attribute];
    };
    if !attribute["attrType"].is_null() {
        return vec![attribute];
    }
    let parsed = crds::expression::parse(written);
    let in_message = parsed
        .as_ref()
        .is_ok_and(|expression| expression.place.is_in_message());
    let pasted = generation == Generation::Attributes;
    let quoted = pasted && value.contains(['\'', '\\', '\n', '\r']);
    if in_message && !quoted {
        return vec![attribute];
    }
    let read = if pasted {
        python::parse(&format!("'{value}' {written}"), false)
    } else {
        python::parse(written, true)
    };
    match read {
        Ok(expr) => {
            let Some(found) = conditions(&expr, value) else {
                reader.note(path, format!("{written:?} {NOT_WRITABLE}"));
                return vec![attribute];
            };
            if let [only] = found.as_slice()
                && only.value != value
                && in_message
            {
                reader.note(path, format!("attrValue {value:?} is written as {:?}: pyboot read backslashes in it as Python does", only.value));
            } else if !in_message {
                reader.note(path, format!("{written:?} is written as {}", shown(&found)));
            }
            written_as(&attribute, &found)
        }
        Err(Unreadable::SyntaxError) if in_message => {
            let message = "pyboot could not read attrValue because of the quotes or line ends in it, and went by the attribute before; edgemodel compares it";
            reader.note(path, message);
            vec![attribute]
        }
        Err(Unreadable::SyntaxError) if pasted && !alone => {
            let message = format!(
                "{written:?} is left out: it is a syntax error in Python, so pyboot logged it and went by the attribute before"
            );
            reader.note(path, message);
            Vec::new()
        }
        Err(Unreadable::SyntaxError) => {
            let message = format!(
                "{written:?} is a syntax error in Python, so pyboot never found this device; correct it or remove the device"
            );
            reader.note(path, message);
            vec![attribute]
        }
        Err(Unreadable::NotUnderstood(what)) => {
            reader.note(
                path,
                format!("{written:?} is not understood: {what}; it {NOT_WRITABLE}"),
            );
            vec![attribute]
        }
    }
}

/// A condition of edgemodel.
#[derive(Debug, Clone, PartialEq)]
struct Condition {
    value: String,
    number: bool,
    expression: Expression,
}

fn shown(found: &[Condition]) -> String {
    let one = |condition: &Condition| {
        let Condition {
            value,
            number,
            expression,
        } = condition;
        if *number {
            format!("{value} {expression} (attrType: number)")
        } else {
            format!("{value:?} {expression}")
        }
    };
    found.iter().map(one).collect::<Vec<_>>().join(" and ")
}

fn written_as(attribute: &Json, found: &[Condition]) -> Vec<Json> {
    let write = |(index, condition): (usize, &Condition)| {
        let mut fields = attribute.as_object().cloned().unwrap_or_else(Map::new);
        if index > 0 {
            let name = attribute["attrName"].as_str().unwrap_or_default();
            fields.insert(
                "attrName".to_owned(),
                json!(format!("{name} {}", index + 1)),
            );
        }
        fields.insert("attrValue".to_owned(), json!(condition.value));
        fields.insert(
            "attrExpression".to_owned(),
            json!(condition.expression.to_string()),
        );
        if condition.number {
            fields.insert("attrType".to_owned(), json!("number"));
        }
        fields.into()
    };
    found.iter().enumerate().map(write).collect()
}
