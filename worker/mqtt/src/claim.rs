//! What the owner of a session wants when another client uses its client id (ADR 13).

/// How strongly the owner of a session wants it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Claim {
    /// Whether this session or the other client stays away is decided by their connections.
    #[default]
    Contested,
    /// The session belongs to its owner: it connects again at once whenever another client takes it over. After too many
    /// times in a row, it is contested again.
    Held,
    /// The session belongs to the other client: it is disconnected until the owner claims it.
    Yielded,
}

/// Takeovers in a row after which a held session stays away like any other: two clients that both insist would otherwise
/// disconnect each other forever.
const INSISTS: u32 = 12;

/// A claim, and how often it was enforced.
#[derive(Debug, Default)]
pub(crate) struct Enforcement {
    claim: Claim,
    enforced: u32,
}

impl Enforcement {
    /// Records a claim. Whether it is another than before.
    pub(crate) fn set(&mut self, claim: Claim) -> bool {
        let changed = self.claim != claim;
        if changed {
            *self = Self { claim, enforced: 0 };
        }
        changed
    }

    /// Whether the session is the other client's.
    pub(crate) fn yields(&self) -> bool {
        self.claim == Claim::Yielded
    }

    /// Another client took the session over: whether to take it back at once.
    pub(crate) fn insists(&mut self) -> bool {
        let insists = self.claim == Claim::Held && self.enforced < INSISTS;
        self.enforced += u32::from(insists);
        insists
    }

    /// A connection lasted.
    pub(crate) fn reset(&mut self) {
        self.enforced = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_session_insists_but_not_forever() {
        let mut enforcement = Enforcement::default();
        assert!(!enforcement.insists(), "contested");
        assert!(enforcement.set(Claim::Held));
        for round in 0..INSISTS {
            assert!(enforcement.insists(), "{round}");
        }
        assert!(!enforcement.insists(), "the other insists as well");
        assert!(!enforcement.set(Claim::Held), "as before");
        assert!(!enforcement.insists());
        enforcement.reset();
        assert!(enforcement.insists(), "a connection lasted");
        assert!(enforcement.set(Claim::Yielded) && enforcement.yields());
        assert!(!enforcement.insists(), "yielded");
    }
}
