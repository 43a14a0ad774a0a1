//! What a broker takes of a publication: its quality of service, and whether it is retained.

use crds::validated::Qos;

use crate::packet::Limits;
use crate::{Notice, Publication};

/// See the module's description.
#[derive(Debug)]
pub(super) struct Learned {
    /// What the broker said of this connection.
    qos: Qos,
    retains: bool,
    /// What it has shown since.
    shown_qos: Qos,
    shown_retains: bool,
    /// What was lowered and has not been told, and what has.
    notices: Vec<Notice>,
    told: Vec<Notice>,
}

impl Default for Learned {
    fn default() -> Self {
        Self {
            qos: Qos::ExactlyOnce,
            retains: true,
            shown_qos: Qos::ExactlyOnce,
            shown_retains: true,
            notices: Vec::new(),
            told: Vec::new(),
        }
    }
}

impl Learned {
    /// A connection begins.
    pub(super) fn connected(&mut self, limits: &Limits) {
        self.qos = limits.qos.unwrap_or(Qos::ExactlyOnce);
        self.retains = !limits.lacks.retain;
    }

    /// The broker showed that it takes `qos` at most.
    pub(super) fn lower(&mut self, qos: Qos) {
        self.shown_qos = self.shown_qos.min(qos);
        self.tell(Notice::QosLowered(self.shown_qos));
    }

    /// The broker showed that it takes less than what it gets.
    pub(super) fn step_down(&mut self) {
        let lower = match self.qos.min(self.shown_qos) {
            Qos::ExactlyOnce => Qos::AtLeastOnce,
            Qos::AtLeastOnce | Qos::AtMostOnce => Qos::AtMostOnce,
        };
        self.lower(lower);
    }

    /// The broker showed that it retains nothing.
    pub(super) fn no_retain(&mut self) {
        self.shown_retains = false;
    }

    /// Makes of a publication what the broker takes.
    pub(super) fn fit(&mut self, publication: &mut Publication) {
        let qos = self.qos.min(self.shown_qos);
        if publication.qos > qos {
            publication.qos = qos;
            self.tell(Notice::QosLowered(qos));
        }
        if publication.retain && !(self.retains && self.shown_retains) {
            publication.retain = false;
            self.tell(Notice::RetainDropped);
        }
    }

    fn tell(&mut self, notice: Notice) {
        if !self.told.contains(&notice) {
            self.told.push(notice.clone());
            self.notices.push(notice);
        }
    }

    /// What was lowered for the first time.
    pub(super) fn take_notices(&mut self) -> std::vec::Drain<'_, Notice> {
        self.notices.drain(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Lacks;

    #[test]
    fn a_publication_becomes_what_the_broker_takes_and_that_is_told_once() {
        use Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};
        let mut learned = Learned::default();
        let fitted = |learned: &mut Learned, qos, retain| {
            let mut publication = Publication {
                topic: "t".into(),
                payload: bytes::Bytes::new(),
                qos,
                retain,
                hops: 0,
            };
            learned.fit(&mut publication);
            let notices: Vec<_> = learned.take_notices().collect();
            (publication.qos, publication.retain, notices)
        };
        let as_it_is = (ExactlyOnce, true, vec![]);
        assert_eq!(fitted(&mut learned, ExactlyOnce, true), as_it_is);
        learned.connected(&Limits {
            qos: Some(AtLeastOnce),
            lacks: Lacks {
                retain: true,
                ..Lacks::default()
            },
            ..Limits::default()
        });
        let told = vec![Notice::QosLowered(AtLeastOnce), Notice::RetainDropped];
        let lowered = (AtLeastOnce, false, told);
        assert_eq!(fitted(&mut learned, ExactlyOnce, true), lowered);
        let again = (AtLeastOnce, false, vec![]);
        assert_eq!(fitted(&mut learned, ExactlyOnce, true), again);
        assert_eq!(fitted(&mut learned, AtMostOnce, false).0, AtMostOnce);
        // A broker that is replaced by one that takes more.
        learned.connected(&Limits::default());
        assert_eq!(fitted(&mut learned, ExactlyOnce, true), as_it_is);
        // One that shows it is believed on later connections, too.
        learned.lower(AtLeastOnce);
        learned.no_retain();
        learned.connected(&Limits::default());
        assert_eq!(fitted(&mut learned, ExactlyOnce, true), again);
    }
}
