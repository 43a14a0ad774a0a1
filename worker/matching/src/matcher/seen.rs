//! What conditions see of a message: its topic, and what a walk found in it.

use crds::validated::{Operand, Place};
use jiter::JsonValue;

use super::compare::level;
use super::miss::Miss;
use super::walk::{self, Member, Walked, Wanted};

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Source {
    Message(walk::Place),
    Topic,
    Level(i64),
}

impl Source {
    pub(super) fn new(place: &Place, wanted: &mut Wanted) -> Self {
        match place {
            Place::Message(path) => Self::Message(wanted.place(path)),
            Place::Topic => Self::Topic,
            Place::Level(level) => Self::Level(*level),
        }
    }
}

/// A message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) topic: &'a str,
    /// `None` if it cannot be decoded.
    pub(super) walked: Option<&'a Walked<'a>>,
}

/// What stands at a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen<'a> {
    Found(walk::Found<'a>),
    Text(&'a str),
}

impl<'a> Message<'a> {
    /// # Errors
    /// The place is not there.
    pub(super) fn at(self, source: Source) -> Result<Seen<'a>, Miss> {
        match source {
            Source::Message(place) => {
                let walked = self.walked.ok_or(Miss::NoMessage)?;
                walked.at(place).map(Seen::Found)
            }
            Source::Topic => Ok(Seen::Text(self.topic)),
            Source::Level(index) => level(self.topic, index).map(Seen::Text),
        }
    }
}

impl<'a> Seen<'a> {
    /// The text there, if it is one.
    pub(super) fn text(&self) -> Option<&'a [u8]> {
        match self {
            Self::Found(found) => found.text(),
            Self::Text(text) => Some(text.as_bytes()),
        }
    }

    /// The number or truth value there, if it is one.
    pub(super) fn scalar(&self) -> Option<JsonValue<'a>> {
        match self {
            Self::Found(found) => found.scalar(),
            Self::Text(_) => None,
        }
    }

    /// A text or whole number as a name. Half a surrogate pair, which no name in UTF-8 has, is replaced.
    pub(super) fn name(&self) -> Option<String> {
        match self.scalar() {
            Some(JsonValue::Int(int)) => Some(int.to_string()),
            _ => self
                .text()
                .map(|text| String::from_utf8_lossy(text).into_owned()),
        }
    }

    /// Whether `value` is a key, an element or a part of it; `member` is the question for containers.
    ///
    /// # Errors
    /// Python would refuse to look into it.
    pub(super) fn contains(&self, value: &Operand, member: Option<Member>) -> Result<bool, Miss> {
        match (self, value, member) {
            (Self::Found(found), value, Some(member)) => found.contains(value, member),
            (Self::Text(text), Operand::Text(part), _) => Ok(text.contains(part.as_str())),
            _ => Err(Miss::WrongType),
        }
    }
}
