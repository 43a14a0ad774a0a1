//! The words of a reference page besides the descriptions.

/// What a page in one language says.
pub(crate) struct Language {
    pub(super) head: &'static str,
    pub(super) top_level: &'static str,
    pub(super) columns: [&'static str; 5],
    pub(super) kinds: Kinds,
    pub(super) required: &'static str,
    pub(super) none: &'static str,
    pub(super) empty: &'static str,
    pub(super) or: &'static str,
    pub(super) comma: &'static str,
    /// What the sentence of a description that tells the default begins with, after the sentence before.
    pub(super) default: &'static str,
    pub(super) between: fn(&str, &str) -> String,
    pub(super) range: fn(&str, &str) -> String,
    pub(super) length: fn(Option<&str>, &str) -> String,
    pub(super) entries: fn(&str) -> String,
    /// A description in this language.
    pub(super) translate: fn(&str) -> String,
}

/// The names of JSON's types.
pub(super) struct Kinds {
    pub(super) text: &'static str,
    pub(super) integer: &'static str,
    pub(super) number: &'static str,
    pub(super) boolean: &'static str,
    pub(super) list: &'static str,
    pub(super) map: &'static str,
}

pub(crate) const ENGLISH: Language = Language {
    head: "\
<!-- Written by `cargo xtask gen` from crds/src/runtime; edit the comments there. -->

# The configuration

All fields of a configuration file, YAML or JSON. A field that is not listed here is refused.
`edgemodel check --config FILE` says what is wrong with a file, all of it at once.
",
    top_level: "Top level",
    columns: ["field", "type", "default", "bounds", "description"],
    kinds: Kinds {
        text: "text",
        integer: "whole number",
        number: "number",
        boolean: "true or false",
        list: "list",
        map: "map",
    },
    required: "required",
    none: "none",
    empty: "empty",
    or: " or ",
    comma: ", ",
    default: " Default",
    between: |low, high| format!("above {low}, below {high}"),
    range: |low, high| format!("{low} to {high}"),
    length: |least, most| match least {
        Some(least) => format!("{least} to {most} characters"),
        None => format!("at most {most} characters"),
    },
    entries: |most| format!("at most {most} entries"),
    translate: str::to_owned,
};
