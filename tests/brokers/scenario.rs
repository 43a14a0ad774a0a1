//! What happens to the broker and the workers while messages flow.

/// See the module's description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    Undisturbed,
    BrokerRestarted,
    BrokerKilled,
    WorkerEnded,
    WorkerKilled,
    Takeover,
    Shared,
    SharedEnded,
}

impl Scenario {
    pub(crate) const ALL: [Self; 8] = [
        Self::Undisturbed,
        Self::BrokerRestarted,
        Self::BrokerKilled,
        Self::WorkerEnded,
        Self::WorkerKilled,
        Self::Takeover,
        Self::Shared,
        Self::SharedEnded,
    ];

    /// As the table has it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Undisturbed => "undisturbed",
            Self::BrokerRestarted => "broker restarted",
            Self::BrokerKilled => "broker killed, started again",
            Self::WorkerEnded => "worker ended, started again",
            Self::WorkerKilled => "worker killed, started again",
            Self::Takeover => "another worker takes over",
            Self::Shared => "two workers on `$share`",
            Self::SharedEnded => "the same, one of them ended",
        }
    }

    /// Whether several workers share a subscription; they don't keep the order of a device.
    pub(crate) fn is_shared(self) -> bool {
        matches!(self, Self::Shared | Self::SharedEnded)
    }

    /// Whether messages may come twice: something ends before it has had an acknowledgement.
    pub(crate) fn may_repeat(self) -> bool {
        matches!(
            self,
            Self::BrokerRestarted | Self::BrokerKilled | Self::WorkerKilled | Self::Takeover
        )
    }
}
