//! Keeps phrases out of the pages that readers have to translate; CONTRIBUTING.md says what to write instead.

use std::path::Path;

use crate::links::pages;

/// As they stand between other words.
const PHRASES: [&str; 14] = [
    "anew",
    "for ever",
    "somebody",
    "nobody",
    "everybody",
    "of which",
    "that which",
    "what has come",
    "is said of",
    "looked at",
    "looks at",
    "made again",
    "goes on",
    "kept away",
];

/// The phrases in a text, each with its line.
fn found(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let words: String = line
            .chars()
            .map(|c| {
                if c.is_alphanumeric() || c == '_' {
                    c.to_ascii_lowercase()
                } else {
                    ' '
                }
            })
            .collect();
        let words: Vec<_> = words.split_whitespace().collect();
        let line = format!(" {} ", words.join(" "));
        let phrases = PHRASES.iter();
        let phrases = phrases.filter(|phrase| line.contains(&format!(" {phrase} ")));
        found.extend(phrases.map(|phrase| (index + 1, *phrase)));
    }
    found
}

#[test]
fn phrases_are_found_between_words() {
    let text = "It is made\nAnew, and renewed.";
    assert_eq!(found(text), [(2, "anew")]);
}

#[test]
fn the_pages_are_in_plain_english() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut odd = Vec::new();
    for page in pages(&root)? {
        let text = std::fs::read_to_string(&page)?;
        let found = found(&text).into_iter();
        odd.extend(found.map(|(line, phrase)| format!("{}:{line}: {phrase}", page.display())));
    }
    assert!(odd.is_empty(), "say it in other words:\n{}", odd.join("\n"));
    Ok(())
}
