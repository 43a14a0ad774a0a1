//! Says what the message has where a condition does not hold, and what may have been meant.

use crds::nearest;
use crds::validated::{Operand, Path, Place, Step};
use jiter::JsonValue;

use crate::matcher::{Subject, Target, follow, resolve};

/// Maximum characters of an excerpt.
const EXCERPT: usize = 60;

/// Why `value` and what stands at `place` do not compare as the expression asks, in one sentence.
pub(super) fn why(value: &Operand, place: &Place, subject: Subject<'_>) -> String {
    let Ok(found) = resolve(place, subject) else {
        return match (place, subject.message) {
            (Place::Message(path), Some(message)) => dead_end(path, message),
            _ if subject.topic.is_empty() => "the topic is not known; give --topic".to_owned(),
            _ => {
                let levels = subject.topic.split('/').count();
                format!(
                    "{:?} has {levels} levels, so none at {place}",
                    subject.topic
                )
            }
        };
    };
    let actual = match &found {
        Target::Text(text) => format!("{text:?}"),
        Target::Value(value) => excerpt(value),
    };
    let mut why = format!("{place} is {actual}");
    if let Some(hint) = hint(value, &found) {
        why += "; ";
        why += &hint;
    }
    why
}

/// Explains at which step a path fails.
fn dead_end(path: &Path, message: &JsonValue) -> String {
    for length in 0..path.0.len() {
        let before = Path(path.0[..length].to_vec());
        let (Ok(Target::Value(parent)), step) = (follow(&before, message), &path.0[length]) else {
            break;
        };
        if follow(&Path(path.0[..=length].to_vec()), message).is_ok() {
            continue;
        }
        return match (parent, step) {
            (JsonValue::Object(_), Step::Key(key)) => {
                let hint = nearest(key, texts(parent))
                    .map_or_else(String::new, |near| format!("; the nearest is {near:?}"));
                format!("{before} has no key {key:?}{hint}")
            }
            (JsonValue::Array(items), Step::Index(index)) => {
                format!("{before} has {} elements, so none at {index}", items.len())
            }
            _ => format!("{before} is {}, which has no {step}", excerpt(parent)),
        };
    }
    format!("{path} is not in the message")
}

fn hint(value: &Operand, found: &Target) -> Option<String> {
    let value = match value {
        Operand::Text(text) => text.as_str(),
        Operand::Number(_) => {
            return found
                .text()
                .map(|_| "it is a text, and attrType is number".to_owned());
        }
    };
    match found {
        Target::Value(container @ (JsonValue::Object(_) | JsonValue::Array(_))) => {
            let near = nearest(value, texts(container)).filter(|near| *near != value)?;
            Some(format!("the nearest to {value:?} in it is {near:?}"))
        }
        Target::Value(scalar @ (JsonValue::Int(_) | JsonValue::Float(_) | JsonValue::Bool(_)))
            if excerpt(scalar).eq_ignore_ascii_case(value) =>
        {
            Some(format!(
                "it is not the text {value:?}; set attrType: number to compare it as a number"
            ))
        }
        _ => {
            let text = found.text().filter(|text| *text != value)?;
            if text.trim() == value.trim() {
                Some("they differ in blanks".to_owned())
            } else if text.to_lowercase() == value.to_lowercase() {
                Some("they differ in case".to_owned())
            } else {
                None
            }
        }
    }
}

/// The keys of an object, or the texts in a list.
fn texts<'m>(container: &'m JsonValue<'m>) -> Vec<&'m str> {
    match container {
        JsonValue::Object(fields) => fields.iter().map(|(key, _)| key.as_ref()).collect(),
        JsonValue::Array(items) => items
            .iter()
            .filter_map(|item| match item {
                JsonValue::Str(text) => Some(text.as_ref()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn excerpt(value: &JsonValue) -> String {
    let text = match value {
        JsonValue::Null => "null".to_owned(),
        JsonValue::Bool(value) => value.to_string(),
        JsonValue::Int(value) => value.to_string(),
        JsonValue::BigInt(value) => value.to_string(),
        JsonValue::Float(value) => value.to_string(),
        JsonValue::Str(value) => format!("{value:?}"),
        JsonValue::Array(items) => format!("a list of {}", items.len()),
        JsonValue::Object(_) => format!("an object with the keys {}", texts(value).join(", ")),
    };
    if text.chars().count() <= EXCERPT {
        return text;
    }
    text.chars().take(EXCERPT).chain("…".chars()).collect()
}
