//! The contenders, and what of each the measurements take into account.

/// See the module's description. Tables have this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Messages go from the publisher over the broker to the reader, through nothing else.
    Broker,
    /// edgemodel.
    Worker,
    /// Python as pyboot was.
    Plain,
    /// The best that Python can do by hand.
    Tuned,
    Ekuiper,
    Bento,
}

/// How a contender is described, and what it can take.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) name: &'static str,
    /// How it is set up, where that makes a difference.
    pub(crate) setup: &'static str,
    /// To measure its throughput, one of so many messages is enough.
    pub(crate) share: u64,
    /// The highest rate at which its times are measured.
    pub(crate) keeps_up: u64,
    /// Messages that may be on their way at once, if fewer than others take.
    pub(crate) holds: u64,
}

const BROKER: Facts = Facts {
    name: "broker alone, one hop",
    setup: "the limits of the README",
    share: 1,
    keeps_up: u64::MAX,
    holds: u64::MAX,
};

const WORKER: Facts = Facts {
    name: "edgemodel",
    setup: "nothing but topics, `clientId` and devices; acknowledges a message after its result was acknowledged",
    ..BROKER
};

const PLAIN: Facts = Facts {
    name: "pyboot-shaped Python (paho, ten threads)",
    setup: "as pyboot: two queues of 1,000 that drop what is beyond, `json`, no session, acknowledges on receipt; the \
            load never has more than 1,000 messages on their way",
    share: 4,
    keeps_up: 1_000,
    holds: 1_000,
};

const TUNED: Facts = Facts {
    name: "tuned Python (gmqtt, uvloop, orjson)",
    setup: "one thread, keeps its session, acknowledges on receipt",
    ..BROKER
};

const EKUIPER: Facts = Facts {
    name: "eKuiper, model as a Python plugin",
    setup: "built with the tags `core portable`; the model is a portable plugin; `enableClientSession`, rule with `qos: 1` \
            and `disableBufferFullDiscard`",
    share: 4,
    keeps_up: 1_000,
    holds: u64::MAX,
};

const BENTO: Facts = Facts {
    name: "Bento, model as a Python subprocess",
    setup: "the processor `subprocess` with messages behind their length; `clean_session: false`, threads and \
            `max_in_flight` by default",
    ..EKUIPER
};

impl Kind {
    /// All that take part, in the order of their turns.
    pub(crate) const ALL: [Self; 5] = [
        Self::Worker,
        Self::Plain,
        Self::Tuned,
        Self::Ekuiper,
        Self::Bento,
    ];

    pub(crate) fn facts(self) -> &'static Facts {
        match self {
            Self::Broker => &BROKER,
            Self::Worker => &WORKER,
            Self::Plain => &PLAIN,
            Self::Tuned => &TUNED,
            Self::Ekuiper => &EKUIPER,
            Self::Bento => &BENTO,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        self.facts().name
    }
}
