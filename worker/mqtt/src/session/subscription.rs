//! Decides what a SUBACK means to the owner.

use crate::Event;

/// The events of a SUBACK with a reason for each of `filters` that was refused: either all are granted, or each
/// refusal is reported.
pub(super) fn granted<'a>(
    filters: impl Iterator<Item = &'a str>,
    refused: Vec<Option<String>>,
) -> Vec<Event> {
    let refusals: Vec<_> = std::iter::zip(filters, refused)
        .filter_map(|(filter, reason)| {
            Some(Event::SubscriptionRefused {
                filter: filter.to_owned(),
                reason: reason?,
            })
        })
        .collect();
    if refusals.is_empty() {
        vec![Event::Subscribed]
    } else {
        refusals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_stands_when_no_filter_is_refused() {
        let no = |reason: &str| Some(reason.to_owned());
        let table: &[(&[Option<String>], &[&str])] = &[
            (&[None, None], &["subscribed"]),
            (&[None, no("not authorized")], &["b: not authorized"]),
            (&[no("x"), no("y")], &["a: x", "b: y"]),
            // A broker that answers too little or too much.
            (&[], &["subscribed"]),
            (&[None, None, no("z")], &["subscribed"]),
        ];
        for (refused, expected) in table {
            let events = granted(["a", "b"].into_iter(), refused.to_vec());
            let found: Vec<_> = events
                .iter()
                .map(|event| match event {
                    Event::Subscribed => "subscribed".to_owned(),
                    Event::SubscriptionRefused { filter, reason } => format!("{filter}: {reason}"),
                    other => format!("{other:?}"),
                })
                .collect();
            assert_eq!(found, *expected);
        }
    }
}
