//! Cases: a field, and values that are accepted and refused there.

use serde_json::Value;

use crate::api::Api;

/// Values of one field.
#[derive(Clone)]
pub(crate) struct Case {
    /// A JSON pointer into [`spec`], whose last steps may be new.
    path: &'static str,
    accepted: Vec<Value>,
    refused: Vec<(Value, Vec<&'static str>)>,
}

pub(crate) fn case(path: &'static str) -> Case {
    Case {
        path,
        accepted: Vec::new(),
        refused: Vec::new(),
    }
}

impl Case {
    pub(crate) fn accepts<T: Into<Value>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.accepted.extend(values.into_iter().map(Into::into));
        self
    }

    /// Each value is refused in words that have all of `words`, which name field and remedy.
    pub(crate) fn refuses<T: Into<Value>>(
        mut self,
        values: impl IntoIterator<Item = T>,
        words: &[&'static str],
    ) -> Self {
        let values = values
            .into_iter()
            .map(|value| (value.into(), words.to_vec()));
        self.refused.extend(values);
        self
    }

    pub(crate) fn accepted_specs(&self) -> impl Iterator<Item = Value> {
        self.accepted.iter().map(|value| self.with(value))
    }

    pub(crate) fn refused_specs(&self) -> impl Iterator<Item = Value> {
        self.refused.iter().map(|(value, _)| self.with(value))
    }

    /// [`spec`] with `value` at the path.
    fn with(&self, value: &Value) -> Value {
        let mut spec = spec();
        let mut place = &mut spec;
        for step in self.path.split('/').skip(1) {
            place = match step.parse::<usize>() {
                Ok(index) => &mut place[index],
                Err(_) => &mut place[step],
            };
        }
        *place = value.clone();
        spec
    }
}

/// Creates a runtime with each value.
#[track_caller]
pub(crate) fn check(cases: &[Case]) {
    let api = Api::new();
    for case in cases {
        for (value, spec) in case.accepted.iter().zip(case.accepted_specs()) {
            let refusals = api.create(&spec);
            assert_eq!(refusals, [], "{} {:.200}", case.path, value.to_string());
        }
        for ((value, words), spec) in case.refused.iter().zip(case.refused_specs()) {
            let said: Vec<_> = api
                .create(&spec)
                .into_iter()
                .map(|refusal| refusal.said)
                .collect();
            let said = said.join("\n");
            let what = format!("{} {:.200}", case.path, value.to_string());
            assert!(!said.is_empty(), "{what} is accepted");
            for word in words {
                assert!(said.contains(word), "{what}: no {word:?} in {said:.4000}");
            }
        }
    }
}

/// A runtime with two brokers, a rule, a model and two ports.
fn spec() -> Value {
    let text = include_str!("../../../tests/fixtures/admission/spec.json");
    serde_json::from_str(text).unwrap_or_default()
}
