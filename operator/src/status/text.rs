//! Texts of others in a status: bounded, since the API server refuses a status with a longer one.

/// Longest message in characters: below [`crds::status::MAX_MESSAGE`] bytes whatever the characters are.
const MESSAGE: usize = 1000;

/// The beginning of `text`.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_text_of_others_fits_whatever_its_characters_are() {
        assert!(shortened(&"😀".repeat(9000)).len() <= crds::status::MAX_MESSAGE);
        assert_eq!(shortened("short"), "short");
    }
}
