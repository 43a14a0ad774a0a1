//! A condition of a device, tested on what the walk of a message has seen.

use crds::validated::{Condition, Operand, Operator};

use super::compare;
use super::miss::Miss;
use super::seen::{Message, Source};
use super::walk::{Member, Wanted};

/// A condition whose place is known to the walk.
#[derive(Debug)]
pub(super) struct Test {
    pub(super) source: Source,
    comparison: Comparison,
    pub(super) value: Operand,
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Order(Operator),
    /// `in`, or `not in` if it is negated; the member is for places in the message.
    In {
        member: Option<Member>,
        negated: bool,
    },
}

impl Test {
    /// The test of a condition, whose place the walk is asked for.
    pub(super) fn new(condition: &Condition, wanted: &mut Wanted) -> Self {
        let source = Source::new(&condition.expression.place, wanted);
        let mut member = || match source {
            Source::Message(place) => Some(wanted.member(place, &condition.value)),
            Source::Topic | Source::Level(_) => None,
        };
        let comparison = match condition.expression.operator {
            operator @ (Operator::In | Operator::NotIn) => Comparison::In {
                member: member(),
                negated: operator == Operator::NotIn,
            },
            operator => Comparison::Order(operator),
        };
        Self {
            source,
            comparison,
            value: condition.value.clone(),
        }
    }

    /// Whether it holds for a message.
    pub(super) fn holds(&self, message: Message<'_>) -> Result<bool, Miss> {
        let seen = message.at(self.source)?;
        match self.comparison {
            Comparison::In { member, negated } => seen
                .contains(&self.value, member)
                .map(|contained| contained != negated),
            Comparison::Order(operator) => {
                let scalar = match &self.value {
                    Operand::Text(_) => None,
                    Operand::Number(_) => seen.scalar(),
                };
                compare::compared(&self.value, operator, seen.text(), scalar.as_ref())
            }
        }
    }

    /// Whether it asks for equality, so that an index can answer it.
    pub(super) fn is_equality(&self) -> bool {
        matches!(self.comparison, Comparison::Order(Operator::Equal))
    }
}
