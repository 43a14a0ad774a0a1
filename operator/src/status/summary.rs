//! Lists as the columns of `kubectl get` hold them: a column shows only the first of several values.

use std::collections::BTreeSet;

use crds::status::ModelStatus;

/// Most characters of a summary, but for the count of what is left out; the API server refuses more than 256.
const LONGEST: usize = 240;

/// Characters of a digest: enough to tell versions apart.
const SHORT: usize = 12;

/// The digests that the spec asks for.
pub(super) fn wanted(models: &[ModelStatus]) -> Option<String> {
    let models = models.iter();
    joined(models.map(|model| short(model.wanted.as_deref())))
}

/// The digests that are served.
pub(super) fn serving(models: &[ModelStatus]) -> Option<String> {
    let serving = models.iter().map(|model| model.serving.as_ref());
    joined(serving.map(|serving| short(serving.map(|one| one.digest.as_str()))))
}

/// The nodes where they are.
pub(super) fn nodes(models: &[ModelStatus]) -> Option<String> {
    let serving = models.iter().filter_map(|model| model.serving.as_ref());
    let nodes: BTreeSet<_> = serving.filter_map(|one| one.node.clone()).collect();
    joined(nodes.into_iter())
}

/// The beginning of a digest, after its algorithm.
fn short(digest: Option<&str>) -> String {
    let Some(digest) = digest else {
        return "-".to_owned();
    };
    let text = digest.split_once(':').map_or(digest, |(_, text)| text);
    text.chars().take(SHORT).collect()
}

/// All texts, or the first and how many more there are; `None` if there are none.
fn joined(texts: impl ExactSizeIterator<Item = String>) -> Option<String> {
    let count = texts.len();
    let mut line = String::new();
    for (index, text) in texts.enumerate() {
        if line.len() + text.len() > LONGEST {
            line.push_str(&format!("+{}", count - index));
            break;
        }
        line.push_str(&text);
        if index + 1 < count {
            line.push(',');
        }
    }
    (count > 0).then_some(line)
}

#[cfg(test)]
mod tests {
    use crds::status::Serving;

    use super::*;

    fn model(wanted: Option<&str>, serving: Option<(&str, &str)>) -> ModelStatus {
        ModelStatus {
            wanted: wanted.map(str::to_owned),
            serving: serving.map(|(digest, node)| Serving {
                digest: digest.to_owned(),
                node: Some(node.to_owned()),
                ..Serving::default()
            }),
            ..ModelStatus::default()
        }
    }

    #[test]
    fn each_model_has_its_place_and_each_node_is_there_once() {
        let models = [
            model(
                Some("sha256:0123456789abcdef"),
                Some(("md5:pZ4DJ+YhYM9ppHD+VhLi+A==", "n7")),
            ),
            model(None, None),
            model(Some("md5:short"), Some(("md5:short", "n7"))),
        ];
        let text = |summary: Option<String>| summary.unwrap();
        assert_eq!(text(wanted(&models)), "0123456789ab,-,short");
        assert_eq!(text(serving(&models)), "pZ4DJ+YhYM9p,-,short");
        assert_eq!(text(nodes(&models)), "n7");
        assert_eq!(wanted(&[]), None);
        assert_eq!(nodes(&models[1..2]), None);
    }

    /// The API server would refuse the whole status.
    #[test]
    fn a_summary_of_many_is_bounded_and_says_how_many_it_leaves_out() {
        let models = vec![model(Some("sha256:0123456789abcdef"), None); 64];
        let line = wanted(&models).unwrap();
        assert!(line.len() <= 256 && line.ends_with(",+46"), "{line}");
        let long = [model(None, Some(("d", &"n".repeat(253))))];
        assert_eq!(nodes(&long).unwrap(), "+1");
    }
}
