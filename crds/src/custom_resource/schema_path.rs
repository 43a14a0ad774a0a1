//! Paths in a schema, as the tables of bounds and rules write them: `spec.funcs[].devices[].deviceName`.
//! `[]` are a list's items and `{}` a map's values.

use serde_json::Value;

/// The schema at `path`, if there is one.
pub(super) fn find<'a>(schema: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split('.').try_fold(schema, |schema, step| {
        let name = step.trim_end_matches(['[', ']', '{', '}']);
        let mut found = schema.get_mut("properties")?.get_mut(name)?;
        let mut rest = &step[name.len()..];
        while !rest.is_empty() {
            let (inner, after) = match rest.strip_prefix("[]") {
                Some(after) => ("items", after),
                None => ("additionalProperties", rest.strip_prefix("{}")?),
            };
            found = found.get_mut(inner)?;
            rest = after;
        }
        Some(found)
    })
}
