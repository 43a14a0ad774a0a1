//! Decides what a broker's answers to a SUBSCRIBE mean to the owner.

use crds::validated::Qos;

use crate::Event;
use crate::packet::{Answer, Limits};

/// How often a SUBSCRIBE is sent on one connection, if the broker says that its packet id is in use.
const ATTEMPTS: u32 = 4;

/// How far apart the packet ids of further attempts are. Some brokers (mochi) take the id of a message that they sent for one
/// in use. They give these ids in a row from 1 on, so ids from the other end, far apart, don't all meet them.
const ID_STEP: u16 = 1 << 14;

/// The subscription on the present connection, if there is one.
#[derive(Debug, Default)]
pub(super) struct Subscription {
    /// The packet id of a SUBSCRIBE without an answer.
    pub(super) asked: Option<u16>,
    attempts: u32,
    /// What the broker refused on this connection.
    pub(super) denied: Option<String>,
    /// Whether the broker has granted it, on this connection or an earlier one.
    granted: bool,
}

/// What follows from a SUBACK.
#[derive(Debug)]
pub(super) enum Answered {
    /// Subscribe again, with another packet id.
    Again,
    /// Tell the owner: either that all is granted, or of each refusal.
    Tell(Vec<Event>),
}

impl Subscription {
    /// A connection ended.
    pub(super) fn ended(&mut self) {
        *self = Self {
            granted: self.granted,
            ..Self::default()
        };
    }

    /// Whether the end of the connection may be due to it. A broker that has granted it before does not end connections
    /// over it.
    pub(super) fn is_suspect(&self) -> bool {
        self.asked.is_some() && !self.granted
    }

    /// From where on to look for the packet id of the next SUBSCRIBE, if any is not as good.
    pub(super) fn next_id(&self) -> Option<u16> {
        let again = u16::try_from(self.attempts).ok()?.checked_sub(1)?;
        Some(u16::MAX - again % 4 * ID_STEP)
    }

    /// SUBSCRIBE was sent.
    pub(super) fn ask(&mut self, id: u16) {
        self.asked = Some(id);
        self.attempts += 1;
    }

    /// The broker answered.
    pub(super) fn answered(&mut self, filters: &[(String, Qos)], answers: &[Answer]) -> Answered {
        self.asked = None;
        let in_use = |answer: &Answer| {
            matches!(
                answer,
                Answer::Refused {
                    id_in_use: true,
                    ..
                }
            )
        };
        if answers.iter().any(in_use) && self.attempts < ATTEMPTS {
            return Answered::Again;
        }
        let mut granted = Vec::new();
        let mut refused = Vec::new();
        for ((filter, asked), answer) in std::iter::zip(filters, answers) {
            match answer {
                Answer::Granted(qos) => granted.push(Event::Granted {
                    filter: filter.clone(),
                    asked: *asked,
                    granted: *qos,
                }),
                Answer::Refused { reason, .. } => refused.push((filter.clone(), reason.clone())),
            }
        }
        if refused.is_empty() {
            self.granted = true;
            granted.push(Event::Subscribed);
            Answered::Tell(granted)
        } else {
            Answered::Tell(self.refuse(refused))
        }
    }

    /// Refuses what the broker said that it does not have or, by the `size` of its packet, not take; `None` if SUBSCRIBE may
    /// be sent.
    pub(super) fn refused_by(
        &mut self,
        limits: Limits,
        size: usize,
        filters: &[(String, Qos)],
    ) -> Option<Vec<Event>> {
        let refusal =
            |filter: &str| too_large(limits, size).or_else(|| not_supported(limits, filter));
        let refused: Vec<_> = filters
            .iter()
            .filter_map(|(filter, _)| Some((filter.clone(), refusal(filter)?)))
            .collect();
        (!refused.is_empty()).then(|| self.refuse(refused))
    }

    fn refuse(&mut self, refused: Vec<(String, String)>) -> Vec<Event> {
        self.denied = refused
            .first()
            .map(|(filter, reason)| format!("the subscription to {filter:?}: {reason}"));
        refused
            .into_iter()
            .map(|(filter, reason)| Event::SubscriptionRefused { filter, reason })
            .collect()
    }
}

