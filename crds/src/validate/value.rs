//! A value and its path. Reading a value of the wrong shape reports nothing, since the first pass has.

use std::collections::HashSet;
use std::time::Duration;

use super::{Report, child};
use crate::node::{Node, Value};

/// The longest time span of any setting.
const LONGEST: Duration = Duration::from_hours(1);

/// A node and its path.
#[derive(Clone)]
pub(super) struct Field<'a> {
    pub(super) node: &'a Node,
    pub(super) path: String,
}

impl<'a> Field<'a> {
    pub(super) fn get(&self, name: &str) -> Option<Self> {
        self.node.get(name).map(|node| Self {
            node,
            path: child(&self.path, name),
        })
    }

    pub(super) fn items(&self, name: &str) -> Vec<Self> {
        let Some(Value::List(items)) = self.node.get(name).map(|node| &node.value) else {
            return Vec::new();
        };
        let path = child(&self.path, name);
        let item = |(index, node)| Self {
            node,
            path: format!("{path}[{index}]"),
        };
        items.iter().enumerate().map(item).collect()
    }

    pub(super) fn as_text(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.as_text().map(str::to_owned)
    }

    pub(super) fn bool(&self, name: &str) -> Option<bool> {
        match self.get(name)?.node.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// A whole number that `T` holds.
    pub(super) fn number<T: TryFrom<i64>>(&self, name: &str) -> Option<T> {
        match self.get(name)?.node.value {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "out of range is refused by T"
            )]
            Value::Number(value) if value.fract() == 0.0 => T::try_from(value as i64).ok(),
            _ => None,
        }
    }

    pub(super) fn report(
        &self,
        report: &mut Report,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        report.add(&self.path, self.node.position, message, remedy);
    }

    /// A name: not blank, no control characters.
    pub(super) fn name(&self, name: &str, report: &mut Report) -> Option<String> {
        let field = self.get(name)?;
        let text = field.as_text()?;
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            let message = format!("{text:?} is not a name");
            field.report(report, message, "write some visible text on one line");
            return None;
        }
        Some(text.to_owned())
    }

    /// A [`Self::name`] that is not in `taken`.
    pub(super) fn unique_name(
        &self,
        name: &str,
        taken: &mut HashSet<String>,
        report: &mut Report,
    ) -> Option<String> {
        let text = self.name(name, report)?;
        if !taken.insert(text.clone()) {
            let field = self.get(name)?;
            field.report(
                report,
                format!("{text:?} is used twice"),
                "give each its own name",
            );
        }
        Some(text)
    }

    /// Seconds, or a text with a unit.
    pub(super) fn duration(&self, name: &str, default: Duration, report: &mut Report) -> Duration {
        let Some(field) = self.get(name) else {
            return default;
        };
        let seconds = match &field.node.value {
            Value::Number(seconds) => Some(*seconds),
            Value::Text(text) => seconds(text),
            _ => return default,
        };
        let duration = seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .filter(|duration| !duration.is_zero() && *duration <= LONGEST);
        duration.unwrap_or_else(|| {
            let message = format!("{} is not a time span", field.node.value);
            let remedy =
                "write seconds, or text such as \"500ms\", \"10s\" or \"2m\", up to one hour";
            field.report(report, message, remedy);
            default
        })
    }
}

fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0)];
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))
        .unwrap_or((text, 1.0));
    number
        .trim()
        .parse::<f64>()
        .ok()
        .map(|number| number * factor)
}
