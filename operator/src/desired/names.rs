//! Names of children: legal, stable, at most 63 characters, and different for different things.
//!
//! A name shows what it is for and ends in a digest of all that it is for, since names of runtimes and
//! models may be long, may hold any character, and may run into each other (`a-b`, `c` and `a`, `b-c`).

use crds::digest::hex;
use sha2::{Digest as _, Sha256};

/// Longest part of a runtime's name in a child's.
const RUNTIME: usize = 24;
/// Longest part of a model's or port's name in a child's: with the runtime's, two digests and four
/// hyphens it stays within 63.
const PART: usize = 16;

/// The name of the Deployment of `model`.
pub fn deployment(runtime: &str, model: &str) -> String {
    name(runtime, "model", model)
}

/// The name of the ConfigMap of `model` with the configuration of that digest.
pub fn config_map(runtime: &str, model: &str, digest: &str) -> String {
    format!("{}-{digest}", name(runtime, "model", model))
}

/// The name of the Service of the port `expose`.
pub fn service(runtime: &str, expose: &str) -> String {
    name(runtime, "expose", expose)
}

/// The name of the headless Service of all workers.
pub fn workers(runtime: &str) -> String {
    name(runtime, "workers", "workers")
}

/// `text` as the value of a label: itself where it may be, else with a digest.
pub fn label(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: char| c.is_ascii_alphanumeric();
    let legal = text.len() <= 63
        && text.chars().all(plain)
        && text.starts_with(edge)
        && text.ends_with(edge);
    if legal {
        return text.to_owned();
    }
    joined(&[&slug(text, 40), &digest(&[text])])
}

fn name(runtime: &str, kind: &str, part: &str) -> String {
    let name = joined(&[
        &slug(runtime, RUNTIME),
        &slug(part, PART),
        &digest(&[runtime, kind, part]),
    ]);
    // A Service's name starts with a letter.
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("e{name}")
    } else {
        name
    }
}

/// The lower-case letters, digits and hyphens of `text`, at most `length`, with no hyphen at its ends.
fn slug(text: &str, length: usize) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        let character = character.to_ascii_lowercase();
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_start_matches('-');
    slug[..slug.len().min(length)]
        .trim_end_matches('-')
        .to_owned()
}

fn joined(parts: &[&str]) -> String {
    let parts: Vec<_> = parts
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect();
    parts.join("-")
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize()[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_legal(name: &str) {
        assert!(name.len() <= 63, "{name}");
        assert!(name.starts_with(|c: char| c.is_ascii_lowercase()), "{name}");
        assert!(
            name.ends_with(|c: char| c.is_ascii_alphanumeric()),
            "{name}"
        );
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(name.chars().all(plain), "{name}");
    }

    #[test]
    fn names_are_legal_whatever_runtimes_and_models_are_called() {
        let long = "x.".repeat(126) + "x";
        for runtime in ["edgemodel", "9", &long] {
            for model in ["industry", "设备", "../..", "'\"", "9", "class", &long, "-"] {
                is_legal(&config_map(runtime, model, "0123456789"));
                is_legal(&deployment(runtime, model));
                is_legal(&service(runtime, model));
            }
        }
    }

    #[test]
    fn names_show_what_they_are_for() {
        assert!(deployment("edgemodel", "industry").starts_with("edgemodel-industry-"));
        assert_eq!(label("industry"), "industry");
        assert!(label("设备2").starts_with("2-"));
    }

    /// Another digest would be another Deployment: every worker would be replaced at an upgrade.
    #[test]
    fn names_stay_as_they_are() {
        assert_eq!(digest(&["runtime", "model", "part"]), "3dad2523");
    }

    #[track_caller]
    fn slugs(text: &str, length: usize, expected: &str) {
        assert_eq!(slug(text, length), expected);
    }

    #[test]
    fn a_slug_has_letters_digits_and_single_hyphens() {
        slugs("Line 1", 9, "line-1");
        slugs("a__b", 9, "a-b");
        slugs("--a--", 9, "a");
        slugs("abcdef", 3, "abc");
        slugs("ab-cd", 3, "ab");
        slugs("设备", 9, "");
    }

    #[track_caller]
    fn labels(text: &str, legal: bool) {
        assert_eq!(label(text) == text, legal, "{text}");
        assert!(label(text).len() <= 63, "{text}");
    }

    #[test]
    fn a_label_is_the_text_itself_where_that_is_legal() {
        labels("a.b_c-D9", true);
        labels(&"a".repeat(63), true);
        labels(&"a".repeat(64), false);
        labels("", false);
        labels("-a", false);
        labels("a.", false);
        labels("a b", false);
        assert_ne!(label("a b"), label("a/b"));
    }

    #[test]
    fn a_configuration_of_another_digest_has_another_name() {
        assert_ne!(config_map("a", "m", "1"), config_map("a", "m", "2"));
        assert!(config_map("a", "m", "1").starts_with(&deployment("a", "m")));
    }

    #[test]
    fn names_of_different_things_differ() {
        assert_ne!(deployment("a", "b-c"), deployment("a-b", "c"));
        assert_ne!(deployment("a", "设"), deployment("a", "备"));
        assert_ne!(service("a", "workers"), workers("a"));
    }
}