fn too_large(limits: Limits, size: usize) -> Option<String> {
    let limit = limits.max_packet_size?;
    (size > limit as usize).then(|| {
        format!(
            "all filters together make a packet of {size} bytes, and the broker takes {limit} bytes at most"
        )
    })
}

fn not_supported(limits: Limits, filter: &str) -> Option<String> {
    let what = if limits.lacks.shared && filter.starts_with("$share/") {
        "shared subscriptions"
    } else if limits.lacks.wildcards && filter.contains(['+', '#']) {
        "wildcards"
    } else {
        return None;
    };
    Some(format!("the broker does not support {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Lacks;

    fn texts(events: &[Event]) -> Vec<String> {
        let text = |event: &Event| match event {
            Event::Subscribed => "subscribed".to_owned(),
            Event::SubscriptionRefused { filter, reason } => format!("{filter}: {reason}"),
            Event::Granted {
                filter, granted, ..
            } => format!("{filter} at {}", granted.level()),
            other => format!("{other:?}"),
        };
        events.iter().map(text).collect()
    }

    #[test]
    fn a_subscription_stands_when_no_filter_is_refused() {
        let filters = ["a", "b"].map(|filter| (filter.to_owned(), Qos::ExactlyOnce));
        let yes = Answer::Granted(Qos::AtLeastOnce);
        let no = |reason: &str| Answer::Refused {
            reason: reason.to_owned(),
            id_in_use: false,
        };
        let table: &[(&[Answer], &[&str])] = &[
            (
                &[yes.clone(), yes.clone()],
                &["a at 1", "b at 1", "subscribed"],
            ),
            (&[yes.clone(), no("not authorized")], &["b: not authorized"]),
            (&[no("x"), no("y")], &["a: x", "b: y"]),
            // A broker that answers too little or too much.
            (&[], &["subscribed"]),
            (
                &[yes.clone(), yes, no("z")],
                &["a at 1", "b at 1", "subscribed"],
            ),
        ];
        for (answers, expected) in table {
            let mut subscription = Subscription::default();
            subscription.ask(1);
            let Answered::Tell(events) = subscription.answered(&filters, answers) else {
                unreachable!("{answers:?}");
            };
            assert_eq!(texts(&events), *expected);
        }
    }

    #[test]
    fn a_packet_id_in_use_is_replaced_a_few_times() {
        let filters = [("a".to_owned(), Qos::AtLeastOnce)];
        let in_use = [Answer::Refused {
            reason: "packet identifier in use".to_owned(),
            id_in_use: true,
        }];
        let mut subscription = Subscription::default();
        for id in 1..4 {
            subscription.ask(id);
            let answered = subscription.answered(&filters, &in_use);
            assert!(matches!(answered, Answered::Again), "{answered:?}");
        }
        subscription.ask(4);
        let Answered::Tell(events) = subscription.answered(&filters, &in_use) else {
            unreachable!("no end");
        };
        assert_eq!(texts(&events), ["a: packet identifier in use"]);
    }

    #[test]
    fn what_a_broker_does_not_have_is_not_asked_for() {
        let limits = Limits {
            lacks: Lacks {
                shared: true,
                wildcards: true,
                retain: false,
            },
            ..Limits::default()
        };
        let table = [
            ("a/b", None),
            ("a/+", Some("a/+: the broker does not support wildcards")),
            (
                "$share/g/a",
                Some("$share/g/a: the broker does not support shared subscriptions"),
            ),
        ];
        for (filter, expected) in table {
            let filters = [(filter.to_owned(), Qos::AtLeastOnce)];
            let mut subscription = Subscription::default();
            let events = subscription.refused_by(limits, 9, &filters);
            let events = events.map(|events| texts(&events).join(", "));
            assert_eq!(events.as_deref(), expected);
            let none = subscription.refused_by(Limits::default(), 9, &filters);
            assert!(none.is_none());
        }
    }
}
