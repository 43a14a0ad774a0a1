//! The known name closest to a mistyped one.

/// Names that are less similar than this are unrelated.
const SIMILAR: f64 = 0.5;

/// The name in `known` that is most similar to `wanted`, unless all are unrelated.
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
