//! The known name that a mistyped one was meant to be.

/// Below this share of equal characters two names have nothing to do with each other.
const SIMILAR: f64 = 0.5;

/// The one of `known` that is most like `wanted`, if any is like it at all.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|known| (strsim::normalized_damerau_levenshtein(wanted, known), known))
        .filter(|(score, _)| *score >= SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_typing_mistake_is_recognised_and_a_stranger_is_not() {
        let known = ["retain", "broker", "name"];
        assert_eq!(nearest("retian", known), Some("retain"));
        assert_eq!(nearest("zzz", known), None);
    }
}
