//! Python's values, as `json.loads` and expressions make them.

use std::rc::Rc;

use crds::pyyaml::float_text;
use jiter::JsonValue;

/// A value; lists and dicts are shared by reference counting.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// `None`.
    Nothing,
    /// `bool`.
    Bool(bool),
    /// `int`.
    Int(i64),
    /// An `int` of more than 64 bits, in decimal.
    Long(Rc<str>),
    /// `float`.
    Float(f64),
    /// `str`.
    Text(Rc<str>),
    /// `list`.
    List(Rc<[Self]>),
    /// `tuple`.
    Tuple(Rc<[Self]>),
    /// `dict`, of texts; each key once.
    Dict(Rc<[(Rc<str>, Self)]>),
    /// `dict.keys()`.
    Keys(Rc<[(Rc<str>, Self)]>),
    /// `dict.values()`.
    Values(Rc<[(Rc<str>, Self)]>),
}

impl Value {
    /// A text.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// What `json.loads` makes of a decoded message.
    pub(crate) fn of(json: &JsonValue<'_>) -> Self {
        match json {
            JsonValue::Null => Self::Nothing,
            JsonValue::Bool(value) => Self::Bool(*value),
            JsonValue::Int(value) => Self::Int(*value),
            JsonValue::BigInt(value) => Self::Long(value.to_string().into()),
            JsonValue::Float(value) => Self::Float(*value),
            JsonValue::Str(text) => Self::text(text),
            JsonValue::Array(items) => Self::List(items.iter().map(Self::of).collect()),
            JsonValue::Object(fields) => Self::Dict(
                fields
                    .iter()
                    .enumerate()
                    // The last of equal keys counts.
                    .filter(|(index, (key, _))| {
                        !fields[index + 1..].iter().any(|(later, _)| later == key)
                    })
                    .map(|(_, (key, value))| (Rc::from(key.as_ref()), Self::of(value)))
                    .collect(),
            ),
        }
    }

    /// Whether it is true in Python.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Long(_) => true,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) | Self::Tuple(items) => !items.is_empty(),
            Self::Dict(fields) | Self::Keys(fields) | Self::Values(fields) => !fields.is_empty(),
        }
    }

    /// The field of a dict.
    pub(super) fn field<'a>(fields: &'a [(Rc<str>, Self)], key: &str) -> Option<&'a Self> {
        let mut fields = fields.iter();
        fields
            .find(|(name, _)| **name == *key)
            .map(|(_, value)| value)
    }

    /// What `str()` makes of it, if this program can tell.
    pub(super) fn as_text(&self) -> Option<Rc<str>> {
        Some(match self {
            Self::Nothing => "None".into(),
            Self::Bool(true) => "True".into(),
            Self::Bool(false) => "False".into(),
            Self::Int(value) => value.to_string().into(),
            Self::Long(digits) => Rc::clone(digits),
            Self::Float(value) => float_text(*value).into(),
            Self::Text(text) => Rc::clone(text),
            _ => return None,
        })
    }
}
