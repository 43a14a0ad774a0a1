//! Decides over what a broker ended a connection: what was outstanding is to blame, and another client only where nothing
//! else explains the end.

use super::retry::How;
use crate::inflight::Blame;
use crate::packet::Fault;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The broker closed it without a word.
    Silent,
    /// The broker said why, as MQTT 5 can.
    Said(Fault),
    /// It broke, or the broker sent what is not MQTT.
    Broken,
}

/// What was outstanding when it ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outstanding {
    /// A SUBSCRIBE without an answer.
    pub(super) subscribe: bool,
    /// The broker refused something on this connection.
    pub(super) denied: bool,
    /// Whether publications are to blame.
    pub(super) publication: Blame,
    /// The session is being drained.
    pub(super) draining: bool,
}

/// Over what the connection ended.
pub(super) fn blame(end: Ending, outstanding: Outstanding) -> How {
    let fault = match end {
        Ending::Broken | Ending::Said(Fault::Broker) => return How::Lost,
        Ending::Said(Fault::TakenOver) => return How::TakenOver,
        Ending::Said(fault) => Some(fault),
        Ending::Silent => None,
    };
    match outstanding.publication {
        Blame::Refused => return How::PublicationRefused,
        Blame::Only => return How::ClosedOverPublication,
        Blame::Unclear => {}
    }
    if outstanding.subscribe || fault == Some(Fault::Subscription) {
        return How::ClosedOverSubscription;
    }
    if fault.is_some() {
        return How::Lost;
    }
    if outstanding.draining {
        How::ClosedDraining
    } else if outstanding.denied {
        How::ClosedAfterDenial
    } else {
        How::Closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Outstanding = Outstanding {
        subscribe: false,
        denied: false,
        publication: Blame::Unclear,
        draining: false,
    };

    #[test]
    fn what_was_outstanding_is_to_blame() {
        let subscribe = Outstanding {
            subscribe: true,
            ..NOTHING
        };
        let denied = Outstanding {
            denied: true,
            ..NOTHING
        };
        let only = Outstanding {
            publication: Blame::Only,
            ..NOTHING
        };
        let refused = Outstanding {
            publication: Blame::Refused,
            ..NOTHING
        };
        let draining = Outstanding {
            draining: true,
            ..NOTHING
        };
        let said = Ending::Said;
        let table = [
            ("nothing explains it", Ending::Silent, NOTHING, How::Closed),
            (
                "SUBSCRIBE",
                Ending::Silent,
                subscribe,
                How::ClosedOverSubscription,
            ),
            ("a denial", Ending::Silent, denied, How::ClosedAfterDenial),
            (
                "a publication",
                Ending::Silent,
                only,
                How::ClosedOverPublication,
            ),
            ("poison", Ending::Silent, refused, How::PublicationRefused),
            ("a drain", Ending::Silent, draining, How::ClosedDraining),
            (
                "a takeover",
                said(Fault::TakenOver),
                subscribe,
                How::TakenOver,
            ),
            ("the broker's reasons", said(Fault::Broker), only, How::Lost),
            (
                "no wildcards",
                said(Fault::Subscription),
                NOTHING,
                How::ClosedOverSubscription,
            ),
            (
                "not authorized to subscribe",
                said(Fault::Unclear),
                subscribe,
                How::ClosedOverSubscription,
            ),
            (
                "not authorized to publish",
                said(Fault::Unclear),
                only,
                How::ClosedOverPublication,
            ),
            (
                "packet too large",
                said(Fault::Publication),
                refused,
                How::PublicationRefused,
            ),
            (
                "one of several",
                said(Fault::Publication),
                NOTHING,
                How::Lost,
            ),
            ("an unclear code", said(Fault::Unclear), NOTHING, How::Lost),
            ("a reset", Ending::Broken, subscribe, How::Lost),
        ];
        for (what, end, outstanding, expected) in table {
            assert_eq!(blame(end, outstanding), expected, "{what}");
        }
    }
}
