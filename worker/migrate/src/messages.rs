//! Which messages are treated differently than in pyboot.

use matching::Matcher;

use crate::Migrated;

/// What became of a sequence of messages.
#[derive(Debug, Default)]
pub struct Comparison {
    /// How many messages were compared.
    pub messages: usize,
    /// Those that are treated differently.
    pub differences: Vec<Difference>,
    /// Those for which pyboot's behaviour is unknown.
    pub unknown: Vec<Unknown>,
    /// The messages on which pyboot's threads ended.
    pub ended: Vec<Ended>,
}

/// A message that gets another number of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Line of the message, from 1.
    pub line: usize,
    /// The model.
    pub model: String,
    /// How many results pyboot published at most.
    pub before: usize,
    /// How many edgemodel publishes at most: 0 or 1.
    pub now: usize,
    /// Why.
    pub why: String,
}

/// A message for which pyboot's behaviour is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Line of the message, from 1.
    pub line: usize,
    /// The model.
    pub model: String,
    /// The part of the configuration that this program cannot interpret.
    pub why: String,
}

/// An exception that ended one of pyboot's threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Line of the message, from 1.
    pub line: usize,
    /// The model.
    pub model: String,
    /// Python's name of the exception.
    pub exception: &'static str,
}

/// Runs messages, one on each line, through both; `None` where the migrated configuration is not valid yet.
pub fn compare<'a>(
    migrated: &Migrated,
    lines: impl Iterator<Item = &'a [u8]>,
) -> Option<Comparison> {
    let runtime = migrated.runtime.as_ref().ok()?;
    let mut matchers: Vec<_> = runtime.funcs.iter().map(Matcher::of).collect();
    let mut comparison = Comparison::default();
    for (index, payload) in lines.enumerate() {
        let payload = payload.trim_ascii_end();
        if payload.is_empty() {
            continue;
        }
        comparison.messages += 1;
        let fates = migrated.old.fates(payload);
        for (model, matcher) in matchers.iter_mut().enumerate() {
            let of_model = || {
                migrated
                    .models
                    .iter()
                    .zip(&fates)
                    .filter(|(place, _)| **place == model)
                    .map(|(_, fate)| fate)
            };
            let (line, name) = (index + 1, runtime.funcs[model].name.clone());
            if let Some(exception) = of_model().find_map(|fate| fate.raised) {
                comparison.ended.push(Ended {
                    line,
                    model: name.clone(),
                    exception,
                });
            }
            if let Some(why) = of_model().find_map(|fate| fate.unknown.clone()) {
                comparison.unknown.push(Unknown {
                    line,
                    model: name,
                    why,
                });
                continue;
            }
            let found = matcher.find("", payload);
            let now = usize::from(matches!(found, Ok(Some(_))));
            let before = of_model().filter_map(|fate| fate.results).sum();
            if before != now {
                let why = why(
                    before,
                    now,
                    of_model().any(|fate| fate.replaced),
                    of_model().find_map(|fate| fate.raised),
                    &found,
                );
                comparison.differences.push(Difference {
                    line,
                    model: name,
                    before,
                    now,
                    why,
                });
            }
        }
    }
    Some(comparison)
}

fn why(
    before: usize,
    now: usize,
    replaced: bool,
    raised: Option<&str>,
    found: &Result<Option<std::sync::Arc<str>>, matching::Undecodable>,
) -> String {
    match (before, now, found) {
        (0, 1, _) if replaced => "pyboot published a later model's result instead".to_owned(),
        (0, 1, _) => match raised {
            Some(raised) => format!("an expression raised {raised} in pyboot before this device"),
            None => "pyboot's last attribute did not hold, or it had none, or it could not read the message".to_owned(),
        },
        (_, 1, _) => "several devices match: a message goes to a model once".to_owned(),
        (_, _, Err(undecodable)) => format!("edgemodel cannot decode it: {undecodable}"),
        _ => "an attribute before the last does not hold; `edgemodel explain` shows which".to_owned(),
    }
}
